"""What the phone hears are the words that were written: understood from its own recording."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.acceptance.conftest import Plug, Practice
from tests.lab.behaviours import answers_and_presses
from tests.lab.listener import understood
from tests.lab.rest import JSON

SCRIPT = (
    "Hello {first_name}, you have an appointment with {doc_name} on {start_date}, at {start_time}."
    " {nothing|Please} press 1 to confirm {elephant}."
)
SAID = {"appointment", "doctor smith", "wednesday", "january", "ten thirty", "to confirm"}
# Another doctor, another day, the hour on the clinic's clock, and a word that was taken away.
NOT_SAID = {"doctor jones", "sunday", "november", "seven thirty", "elephant"}


def next_appointment() -> datetime:
    """Half past ten in Los Angeles, on the first Wednesday of the next January."""
    zone = ZoneInfo("America/Los_Angeles")
    first = datetime(datetime.now(UTC).year + 1, 1, 1, 10, 30, tzinfo=zone)
    return first + timedelta(days=(2 - first.weekday()) % 7)


async def reminder(practice: Practice, number: str) -> JSON:
    """An alarm that is due now, to a recipient in Los Angeles, by a clinic in Madrid."""
    rest = practice.clinic.rest
    survey = await rest.post("survey-template/", {"name": "words"})
    section = {"survey": survey["url"], "type": 3, "rating_laps": 3, "script": SCRIPT}
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
    alarm = await rest.post(
        "alarm/",
        {
            "event": event["url"],
            "alarm_phonenumber": number,
            "survey": sealed["url"],
            "timezone": "America/Los_Angeles",
            "advance_notice": round((start - datetime.now(UTC)).total_seconds()) - 3,
        },
    )
    del data["elephant"]
    await rest.patch(event["url"], {"data": data})
    return alarm


async def test_the_words_of_a_prompt_are_understood_from_the_phones_recording(
    practice: Practice, plug: Plug
) -> None:
    phone = await plug("971", answers_and_presses("1", first_key=12.0))
    await reminder(practice, "971")
    await phone.until("key 1", 60)
    samples = phone.heard.samples()
    assert await asyncio.to_thread(understood, samples, [*SAID, *NOT_SAID]) == SAID
