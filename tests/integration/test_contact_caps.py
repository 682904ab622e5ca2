"""The caps for a person: how often, over all methods, calendars and workers; who is exempt; what is
told. What went out is counted from a log of the network's own: it knows numbers and moments only.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import peewee
import pytest
import pytest_asyncio
import time_machine

from telealarm.api.wakeup_booking import WakeupBooking
from telealarm.clock import utcnow
from telealarm.config.model import Config, SmtpConfig
from telealarm.models import Alarm, AlarmRequest, CalendarSetting, Event, Message, User
from telealarm.planning.series import SeriesPlanner
from telealarm.store.alarms import alarms
from telealarm.store.dialing import calls, workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.dialing.calls import Call
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.messages.compose import Composer
from telealarm.words import AlarmStatus, Disposition, MessageStatus
from tests.integration.api_client import Api, clinic, id_of
from tests.integration.stages import HOUR, Stages

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ANA = "+34600100200"


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    time_zones.configure(db.peewee, "UTC")
    with at(MONDAY):
        yield await Stages.build(db)


async def cap(stages: Stages, **columns: int | None) -> None:
    await stages.write(lambda: User.update(columns).where(User.username == "manager").execute())


async def due(stages: Stages, number: str = ANA, **columns: Any) -> int:
    """An alarm that is due now, for a number in E.164 form, wanted for two weeks."""
    columns = {"max_lateness": 14 * 86400, "maxretry": 5, "retry_delay": 60, **columns}
    return await stages.alarm(number, alarm_e164=number, **columns)


async def state(stages: Stages, alarm_id: int) -> tuple[int, str]:
    def read() -> tuple[int, str]:
        request = AlarmRequest.select().where(AlarmRequest.alarm == alarm_id)
        last = request.order_by(AlarmRequest.id.desc()).get()
        return last.status, last.status_reason

    return await stages.db.read(read)


async def send(stages: Stages) -> list[str]:
    """The messages that were in the outbox are sent. Return to whom."""

    def write() -> list[str]:
        rows = list(Message.select().where(Message.status == MessageStatus.PENDING))
        Message.update(status=MessageStatus.SENT, sent=utcnow()).where(
            Message.id.in_([row.id for row in rows])
        ).execute()
        return [row.recipient for row in rows]

    return await stages.write(write)


async def ring(stages: Stages, call: Call) -> None:
    assert await stages.place(call)
    await stages.end(call, Disposition.BUSY, 17)


async def test_all_methods_count_together_and_what_waits_is_told(stages: Stages) -> None:
    await cap(stages, max_contacts_per_day=2)
    first = await due(stages)
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.end(call, Disposition.ANSWER, 16, "1")
    await due(stages, method=2)
    assert await stages.claim() == []
    assert await send(stages) == [ANA]
    third, other = await due(stages), await due(stages, "+34600100201")
    (call,) = await stages.claim()
    assert call.alarm_id == other
    assert await state(stages, third) == (AlarmStatus.PENDING, "contact_cap")
    why = f"at most 2 contacts a day; until {(MONDAY + DAY).isoformat()}"
    assert ("deferred", why) in await stages.words(third)
    assert (await stages.get(first)).result == 1
    with at(MONDAY + DAY - MINUTE):
        assert await stages.claim() == []
    with at(MONDAY + DAY):
        (call,) = await stages.claim()
        assert call.alarm_id == third


async def test_mails_count_to_their_address_in_any_case(stages: Stages) -> None:
    await cap(stages, max_contacts_per_week=1)
    smtp = SmtpConfig(host="127.0.0.1", sender="clinic@example.com")
    stages.admission = Admission(stages.holder, Composer(Config(smtp=smtp)))
    await stages.alarm("", alarm_email="Ana@Example.com", method=3, max_lateness=86400)
    await stages.claim()
    assert len(await send(stages)) == 1
    again = await stages.alarm("", alarm_email="ana@example.com", method=3, max_lateness=86400)
    await stages.claim()
    alarm = await stages.get(again)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.MISSED, "contact_cap")


async def test_a_pause_counts_from_the_end_of_a_call(stages: Stages) -> None:
    await cap(stages, min_contact_minutes=30)
    alarm = await due(stages)
    (call,) = await stages.claim()
    assert await stages.place(call)
    with at(MONDAY + 10 * MINUTE):
        await stages.end(call)
    with at(MONDAY + 12 * MINUTE):
        assert await stages.claim() == []
        assert await state(stages, alarm) == (AlarmStatus.PENDING, "contact_cap")
    with at(MONDAY + 40 * MINUTE):
        assert len(await stages.claim()) == 1


async def test_what_waits_too_long_is_missed_and_told(stages: Stages) -> None:
    await cap(stages, max_contacts_per_day=1)
    await due(stages)
    (call,) = await stages.claim()
    await ring(stages, call)
    late = await due(stages, max_lateness=3600, phonenumber_sms_failure="+34600999999")
    await stages.claim()
    alarm = await stages.get(late)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.MISSED, "contact_cap")
    (word,) = [why for what, why in await stages.words(late) if what == "missed"]
    assert word.startswith("contact_cap: at most 1 contact a day; until 2026-03-03T09:00:00")
    assert "+34600999999" in await send(stages)


async def test_what_is_exempt_is_neither_held_nor_counted(stages: Stages) -> None:
    await cap(stages, max_contacts_per_day=1)

    async def wakeup() -> int:
        made = await due(stages)
        event = (await stages.get(made)).event_id
        await stages.write(lambda: Event.update(is_wakeup=True).where(Event.id == event).execute())
        return made

    for _ in range(2):
        made = await wakeup()
        (call,) = await stages.claim()
        assert call.alarm_id == made and await stages.place(call)
        await stages.end(call, Disposition.ANSWER, 16, "1")
    extensions = [await stages.alarm("100", maxretry=0) for _ in range(2)]
    for _ in extensions:
        (call,) = await stages.claim()
        await ring(stages, call)
    # A call that tells of a failure, to a number that was contacted.
    await due(stages)
    (call,) = await stages.claim()
    await ring(stages, call)
    about = await stages.get(extensions[0])
    desk = await due(stages, about=about)
    (call,) = await stages.claim()
    assert call.alarm_id == desk


async def test_a_new_cap_or_number_is_looked_at_at_once(api: Api) -> None:
    made = await clinic(api)
    (row,) = (await api.get("users/?username=manager", user="root")).body["results"]
    await api.patch(row["url"], {"max_contacts_per_day": 1}, user="root")
    event = (await api.made("event/", {"title": "Visit", "calendar": made.calendar}))["url"]
    alarm = {"event": event, "alarm_phonenumber": ANA}
    url = (await api.made("alarm/", alarm))["url"]

    async def waits() -> str:
        def read() -> str:
            return AlarmRequest.get(AlarmRequest.alarm == id_of(url)).status_reason

        return await api.db.read(read)

    async def hold() -> None:
        def write() -> None:
            AlarmRequest.delete().execute()
            alarm = Alarm.get_by_id(id_of(url))
            Alarm.update(status=AlarmStatus.IN_PROCESS).execute()
            AlarmRequest.create(
                owner=alarm.owner,
                alarm=alarm,
                date=utcnow() + 30 * MINUTE,
                status_reason="contact_cap",
            )

        await api.db.write(write)

    await hold()
    (planned,) = (await api.get("plan/")).body["results"][:1]
    assert (planned["action"], planned["why"]) == ("defer", "contact_cap")
    await api.patch(row["url"], {"max_contacts_per_day": 2}, user="root")
    assert await waits() == ""
    await hold()
    await api.patch(url, {"alarm_phonenumber": "+34600100201"})
    assert await waits() == ""
    reply = await api.patch(row["url"], {"max_contacts_per_day": 0}, user="root")
    assert reply.status == 400 and "max_contacts_per_day" in reply.body


async def test_the_plan_counts_what_it_plans(api: Api) -> None:
    made = await clinic(api)
    (row,) = (await api.get("users/?username=manager", user="root")).body["results"]
    await api.patch(row["url"], {"max_contacts_per_day": 2}, user="root")
    for hour in (9, 10, 11, 12):
        body = {
            "title": "Visit",
            "calendar": made.calendar,
            "start": f"2030-01-07T{hour:02}:00:00Z",
            "end": "2030-01-09T12:00:00Z" if hour == 11 else f"2030-01-07T{hour:02}:30:00Z",
        }
        event = (await api.made("event/", body))["url"]
        await api.made("alarm/", {"event": event, "alarm_phonenumber": ANA})
    address = "plan/?after=2030-01-07T00:00:00Z&before=2030-01-08T00:00:00Z"
    rows = (await api.get(address)).body["results"]
    assert [(one["action"], one["why"]) for one in rows] == [
        ("call", ""),
        ("call", ""),
        ("defer", "contact_cap"),
        ("skip", "contact_cap"),
    ]
    assert datetime.fromisoformat(rows[2]["until"]) == datetime(2030, 1, 8, 9, tzinfo=UTC)


async def test_a_wake_up_call_that_was_booked_is_known(api: Api, config: Config) -> None:
    made = await clinic(api)
    calendar = id_of(made.calendar)
    booking = WakeupBooking(config, api.db)
    await booking.keep(calendar, "+34600100200", datetime(2030, 1, 1, 7).time(), daily=True)
    await SeriesPlanner(api.db).step()
    marks = await api.db.read(lambda: [event.is_wakeup for event in Event.select()])
    assert len(marks) > 1 and all(marks)


async def test_a_crowd_costs_one_statement_with_caps_and_none_without(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = 0
    execute = peewee.Database.execute_sql

    def counting(self: peewee.Database, *args: Any, **options: Any) -> Any:
        nonlocal counted
        counted += 1
        return execute(self, *args, **options)

    monkeypatch.setattr(peewee.Database, "execute_sql", counting)

    async def cost(first: int, method: int) -> int:
        for n in range(20):  # as many as the outbox takes
            await due(stages, f"+346001{first + n:05}", method=method, max_lateness=3600)
        await stages.planner.step()
        nonlocal counted
        counted = 0
        claimed = await stages.write(stages.admission.claim, utcnow(), 100)
        if method == 1:
            assert len(claimed.calls) == 20
        found = counted
        assert len(await send(stages)) == (0 if method == 1 else 20)
        return found

    for method in (1, 2):
        await cost(1000 * method, method)  # from now on there are live calls to count
        without = await cost(1000 * method + 200, method)
        await cap(stages, max_contacts_per_day=2)
        assert await cost(1000 * method + 500, method) == without + 1
        await cap(stages, max_contacts_per_day=None)


class Network:
    """What the network sees: to which number, and when."""

    def __init__(self) -> None:
        self.log: defaultdict[str, list[datetime]] = defaultdict(list)

    def violations(self, per_day: int, per_week: int, pause: timedelta) -> list[Any]:
        wrong: list[Any] = []
        for number, times in self.log.items():
            times.sort()
            wrong += [(number, one) for one in pairwise(times) if one[1] - one[0] < pause]
            for most, span in ((per_day, DAY), (per_week, 7 * DAY)):
                groups = zip(times, times[most:], strict=False)
                wrong += [(number, one) for one in groups if one[1] - one[0] < span]
        return wrong


@pytest.mark.parametrize(
    "number", [pytest.param(10_000, marks=pytest.mark.long), 240], ids=["many", "some"]
)
async def test_two_workers_never_exceed_a_cap(db: Database, number: int) -> None:
    """Calls and SMS of two calendars, by two workers at once, over nine days."""
    chance, network = random.Random(number), Network()
    per_day, per_week, pause = 3, 10, 45 * MINUTE
    time_zones.configure(db.peewee, "UTC")
    other = Database(db.peewee)
    other.start()
    try:
        with at(MONDAY) as clock:
            stages = await Stages.build(db)
            holder = await other.write(workers.enter, "two", utcnow(), 30 * DAY)
            dispatchers = [
                (db, stages.admission),
                (other, Admission(holder, stages.composer)),
            ]
            await cap(
                stages,
                max_contacts_per_day=per_day,
                max_contacts_per_week=per_week,
                min_contact_minutes=45,
            )
            second = await stages.write(stages.new_calendar, "d", stages.setting)
            crowd = number // 24
            on = [stages.calendar, second]
            for _ in range(0, number, 80):
                await stages.write(furnish, chance, 80, crowd, on)
            # No autovacuum does it in the tests' PostgreSQL.
            await stages.write(db.peewee.execute_sql, "ANALYZE")
            up: list[tuple[datetime, Call]] = []
            moment = MONDAY
            while moment < MONDAY + 9 * DAY:
                moment += 20 * MINUTE
                clock.shift(20 * MINUTE)
                up = await step(stages, dispatchers, network, chance, up)
    finally:
        await other.close()
    assert network.violations(per_day, per_week, pause) == []
    rows = await db.read(lambda: list(Alarm.select(Alarm.status, Alarm.status_reason).tuples()))
    ends: defaultdict[tuple[str, str], int] = defaultdict(int)
    for status, reason in rows:
        ends[AlarmStatus(status).name, reason if status == AlarmStatus.MISSED else ""] += 1
    went_out = sum(map(len, network.log.values()))
    # The caps are used, and are what holds back: it is not that nothing goes out.
    assert len(rows) == number and ends["MISSED", "contact_cap"] > number / 10, ends
    assert went_out > crowd * per_week * 0.8, (went_out, ends)
    # Few are late: the clock goes by 20 minutes, and the outbox and a phone take one at a time.
    assert ends["MISSED", "late"] <= number / 100, ends


async def step(
    stages: Stages,
    dispatchers: list[tuple[Database, Admission]],
    network: Network,
    chance: random.Random,
    up: list[tuple[datetime, Call]],
) -> list[tuple[datetime, Call]]:
    """Everything that is due goes out by two workers at once; calls that are over end."""
    for until, call in up:
        if until <= utcnow():
            await stages.end(call, chance.choice([Disposition.BUSY, Disposition.NOANSWER]), 17)
    up = [(until, call) for until, call in up if until > utcnow()]
    await stages.planner.step()
    more = True
    while more:
        claimed = await asyncio.gather(
            *(one.write(admission.claim, utcnow(), 50) for one, admission in dispatchers)
        )
        more = any(one.more or one.calls for one in claimed)
        for (one, _), found in zip(dispatchers, claimed, strict=True):
            for call in found.calls:
                assert await one.write(calls.start, call, utcnow())
                network.log[call.number].append(utcnow())
                up.append((utcnow() + chance.choice((0, 30)) * MINUTE, call))
    # A message may wait in the outbox for a while.
    if chance.random() < 0.5:
        for recipient in await send(stages):
            network.log[recipient].append(utcnow())
    return up


def furnish(chance: random.Random, number: int, crowd: int, calendars: list[Any]) -> None:
    CalendarSetting.update(settle=False).execute()
    for n in range(number):
        on = calendars[n % 2]
        start = MONDAY + chance.randrange(7 * 24 * 60) * MINUTE
        event = Event.create(
            owner=on.owner_id,
            title="Visit",
            start=start,
            end=start + HOUR,
            creator=on.user_id,
            calendar=on,
        )
        e164 = f"+346{chance.randrange(crowd):08}"
        made = Alarm.create(
            owner=on.owner_id,
            event=event,
            alarm_phonenumber=e164,
            alarm_e164=e164,
            method=chance.choice((1, 1, 2)),
            max_lateness=chance.choice((3600, 86400)),
            maxretry=2,
            retry_delay=600,
        )
        alarms.schedule(made, event)
