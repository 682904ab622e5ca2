"""A speech engine that does not work: the callee is spoken to all the same."""

import asyncio
from datetime import timedelta
from pathlib import Path

import aiohttp

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import answers_and_presses
from tests.lab.listener import alike
from tests.lab.rest import JSON

STOCK = Path(__file__).parents[2] / "sounds" / "en" / "no-speech.wav"


async def test_where_an_engine_hangs_the_callee_hears_our_own_words_at_once(
    practices: Practices, plug: Plug
) -> None:
    speech: JSON = {"engines": {"*": "tail -f {text_file} {wav}"}, "timeout_seconds": 3}
    practice = await practices(settings={"speech": speech})
    phone = await plug("973", answers_and_presses("1", first_key=9.0))
    appointment = await practice.clinic.appointment("973")
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    (answered,) = [entry.at for entry in await phone.log() if entry.what == "answered"]
    spoken = phone.heard.first_loud_at()
    assert spoken is not None
    assert spoken - answered < timedelta(seconds=2)
    stock = await asyncio.to_thread(STOCK.read_bytes)
    assert await asyncio.to_thread(alike, phone.heard.samples(), stock) > 0.9
    # The operator is told: by the timeline, the log, and /readyz.
    rows = await practice.clinic.timeline(appointment)
    (why,) = [row["why"] for row in rows if row["what"] == "speech_failed"]
    assert why == "tail took over 3 s"
    assert why in practice.serve.tail()
    async with aiohttp.ClientSession() as http, http.get(f"{practice.serve.url}/readyz") as reply:
        assert "tail did not speak the last text" in (await reply.json())["remarks"]["speech"]
