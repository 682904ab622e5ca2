"""Speech engines that are slow, or hang: whoever answers is spoken to at once all the same."""

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import by_hand
from tests.lab.listener import alike, understood
from tests.lab.phone import Phone
from tests.lab.speed import account, limit

STOCK = Path(__file__).parents[2] / "sounds" / "es" / "no-speech.wav"


async def at_once(phone: Phone) -> bool:
    """Whether something was said within a second of the answer (of a quick machine)."""
    (answered,) = [entry.at for entry in await phone.log() if entry.what == "answered"]
    spoken = phone.heard.first_loud_at()
    return spoken is not None and spoken - answered < timedelta(seconds=limit(1))


async def test_nobody_who_answers_waits_for_an_engine(
    practices: Practices, plug: Plug, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\nsleep 2\nexec flite -voice slt -f "$1" -o "$2"\n')
    slow.chmod(0o755)
    allowed = min(round(limit(4)), 20)
    engines = {"en": f"{slow} {{text_file}} {{wav}}", "*": "tail -f {text_file} {wav}"}
    practice = await practices(
        settings={
            "speech": {"engines": engines, "timeout_seconds": allowed, "wait_seconds": 60},
        },
        script="You have an appointment with {doc_name}.",
    )
    english, spanish = await plug("973", by_hand()), await plug("974", by_hand())
    first = await practice.clinic.appointment("973")
    second = await practice.clinic.appointment("974", language="es")

    async def listens(phone: Phone, key: str) -> None:
        await phone.hears_out()
        await phone.press(key)

    await asyncio.gather(listens(english, "1"), listens(spanish, "2"))
    assert (await practice.settled(first))["result"] == 1
    assert (await practice.settled(second))["result"] == 2
    # What was slow was rendered before the call was placed.
    assert await at_once(english), account()
    words = ["doctor smith", "automatic call"]
    said = await asyncio.to_thread(understood, english.heard.samples(), words)
    assert said == {"doctor smith"}
    # In place of what hung there are our own words, in the callee's language.
    assert await at_once(spanish), account()
    stock = await asyncio.to_thread(STOCK.read_bytes)
    assert await asyncio.to_thread(alike, spanish.heard.samples(), stock, 5.0) > 0.9
    # The operator is told: by the timeline, the log, and /readyz.
    rows = await practice.clinic.timeline(second)
    (why,) = [row["why"] for row in rows if row["what"] == "speech_failed"]
    assert why == f"tail took over {allowed} s"
    assert why in practice.serve.tail()
    health = await practice.clinic.rest.health()
    assert "tail did not speak the last text" in health["remarks"]["speech"]
