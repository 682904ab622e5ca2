"""SMS by SIP MESSAGE: what is said to AMI, and what its answers mean."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from telealarm.errors import TransportError
from telealarm.methods.sms.provider import OutgoingSms, SmsTransports
from telealarm.methods.sms.providers.asterisk import PROVIDER

SETTINGS = {"destination": "pjsip:trunk/sip:{to}@provider.example:5070", "from": "sip:c@d.example"}


class AmiDouble:
    """Takes what comes, until its `answers` have an error."""

    def __init__(self, *answers: TransportError | None) -> None:
        self.said: list[dict[str, str]] = []
        self.answers = list(answers)

    async def action(self, name: str, **fields: str) -> Mapping[str, str]:
        assert name == "MessageSend"
        self.said.append(fields)
        error = self.answers.pop(0) if self.answers else None
        if error:
            raise error
        return {"response": "Success", "message": "Message successfully sent"}


async def send(ami: AmiDouble | None, text: str = "Hello", to: str = "+34600") -> Any:
    sms = OutgoingSms(id="ab-1", recipient=to, sender="Clinic", text=text)
    return await PROVIDER.send(sms, SETTINGS, SmsTransports(None, ami))  # type: ignore[arg-type]


async def test_a_text_is_sent_whole_in_lines_that_ami_takes() -> None:
    ami = AmiDouble()
    text = "Line 1\r\nAction: Originate\r\n\r\n" + "😀€ñ" * 150 + "end"
    receipt = await send(ami, text)
    assert receipt.said == "Message successfully sent"
    bodies = [base64.b64decode(one["Base64Body"]).decode() for one in ami.said]
    assert "".join(bodies) == text
    assert len(bodies) == 2
    for one in ami.said:
        assert one["Destination"] == "pjsip:trunk/sip:+34600@provider.example:5070"
        assert one["Variable"] == "X-TeleAlarm-Id=ab-1"
        for name, value in one.items():
            assert len(f"{name}: {value}") < 1000
            assert value.isprintable()


REFUSED = TransportError("MessageSend: Message failed to send.", permanent=True)


@pytest.mark.parametrize(
    ("answers", "permanent", "unknown"),
    [
        # No phone is registered at the endpoint: it may be in a minute.
        ([REFUSED], False, False),
        ([TransportError("MessageSend: Permission denied", permanent=True)], True, False),
        ([TransportError("AMI is away")], False, False),
        ([TransportError("Asterisk did not answer", unknown=True)], False, True),
        # Half of it is gone.
        ([None, REFUSED], False, True),
        ([None, TransportError("AMI is away")], False, True),
    ],
)
async def test_what_an_answer_means(
    answers: list[TransportError | None], permanent: bool, unknown: bool
) -> None:
    with pytest.raises(TransportError) as caught:
        await send(AmiDouble(*answers), "x" * 1000)
    assert (caught.value.permanent, caught.value.unknown) == (permanent, unknown)


async def test_without_ami_it_waits_and_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(TransportError) as caught:
        await send(None)
    assert not caught.value.permanent
    for to in ("6;x", "600@evil", "6\r\nAction: x", ""):
        ami = AmiDouble()
        with pytest.raises(TransportError) as caught:
            await send(ami, to=to)
        assert caught.value.permanent and ami.said == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "destination: must look like"),
        ({"destination": "sip:{to}@x"}, "destination: must look like"),
        ({"destination": "pjsip:trunk/sip:600@x"}, "destination: must look like"),
        ({"destination": "pjsip:${EVIL}{to}"}, "destination: must look like"),
        ({"destination": "pjsip:{to}" + "x" * 300}, "destination: must look like"),
        (
            {"destination": "pjsip:{to}", "from": "sip:a@b\r\nX: y"},
            "from: must be a text of one line",
        ),
        ({"destination": "pjsip:{to}", "from": 7}, "from: must be a text"),
        ({"destination": "pjsip:{to}", "inbound": {"id": "x"}}, "inbound: has no meaning"),
        ({"destination": "pjsip:{to}", "url": "x"}, "settings: url is unknown"),
    ],
)
def test_each_wrong_setting_says_what_would_be_right(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PROVIDER.check(settings)


def test_the_settings_of_the_manual_are_taken() -> None:
    PROVIDER.check(SETTINGS)
    PROVIDER.check({"destination": "pjsip:{to}", "sender": "Clinic", "inbound": {}})
