"""What the phone hears are the words that were written: understood from its own recording."""

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.acceptance.conftest import Plug, Practice
from tests.lab.behaviours import by_hand
from tests.lab.listener import alike, understood
from tests.lab.phone import Phone
from tests.lab.speed import limit

SOUNDS = Path(__file__).parents[2] / "sounds"
SCRIPT = (
    "Hello {first_name}, you have an appointment with {doc_name} on {start_date}, at {start_time}."
    " {nothing|Please} press 1 to confirm {elephant}."
)
SAID = {"appointment", "doctor smith", "wednesday", "january", "ten thirty", "to confirm"}
# Another doctor, another day, the hour on the clinic's clock, and a word that was taken away.
NOT_SAID = {"doctor jones", "sunday", "november", "seven thirty", "elephant"}

SPANISH = "Hola {first_name}, tiene cita con {doc_name} el {start_date}, a las {start_time}."
SPANISH_SAID = (
    "Hola Mary, tiene cita con Doctor Smith el miércoles, {} de enero de {}, a las 10:30."
)


def next_appointment() -> datetime:
    """Half past ten in Los Angeles, on the first Wednesday of the next January."""
    zone = ZoneInfo("America/Los_Angeles")
    first = datetime(datetime.now(UTC).year + 1, 1, 1, 10, 30, tzinfo=zone)
    return first + timedelta(days=(2 - first.weekday()) % 7)


async def reminder(practice: Practice, number: str, script: str, **columns: Any) -> None:
    """An alarm that is due now, to a recipient in Los Angeles, by a clinic in Madrid."""
    rest = practice.clinic.rest
    survey = await rest.post("survey-template/", {"name": "words", "tts_language": "en"})
    section = {"survey": survey["url"], "type": 3, "rating_laps": 3, "script": script}
    await rest.post("section-template/", section)
    sealed = await rest.post(f"{survey['url']}seal/", {})
    user = await rest.post(
        "calendar-user/", {"username": f"u{number}", "password": "x", "first_name": "Mary"}
    )
    calendar = await rest.post(
        "calendar/", {"name": "c", "user": user["url"], "timezone": "Europe/Madrid"}
    )
    start, data = next_appointment(), {"doc_name": "Doctor Smith", "elephant": "elephant"}
    event = await rest.post(
        "event/",
        {
            "title": "Visit",
            "calendar": calendar["url"],
            "start": start.astimezone(UTC).isoformat(),
            "end": (start + timedelta(hours=1)).astimezone(UTC).isoformat(),
            "data": data,
        },
    )
    await rest.post(
        "alarm/",
        {
            "event": event["url"],
            "alarm_phonenumber": number,
            "survey": sealed["url"],
            "timezone": "America/Los_Angeles",
            "advance_notice": round((start - datetime.now(UTC)).total_seconds()) - 3,
            **columns,
        },
    )
    del data["elephant"]
    await rest.patch(event["url"], {"data": data})


def by_espeak(language: str, text: str, folder: Path) -> bytes:
    """What espeak-ng says, asked by ourselves."""
    wav = folder / "said.wav"
    argv = ["espeak-ng", "-v", language, "-w", wav, "--", text]
    subprocess.run(argv, check=True, timeout=limit(30))
    return wav.read_bytes()


async def test_each_hears_the_words_in_their_own_language(
    practice: Practice, plug: Plug, tmp_path: Path
) -> None:
    english, spanish = await plug("971", by_hand()), await plug("972", by_hand())
    await reminder(practice, "971", SCRIPT)
    # The same survey's language, but for the alarm's own.
    await reminder(practice, "972", SPANISH, language="es")

    async def listens(phone: Phone) -> None:
        await phone.hears_out()
        await phone.press("1")
        await phone.until("hung up by network", 60)

    await asyncio.gather(listens(english), listens(spanish))

    def listen() -> None:
        assert understood(english.heard.samples(), [*SAID, *NOT_SAID]) == SAID
        # For want of a Spanish listener: the sounds are those of the Spanish engine for these very
        # words, and not those of its English one for the same; then of our Spanish goodbye.
        start, heard = next_appointment(), spanish.heard.samples()
        words = SPANISH_SAID.format(start.day, start.year)
        assert alike(heard, by_espeak("es", words, tmp_path)) > 0.9
        assert alike(heard, by_espeak("en", words, tmp_path)) < 0.7
        assert alike(heard, (SOUNDS / "es" / "goodbye.wav").read_bytes()) > 0.9
        assert alike(heard, (SOUNDS / "en" / "goodbye.wav").read_bytes()) < 0.7

    await asyncio.to_thread(listen)
