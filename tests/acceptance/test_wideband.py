"""A call has the rate that its phone can: the prompts are there in 8 kHz and in 16 kHz."""

import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import Plug, Practices
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import by_hand_with
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.waiting import until


async def translation(asterisk: Asterisk, phone: Phone) -> str:
    """How Asterisk makes the voice of the only call from the file that it plays."""
    await phone.until("answered", 30)

    async def written() -> str:
        name = (await asterisk.cli("core show channels concise")).partition("!")[0]
        shown = await asterisk.cli(f"core show channel {name}") if name else ""
        found = re.search(r"WriteFormat: (slin\d*).*?WriteTranscode: Yes (\S+)", shown, re.DOTALL)
        return f"{found[1]} {found[2]}" if found else ""

    await until(written, 20, f"{phone.number} is played a file")
    return await written()


FITTING = [
    ("G722", 9, "slin16 (slin@16000)->(g722@16000)"),
    ("PCMA", 8, "slin (slin@8000)->(alaw@8000)"),
    ("PCMU", 0, "slin (slin@8000)->(ulaw@8000)"),
]


@pytest.mark.parametrize(("codec", "payload_type", "way"), FITTING)
@pytest.mark.parametrize("fetched", [False, True], ids=["from the folder", "by http"])
async def test_a_prompt_has_the_rate_of_the_call(
    practices: Practices,
    plug: Plug,
    asterisk: Asterisk,
    exchange: Exchange,
    tmp_path: Path,
    codec: str,
    payload_type: int,
    way: str,
    fetched: bool,
) -> None:
    """Nothing is resampled: 16 kHz for a wideband call, 8 kHz for another."""
    folder = {"prompts": {"folder": str(tmp_path)}} if fetched else {}
    practice = await practices(settings=folder, section={"retries": 3})
    number = f"6{8 + fetched}{payload_type}"
    phone = await plug(number, by_hand_with(codec))
    appointment = await practice.clinic.appointment(number)
    assert await translation(asterisk, phone) == way
    await phone.press("1")
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    # The offer has the order of pjsip.conf, and the call has the codec of the phone.
    assert "RTP/AVP 9 8 0 101" in exchange.calls_to(number)[-1].sdp
    assert phone.heard.kinds[payload_type] > 10
    assert set(phone.heard.kinds) <= {payload_type, 13}
