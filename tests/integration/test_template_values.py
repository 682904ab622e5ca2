"""What is said of an alarm: its event's data, and what every alarm can say; and what is lacking."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from telealarm.models import CalendarUser
from telealarm.store.engine.database import Database
from telealarm.store.survey import session_state
from tests.integration.api_client import Api, Clinic, clinic
from tests.integration.stages import Stages

# The configuration of these tests has this zone.
MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2027, 1, 5, 19, 0, tzinfo=MADRID)
ALL = "{title}: {name}, {start_date} at {start_time}, in {minutes_left}, attempt {num_attempt}"


async def said(db: Database, script: str, **alarm: Any) -> str:
    """What the first attempt of an alarm that is due now says; its event starts tomorrow."""
    stages = await Stages.build(db)

    def named() -> None:
        CalendarUser.update(first_name="Ann", last_name="Wood").execute()
        stages.section.script = script
        stages.section.save()

    await stages.write(named)
    day = timedelta(days=1)
    await stages.alarm(start=NOW + day, advance_notice=24 * 3600, **alarm)
    (call,) = await stages.claim()
    before = await db.write(session_state.load, call)
    with time_machine.travel(NOW + timedelta(minutes=3), tick=False):
        assert await stages.place(call)
        # What was rendered before anybody was rung is what is spoken.
        assert (await db.write(session_state.load, call)).sections == before.sections
    return before.sections[0].text


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        ({}, "Visit: Ann Wood, Wednesday, January 6 at 7:00 PM, in 1440, attempt 1"),
        (
            {"language": "es", "timezone": "America/Bogota"},
            "Visit: Ann Wood, miércoles, 6 de enero at 13 horas, in 1440, attempt 1",
        ),
        (
            {"language": "de-AT", "timezone": "Asia/Tokyo"},
            "Visit: Ann Wood, Donnerstag, 7. Jänner at 03:00, in 1440, attempt 1",
        ),
    ],
)
async def test_what_every_alarm_can_say_in_the_recipients_language_and_zone(
    db: Database, alarm: dict[str, Any], expected: str
) -> None:
    with time_machine.travel(NOW, tick=False):
        assert await said(db, ALL, **alarm) == expected


async def test_the_events_own_data_comes_first(db: Database) -> None:
    data = {"title": "Check-up", "doc": "Dr {name}", "nothing": None}
    with time_machine.travel(NOW, tick=False):
        text = await said(db, "{title} with {doc} {nothing} {name|nobody}, {other|soon}", data=data)
    assert text == "Check-up with Dr {name} Ann Wood, soon"


SCRIPT = "Hello {first_name|you}, {title} with {doc_name} on {start_date}, room {room}."


async def asking(api: Api) -> tuple[Clinic, str]:
    """A clinic whose survey says SCRIPT, and the survey."""
    made = await clinic(api)
    template = await api.made("survey-template/", {"name": "Asking"})
    for script in ("Hello.", SCRIPT):
        section = {"survey": template["url"], "type": 3, "script": script}
        await api.made("section-template/", section)
    sealed = await api.made(template["url"] + "seal/")
    return made, sealed["url"]


def lacking(*names: str) -> list[str]:
    listed = ", ".join(f"{{{name}}}" for name in names)
    return [f"section 2 of the survey 'Asking' says {listed}"]


async def told(api: Api, alarm: str) -> list[str]:
    """What the timeline says is missing."""
    rows = (await api.get(f"{alarm}timeline/")).body["results"]
    return [row["why"] for row in rows if row["what"] == "words_missing"]


async def test_a_missing_placeholder_is_found_when_the_alarm_is_written(api: Api) -> None:
    made, survey = await asking(api)
    event = {"title": "Visit", "calendar": made.calendar}
    bare = await api.made("event/", event)
    alarm = {"alarm_phonenumber": "100", "event": bare["url"], "survey": survey}
    written = await api.made("alarm/", alarm)
    assert written["missing_placeholders"] == lacking("doc_name", "room")
    (why,) = await told(api, written["url"])
    assert why.startswith(lacking("doc_name", "room")[0])
    assert "add it to data" in why
    await api.patch(bare["url"], {"data": {"doc_name": "Smith", "room": [1, 2]}})
    assert (await api.made("alarm/", alarm))["missing_placeholders"] == lacking("room")
    await api.patch(bare["url"], {"data": {"doc_name": "Smith", "room": 4}})
    written = await api.made("alarm/", alarm)
    assert "missing_placeholders" not in written
    assert await told(api, written["url"]) == []

    for edit in ({"maxretry": 2}, {"survey": survey}, {"status": 7}):
        assert (await api.patch(written["url"], edit)).status == 200


async def test_an_edit_that_brings_other_words_is_looked_at(api: Api) -> None:
    made, survey = await asking(api)
    bare = await api.made("event/", {"title": "Visit", "calendar": made.calendar})
    written = await api.made("alarm/", {"alarm_phonenumber": "100", "event": bare["url"]})
    assert await told(api, written["url"]) == []
    reply = await api.patch(written["url"], {"survey": survey})
    assert reply.status == 200
    assert len(await told(api, written["url"])) == 1
    assert (await api.patch(written["url"], {"maxretry": 2})).status == 200
    assert len(await told(api, written["url"])) == 1

    # The calendar setting's survey is the one where the alarm names none.
    await api.patch(made.setting, {"survey": survey})
    made_now = await api.made("alarm/", {"alarm_phonenumber": "100", "event": bare["url"]})
    assert made_now["missing_placeholders"] == lacking("doc_name", "room")
