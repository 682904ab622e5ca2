"""What a manager may use at most: calls a day, waiting alarms, trial calls, audio, close series."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from peewee import fn

from telealarm.api.wakeup_booking import WakeupBooking
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import LimitReached
from telealarm.models import Alarm, AudioFile, Calendar, Event, LimitUse, Timeline, User
from telealarm.models import WebhookDelivery as Delivery
from telealarm.planning.series import SeriesPlanner
from telealarm.store.access import limits
from telealarm.store.access.limits import CALLS, WAITING, Use
from telealarm.store.alarms import alarms
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus, Disposition, Reason
from tests.integration.api_client import Api, Reply, clinic, id_of, tone
from tests.integration.import_book import Book
from tests.integration.stages import Stages

# Noon of a day far ahead, in any of the zones here.
NOON = "2030-06-03T12:00:00Z"


async def limited(api: Api, user: str = "manager", **columns: Any) -> None:
    """A superuser sets the limits of a login."""
    (row,) = (await api.get(f"users/?username={user}", user="root")).body["results"]
    reply = await api.patch(row["url"], columns, user="root")
    assert reply.status == 200, reply.text
    assert {name: reply.body[name] for name in columns} == columns


async def event(api: Api, calendar: str, start: str = NOON, **columns: Any) -> str:
    end = (datetime.fromisoformat(start) + timedelta(hours=1)).isoformat()
    body = {"title": "Visit", "calendar": calendar, "start": start, "end": end, **columns}
    url: str = (await api.made("event/", body))["url"]
    return url


async def alarm(api: Api, event_url: str, number: int = 1, **columns: Any) -> Reply:
    body = {"event": event_url, "alarm_phonenumber": f"60010020{number}", **columns}
    return await api.post("alarm/", body)


def used(kind: str, day: str = "", user: str = "manager") -> int:
    owner = User.get(User.username == user)
    return limits.used(Use(owner.id, kind, day))


async def test_the_calls_of_a_day_have_a_limit(api: Api) -> None:
    book = (await clinic(api)).calendar
    await limited(api, max_calls_per_day=2, timezone="America/New_York")
    one = await event(api, book)
    first, second = await alarm(api, one, 1), await alarm(api, one, 2)
    assert (first.status, second.status) == (201, 201)
    third = await alarm(api, one, 3)
    assert third.status == 409
    assert third.body["detail"] == (
        "max_calls_per_day is 2, and 2 calls are due on 2030-06-03 already; a superuser can raise"
        " it."
    )
    assert (await api.get(f"alarm/?event={id_of(one)}")).body["count"] == 2
    # Other days, other methods and other managers are not concerned. The day is the manager's:
    # at two in the morning of UTC it is the evening before in New York.
    assert (await alarm(api, one, 3, method="sms")).status == 201
    late = await event(api, book, "2030-06-05T02:00:00Z")
    assert (await alarm(api, late, 1)).status == 201
    assert await api.db.read(used, CALLS, "2030-06-04") == 1
    # A call that is called off has counted; one that moves to another day counts there.
    await api.patch(first.body["url"], {"status": 7})
    assert (await alarm(api, one, 3)).status == 409
    moved = await api.patch(late, {"start": NOON, "end": "2030-06-03T13:00:00Z"})
    assert moved.status == 409
    assert "2 calls are due on 2030-06-03" in moved.body["detail"]
    moved = await api.patch(one, {"start": "2030-06-07T12:00:00Z", "end": "2030-06-07T13:00:00Z"})
    assert moved.status == 200
    assert await api.db.read(used, CALLS, "2030-06-07") == 1
    assert await api.db.read(used, CALLS, "2030-06-03") == 1
    assert (await alarm(api, await event(api, book), 4)).status == 201
    # An SMS that becomes a call counts from then on.
    (sms,) = (await api.get(f"alarm/?event={id_of(one)}&alarm_phonenumber=600100203")).body[
        "results"
    ]
    await limited(api, max_calls_per_day=1)
    assert (await api.patch(sms["url"], {"method": 1})).status == 409
    # A superuser has no limits.
    await limited(api, "root", max_calls_per_day=0)
    theirs = (await clinic(api, "root")).calendar
    body = {"title": "t", "calendar": theirs, "start": NOON, "end": "2030-06-03T13:00:00Z"}
    event_url = (await api.made("event/", body, user="root"))["url"]
    body = {"event": event_url, "alarm_phonenumber": "600100200"}
    assert (await api.post("alarm/", body, user="root")).status == 201


async def test_a_retry_is_never_refused_and_one_more_attempt_is(api: Api) -> None:
    stages = await Stages.build(api.db)
    now = utcnow()
    alarm_id = await stages.alarm("100", start=now, maxretry=1)
    await limited(api, max_calls_per_day=1)
    other = await stages.alarm("200", start=now + timedelta(days=2))
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call, Disposition.BUSY)
    (again,) = await stages.claim()
    assert await stages.place(again)
    reply = await api.post("alarm-request/", {"alarm": other})
    assert reply.status == 409
    assert "max_calls_per_day is 1" in reply.body["detail"]
    assert await api.db.read(lambda: Alarm.get_by_id(alarm_id).num_attempt) == 2


async def test_the_alarms_that_wait_have_a_limit(api: Api) -> None:
    book = (await clinic(api)).calendar
    one = await event(api, book)
    early = await alarm(api, one, 1)
    await limited(api, max_alarms_waiting=2)
    assert (await alarm(api, one, 2, method="sms")).status == 201
    third = await alarm(api, one, 3)
    assert third.status == 409
    assert third.body["detail"].startswith("max_alarms_waiting is 2, and 2 alarms wait already;")
    assert (await api.patch(early.body["url"], {"status": 7})).status == 200
    assert (await alarm(api, one, 3)).status == 201
    back = await api.patch(early.body["url"], {"status": 1})
    assert back.status == 409
    assert (await api.delete(one)).status == 204
    assert (await alarm(api, await event(api, book), 3)).status == 201
    # An alarm that came to its end by itself makes room too.
    await api.db.write(lambda: Alarm.update(status=AlarmStatus.SUCCESS).execute())
    another = await event(api, book)
    assert [(await alarm(api, another, number)).status for number in (4, 5, 6)] == [201, 201, 409]


async def test_the_trial_calls_of_a_day_have_a_limit(api: Api) -> None:
    survey = (await clinic(api)).survey
    await limited(api, max_trial_calls_per_day=2)
    asked = [
        await api.post(f"{survey}call/", {"phonenumber": f"60010020{number}"})
        for number in range(3)
    ]
    assert [reply.status for reply in asked] == [201, 201, 409]
    assert "max_trial_calls_per_day is 2, and 2 were made on" in asked[-1].body["detail"]
    # They are calls as well.
    await limited(api, max_trial_calls_per_day=9, max_calls_per_day=2)
    last = await api.post(f"{survey}call/", {"phonenumber": "600100200"})
    assert (last.status, "max_calls_per_day" in last.body["detail"]) == (409, True)


async def test_the_audio_of_a_manager_has_a_limit(api: Api) -> None:
    await limited(api, max_audio_megabytes=1)
    files = {"name": "long", "audio_file": tone(12.0)}
    first = await api.upload("audio-files/", files)
    assert first.status == 201
    second = await api.upload("audio-files/", {**files, "audio_file": tone(12.0, pitch=330)})
    assert second.status == 409
    assert second.body["detail"].startswith("max_audio_megabytes is 1, and 0.6 are used already;")
    assert await api.db.read(lambda: AudioFile.select().count()) == 1
    assert (await api.delete(first.body["url"])).status == 204
    assert (await api.upload("audio-files/", files)).status == 201


async def test_calls_of_a_series_beyond_the_limit_are_missed_and_told(api: Api) -> None:
    book = (await clinic(api)).calendar
    await api.made("webhook/", {"target_url": "https://example.com/hook"})
    await limited(api, max_calls_per_day=3, timezone="UTC")
    rule = await api.made("rule/", {"name": "often", "rrule": "FREQ=HOURLY;COUNT=6"})
    start = (utcnow() + timedelta(days=1)).replace(hour=3, minute=0, second=0, microsecond=0)
    series = await event(api, book, start.isoformat(), rule=rule["url"])
    assert (await alarm(api, series)).status == 201
    await SeriesPlanner(api.db).step()
    rows = (await api.get("alarm/?page_size=100")).body["results"]
    reasons = sorted((row["status"], row["status_reason"]) for row in rows)
    assert reasons == [(1, "")] * 3 + [(6, "limit")] * 3
    missed = next(row for row in rows if row["status"] == AlarmStatus.MISSED)
    told = (await api.get(f"{missed['url']}timeline/")).body["results"]
    assert told[-1]["what"] == "missed"
    assert told[-1]["why"].startswith("limit: max_calls_per_day is 3, and 3 calls are due on")
    assert (
        await api.db.read(lambda: Delivery.select().where(Delivery.type == "alarm.missed").count())
        == 3
    )
    # The next day has room, and a moved parent moves within its limit.
    reply = await api.patch(series, {"title": "Other title"})
    assert reply.status == 200
    await SeriesPlanner(api.db).step()
    assert await api.db.read(used, CALLS, start.date().isoformat()) == 3


async def test_the_alarms_of_a_series_are_not_closer_than_the_limit(api: Api) -> None:
    book = (await clinic(api)).calendar
    rule = await api.made("rule/", {"name": "often", "rrule": "FREQ=MINUTELY;BYSECOND=0,30"})
    start = (utcnow() + timedelta(days=1)).replace(hour=3, minute=0, second=0, microsecond=0)
    series = await event(api, book, start.isoformat(), rule=rule["url"])
    refused = await alarm(api, series)
    assert refused.status == 409
    assert refused.body["detail"] == (
        "min_series_minutes is 5, and the rule repeats the event after 30 s: its alarms would be"
        " too close. A superuser can lower the limit."
    )
    # A rule may get closer later: the alarms in between are missed then.
    five = await api.made("rule/", {"name": "five", "rrule": "FREQ=MINUTELY;INTERVAL=5;COUNT=40"})
    other = await event(api, book, start.isoformat(), rule=five["url"])
    assert (await alarm(api, other)).status == 201
    closer = await api.patch(other, {"rule": rule["url"]})
    assert closer.status == 409
    changed = await api.patch(five["url"], {"rrule": "FREQ=MINUTELY;COUNT=40"})
    assert changed.status == 200
    for _ in range(3):
        await SeriesPlanner(api.db).step()

    def ringing() -> list[datetime]:
        rows = Event.select(Event.start).join(Alarm).where(Alarm.status == AlarmStatus.PENDING)
        return [row.start for row in rows.order_by(Event.start)]

    starts = await api.db.read(ringing)
    assert len(starts) >= 4
    gaps = [after - before for before, after in pairwise(starts)]
    assert min(gaps) >= timedelta(minutes=5)
    missed = Alarm.select().where(Alarm.status_reason == Reason.LIMIT)
    assert await api.db.read(missed.count) > 0
    # Where a superuser lowers it, the rule that stood all the time has alarms.
    await limited(api, min_series_minutes=0)
    assert (await alarm(api, series)).status == 201


async def test_an_import_counts_and_what_is_beyond_the_limit_is_refused(book: Book) -> None:
    await limited(book.api, max_calls_per_day=2)
    rows = [f"Visit {n},2026-12-03 1{n}:00,1555010{n}" for n in range(4)]
    text = "\n".join(["title,start,alarm_phonenumber", *rows])
    book.text(text, dry_run=True)
    assert await book.api.db.read(used, CALLS, "2026-12-03") == 0
    report = book.text(text)
    assert report.counts["made"] == 2
    assert len(report.refused) == 2
    assert "max_calls_per_day is 2, and 2 calls are due on 2026-12-03" in str(report.refused[0])
    assert await book.api.db.read(used, CALLS, "2026-12-03") == 2
    assert await book.api.db.read(lambda: Alarm.select().count()) == 2


async def test_a_wake_up_call_counts(api: Api, config: Config) -> None:
    book = (await clinic(api)).calendar
    await limited(api, max_calls_per_day=0)
    booking = WakeupBooking(config, api.db)
    clock = (datetime.now(UTC) + timedelta(hours=5)).time().replace(second=0, microsecond=0)
    with pytest.raises(LimitReached, match="max_calls_per_day is 0, and 0 calls are due"):
        await booking.keep(id_of(book), "100", clock, daily=False)
    assert await api.db.read(lambda: Event.select().count()) == 0


async def test_two_workers_do_not_exceed_a_limit_together(db: Database) -> None:
    """And managers in two orders do not stop each other."""
    stages = await Stages.build(db)

    def narrow() -> None:
        User.update(max_calls_per_day=20, timezone="UTC").execute()

    def books() -> list[Calendar]:
        mine = stages.new_calendar("mine", stages.setting)
        theirs = stages.new_calendar("theirs", stages.setting)
        Calendar.update(owner=User.get(User.username == "other")).where(
            Calendar.id == theirs.id
        ).execute()
        return [mine, Calendar.get_by_id(theirs.id)]

    await db.write(narrow)
    both = await db.write(books)
    when = datetime.fromisoformat(NOON)

    def add(calendar: Calendar, number: int) -> None:
        values = {"title": "t", "start": when, "end": when + timedelta(hours=1)}
        columns = {"owner": calendar.owner_id, "creator": calendar.user_id, "calendar": calendar}
        made = Event.create(**values, **columns)
        alarms.create(
            calendar.owner_id, {"event": made, "alarm_phonenumber": f"10{number}"}, utcnow()
        )

    second = Database(db.peewee)
    second.start()
    try:
        writes = []
        for number in range(60):
            one, other = both if number % 2 else reversed(both)
            writes += [
                db.write(add, one, number),
                second.write(add, other, number),
            ]
        found = await asyncio.gather(*writes, return_exceptions=True)
    finally:
        await second.close()
    assert all(one is None or isinstance(one, LimitReached) for one in found), found
    assert sum(one is None for one in found) == 40

    def counted() -> list[tuple[int, int]]:
        rows = Alarm.select(Alarm.owner, fn.COUNT(Alarm.id)).group_by(Alarm.owner)
        return sorted(rows.tuples().execute())

    uses = LimitUse.select(LimitUse.owner, LimitUse.used).where(LimitUse.kind == CALLS)
    assert await db.read(counted) == sorted(await db.read(lambda: list(uses.tuples().execute())))
    assert [count for _, count in await db.read(counted)] == [20, 20]
    assert await db.read(used, WAITING) == 20
    assert await db.read(lambda: Timeline.select().count()) == 40
