"""What a person decides about the calls of their alarms: consent, hours, language, texts."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import time_machine

from telealarm.clock import utcnow
from telealarm.models import Alarm, CalendarSetting, Event, Person, PersonNumber, User
from telealarm.planning.series import SeriesPlanner
from telealarm.store.dialing import test_calls
from telealarm.store.engine.database import Database
from telealarm.store.messages import template_values
from telealarm.store.survey import session_state
from telealarm.words import AlarmStatus, Reason
from tests.integration.api_client import Api, clinic, id_of
from tests.integration.stages import Stages
from tests.integration.test_people import numbers_of
from tests.integration.test_statement_budget import ALONE, CROWD, IN_A_CROWD, Statements, go
from tests.integration.test_statement_budget import statements as statements

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 10:00 in Madrid


async def person(db: Database, **columns: Any) -> int:
    def write() -> int:
        owner = User.get(User.username == "manager")
        made: Person = Person.create(owner=owner, name="Ann Example", first_name="Ann", **columns)
        PersonNumber.create(person=made, position=0, number="100")
        return made.id

    return await db.write(write)


async def about(stages: Stages, who: int | None, **columns: Any) -> int:
    """An alarm that is due now, of an event about this person."""
    alarm_id = await stages.alarm(**columns)

    def write() -> None:
        event = Alarm.get_by_id(alarm_id).event_id
        Event.update(person=who).where(Event.id == event).execute()
        Alarm.update(follows_person=who is not None).where(Alarm.id == alarm_id).execute()

    await stages.db.write(write)
    return alarm_id


async def state(db: Database, alarm_id: int) -> tuple[int, str]:
    row = await db.read(Alarm.get_by_id, alarm_id)
    return row.status, row.status_reason


async def test_without_consent_nobody_is_called(db: Database) -> None:
    stages = await Stages.build(db)
    await db.write(lambda: CalendarSetting.update(require_consent=True).execute())
    asked = await about(stages, await person(db), number="100")
    refused = await about(stages, await person(db, consent=False), number="101")
    nobody = await about(stages, None, number="102")
    agreed = await about(stages, await person(db, consent=True), number="103")
    mail = await about(stages, await person(db), number="104", method=3, alarm_email="a@b.example")
    assert [call.alarm_id for call in await stages.claim()] == [agreed]
    for alarm_id in (asked, refused, nobody, mail):
        assert await state(db, alarm_id) == (AlarmStatus.FAILURE, Reason.NO_CONSENT)
    # A trial goes to whoever tries.
    trial = await db.write(lambda: test_calls.call(stages.survey, "200", None, utcnow()).alarm_id)
    assert [call.alarm_id for call in await stages.claim()] == [trial]
    await db.write(lambda: CalendarSetting.update(require_consent=False).execute())
    again = await about(stages, None, number="105")
    assert [call.alarm_id for call in await stages.claim()] == [again]


async def test_a_call_waits_for_the_hours_of_the_person(db: Database) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        stages = await Stages.build(db)
        hours = {"daily_start": time(10, 30), "daily_stop": time(12), "timezone": "Europe/Madrid"}
        alarm_id = await about(stages, await person(db, **hours), start=MORNING)
        assert await stages.claim() == []
        request = await db.read(lambda: Alarm.get_by_id(alarm_id).requests.get())
        assert (request.status_reason, request.date) == (
            Reason.PERSON_HOURS,
            MORNING + timedelta(minutes=30),
        )
        clock.shift(timedelta(minutes=31))
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_the_call_speaks_to_the_person(db: Database) -> None:
    stages = await Stages.build(db)
    carer = await person(db, language="de")
    who = await person(db, language="es", carer=carer, carer_mode="")
    alarm_id = await about(stages, who)
    (call,) = await stages.claim()

    def said() -> tuple[str, object, object, object]:
        alarm = Alarm.get_by_id(alarm_id)
        values = template_values.values(alarm, alarm.event, utcnow())
        names = values["person_name"], values["person_first_name"], values["name"]
        return (session_state.load.many([(call,)])[0].language, *names)

    assert await db.write(said) == ("es", "Ann Example", "Ann", None)
    await db.write(lambda: Person.update(carer_mode="instead").where(Person.id == who).execute())
    assert (await db.write(said))[0] == "de"
    await db.write(lambda: Alarm.update(language="fr").execute())
    assert (await db.write(said))[0] == "fr"


async def test_the_plan_says_why(api: Api) -> None:
    made = await clinic(api)
    await api.patch(made.setting, {"require_consent": True})
    start = (utcnow() + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    body = {"name": "Ann Example", "numbers": ["+34600100200"]}
    ann = (await api.made("person/", body))["url"]
    sent = {"title": "x", "calendar": made.calendar, "start": start.isoformat(), "person": ann}
    event = (await api.made("event/", sent))["url"]
    await api.made("alarm/", {"event": event})

    async def why() -> tuple[str, str]:
        (planned,) = (await api.get("plan/")).body["results"]
        return planned["action"], planned["why"]

    assert await why() == ("skip", "no_consent")
    await api.patch(ann, {"consent": True})
    assert await why() == ("call", "")
    later = (start + timedelta(minutes=20)).strftime("%H:%M")
    stop = (start + timedelta(minutes=40)).strftime("%H:%M")
    await api.patch(ann, {"daily_start": later, "daily_stop": stop, "timezone": "UTC"})
    assert (await why())[1] == "person_hours"


async def test_occurrences_of_a_series_follow_too(api: Api) -> None:
    made = await clinic(api)
    mother = (await api.made("person/", {"name": "Zoe", "numbers": ["+34600100900"]}))["url"]
    body = {"name": "Child", "numbers": ["+34600100901"], "carer": mother, "carer_mode": "also"}
    child = (await api.made("person/", body))["url"]
    start = (utcnow() + timedelta(hours=1)).isoformat(timespec="seconds")
    rule = await api.made("rule/", {"name": "daily", "frequency": "DAILY"})
    sent = {"title": "x", "calendar": made.calendar, "start": start, "rule": rule["url"]}
    parent = (await api.made("event/", {**sent, "person": child}))["url"]
    alarm = await api.made("alarm/", {"event": parent})
    planner = SeriesPlanner(api.db)

    async def occurrence() -> str:
        await planner.step()
        rows = (await api.get(f"event/?parent_event={id_of(parent)}")).body["results"]
        link: str = rows[0]["url"]
        return link

    first = await occurrence()
    assert (await api.get(first)).body["person"] == child
    both = [("+34600100901", False), ("+34600100900", True)]
    assert await numbers_of(api, first) == both == await numbers_of(api, parent)
    await api.patch(child, {"numbers": ["+34600100902"]})
    await occurrence()
    both[0] = ("+34600100902", False)
    assert await numbers_of(api, first) == both == await numbers_of(api, parent)
    await api.patch(child, {"carer": None, "carer_mode": ""})
    await occurrence()
    assert await numbers_of(api, first) == both[:1] == await numbers_of(api, parent)
    await api.patch(child, {"carer": mother, "carer_mode": "also"})
    await occurrence()
    assert await numbers_of(api, first) == both == await numbers_of(api, parent)
    # One occurrence is about somebody else.
    ben = (await api.made("person/", {"name": "Ben", "numbers": ["+34600100903"]}))["url"]
    await api.patch(first, {"person": ben})
    await api.patch(alarm["url"], {"maxretry": 2})
    await occurrence()
    assert await numbers_of(api, first) == [("+34600100903", False)]


async def test_an_alarm_that_is_taken_up_again_has_the_new_number(api: Api) -> None:
    made = await clinic(api)
    ann = (await api.made("person/", {"name": "Ann", "numbers": ["+34600100200"]}))["url"]
    sent = {"title": "x", "calendar": made.calendar, "start": "2040-01-09 10:00", "person": ann}
    event = (await api.made("event/", sent))["url"]
    alarm = (await api.made("alarm/", {"event": event}))["url"]
    assert (await api.patch(alarm, {"status": 7})).body["status"] == 7
    await api.patch(ann, {"numbers": ["+34600100300"]})
    assert (await api.patch(alarm, {"status": 1})).body["alarm_e164"] == "+34600100300"


class Visits(Stages):
    """Stages whose events are about a person, who has hours and a zone."""

    who: int | None = None

    async def alarm(self, number: str = "100", **columns: Any) -> int:
        if self.who is None:
            hours = {"daily_start": time(0), "daily_stop": time(23, 59, 59), "timezone": "UTC"}
            self.who = await person(self.db, language="es", **hours)
        alarm_id = await super().alarm(number, **columns)

        def write() -> None:
            event = Alarm.get_by_id(alarm_id).event_id
            Event.update(person=self.who).where(Event.id == event).execute()
            Alarm.update(follows_person=True).where(Alarm.id == alarm_id).execute()

        await self.db.write(write)
        return alarm_id


async def test_a_call_about_a_person_costs_no_statement_more(
    db: Database, statements: Statements
) -> None:
    stages = await Visits.build(db)
    await go(stages, statements, CROWD)
    assert statements.counts.total() / CROWD <= IN_A_CROWD, statements.counts
    statements.counts.clear()
    await go(stages, statements, 1)
    assert statements.counts.total() <= ALONE, statements.counts
