"""The right moment, on both databases, with the clock turned: calling days and holidays, expiry,
retries by reason, one answer that settles an occurrence, outages, and clocks that jump.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import pytest_asyncio
import time_machine

from telealarm.clock import utcnow
from telealarm.models import (
    Alarm,
    AlarmRequest,
    CalendarSetting,
    CallRequest,
    DncContact,
    DncList,
    Event,
    Gateway,
    Message,
)
from telealarm.store.alarms import alarms
from telealarm.store.calendars import calendar_settings
from telealarm.store.dialing import call_progress, calls
from telealarm.store.dialing.calls import Call
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.survey import session_progress
from telealarm.words import UNSETTLED, AlarmStatus, CallStatus, Disposition
from tests.integration.stages import HOUR, Stages

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FRIDAY_NIGHT = datetime(2026, 3, 6, 23, 0, tzinfo=UTC)
DAY = timedelta(days=1)
A_WEEK_LATE = 7 * 86400


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    time_zones.configure(db.peewee, "UTC")
    with at(MONDAY):
        yield await Stages.build(db)


async def configure(stages: Stages, **columns: Any) -> None:
    def write() -> None:
        calendar_settings.change(CalendarSetting.get_by_id(stages.setting.id), columns)

    await stages.write(write)


async def end(stages: Stages, alarm_id: int) -> tuple[int, str]:
    alarm = await stages.get(alarm_id)
    return alarm.status, alarm.status_reason


async def press(stages: Stages, call: Call, key: str) -> None:
    """Somebody answers and presses a key; the call goes on."""
    await stages.write(call_progress.answered, call, utcnow())
    await stages.write(session_progress.heard, call)
    section = stages.section.id
    await stages.write(
        session_progress.keep, call, session_progress.Answer(section, key, True, section)
    )


# Days and holidays


async def test_what_is_due_on_a_day_off_is_rung_on_the_next_day_on_which_calls_are_made(
    stages: Stages,
) -> None:
    await configure(stages, calling_days="MO,TU,WE,TH,FR", holidays=["2026-03-09"])
    with at(FRIDAY_NIGHT + 12 * HOUR):  # Saturday at 11:00
        alarm_id = await stages.alarm(daily_start=time(8), max_lateness=A_WEEK_LATE)
        assert await stages.claim() == []
        told = ("deferred", "calling hours until 2026-03-10T08:00:00+00:00")
        assert told in await stages.words(alarm_id)
        assert (await end(stages, alarm_id))[0] == AlarmStatus.IN_PROCESS
    with at(datetime(2026, 3, 9, 12, tzinfo=UTC)):
        assert await stages.claim() == []
    with at(datetime(2026, 3, 10, 8, tzinfo=UTC)):
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_a_night_belongs_to_the_day_on_which_it_began(stages: Stages) -> None:
    await configure(stages, calling_days="FR")
    with at(FRIDAY_NIGHT + 4 * HOUR):  # Saturday at 03:00
        night = {"daily_start": time(22), "daily_stop": time(6), "max_lateness": A_WEEK_LATE}
        alarm_id = await stages.alarm(**night)
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_hours_that_never_open_end_the_alarm_with_that_reason(stages: Stages) -> None:
    await configure(stages, calling_days="SU", holidays=[])
    sundays = [(MONDAY.date() + timedelta(days=6 + 7 * week)).isoformat() for week in range(60)]
    await configure(stages, holidays=sundays)
    alarm_id = await stages.alarm(max_lateness=2**30, phonenumber_sms_failure="600")
    assert await stages.claim() == []
    assert await end(stages, alarm_id) == (AlarmStatus.MISSED, "no_opening")
    assert await stages.write(lambda: Message.select().count()) == 1


async def test_hours_that_open_too_late_are_told_at_once(stages: Stages) -> None:
    alarm_id = await stages.alarm(daily_start=time(12), phonenumber_sms_failure="600")
    assert await stages.claim() == []
    assert await end(stages, alarm_id) == (AlarmStatus.MISSED, "calling_hours")
    told = dict(await stages.words(alarm_id))["missed"]
    assert "until 2026-03-02T12:00:00+00:00" in told
    assert "wanted until 2026-03-02T10:00:00+00:00" in told
    assert await stages.write(lambda: Message.get().recipient) == "600"


async def test_an_edit_of_the_hours_reaches_an_alarm_that_waits_for_them(stages: Stages) -> None:
    first = await stages.alarm("1", daily_start=time(12), max_lateness=A_WEEK_LATE)
    second = await stages.alarm("2", daily_start=time(12), max_lateness=A_WEEK_LATE)
    assert await stages.claim() == []

    def edit() -> None:
        alarms.change(Alarm.get_by_id(first), {"daily_start": time(8)}, None, utcnow())

    await stages.write(edit)
    assert [call.alarm_id for call in await stages.claim()] == [first]
    await configure(stages, calling_days="TU")
    assert await stages.claim() == []
    assert ("deferred", "calling hours until 2026-03-03T12:00:00+00:00") in await stages.words(
        second
    )


async def test_hours_that_close_while_the_prompts_are_made_are_kept(stages: Stages) -> None:
    alarm_id = await stages.alarm(daily_stop=time(9, 0), max_lateness=A_WEEK_LATE)
    (call,) = await stages.claim()
    with at(MONDAY + timedelta(minutes=1)):
        assert await stages.place(call) is False
        assert await stages.claim() == []
        assert (await stages.get(alarm_id)).num_attempt == 0
    with at(MONDAY + 15 * HOUR):
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


# Expiry


@pytest.mark.parametrize(
    ("policy", "rung", "told"), [("inform", False, 1), ("run", True, 0), ("skip", False, 0)]
)
async def test_a_reminder_that_is_late_is_informed_run_or_skipped(
    stages: Stages, policy: str, rung: bool, told: int
) -> None:
    alarm_id = await stages.alarm(
        start=MONDAY + HOUR,
        advance_notice=1800,
        missed_policy=policy,
        phonenumber_sms_failure="600",
    )
    with at(MONDAY + HOUR + timedelta(minutes=10)):
        assert bool(await stages.claim()) is rung
        if not rung:
            assert await end(stages, alarm_id) == (AlarmStatus.MISSED, "late")
        assert await stages.write(lambda: Message.select().count()) == told


async def test_what_is_run_late_is_rung_until_the_event_ends(stages: Stages) -> None:
    alarm_id = await stages.alarm(
        start=MONDAY + HOUR, advance_notice=1800, missed_policy="run", phonenumber_sms_failure="6"
    )
    with at(MONDAY + 2 * HOUR):
        assert await stages.claim() == []
        assert await end(stages, alarm_id) == (AlarmStatus.MISSED, "late")
        assert await stages.write(lambda: Message.select().count()) == 1


# Retries


async def test_a_retry_that_would_come_too_late_is_told_at_once(stages: Stages) -> None:
    alarm_id = await stages.alarm(maxretry=3, retry_delay=7200, phonenumber_sms_failure="600")
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call)
    assert await end(stages, alarm_id) == (AlarmStatus.FAILURE, "busy")
    assert ("failure", "busy: no retry at 2026-03-02T11:00:00+00:00, late") in await stages.words(
        alarm_id
    )
    assert await stages.write(lambda: Message.select().count()) == 1


async def test_each_reason_has_its_own_retries_and_the_clock_starts_when_the_attempt_ended(
    stages: Stages,
) -> None:
    policy = {"busy": {"delay": 60, "count": 1}, "no_answer": {"delay": 600, "count": 1}}
    alarm_id = await stages.alarm(retry_policy=policy)
    (call,) = await stages.claim()
    await stages.place(call)
    with at(MONDAY + timedelta(seconds=50)):
        await stages.end(call)
    with at(MONDAY + timedelta(seconds=109)):
        assert await stages.claim() == []
    with at(MONDAY + timedelta(seconds=110)):
        (call,) = await stages.claim()
        await stages.place(call)
        await stages.end(call, Disposition.NOANSWER, 19)
        assert (await end(stages, alarm_id)) == (AlarmStatus.RETRY, "no_answer")
    with at(MONDAY + timedelta(seconds=710)):
        (call,) = await stages.claim()
        await stages.place(call)
        await stages.end(call)
    assert await end(stages, alarm_id) == (AlarmStatus.FAILURE, "busy")


async def test_a_number_that_is_listed_between_the_claim_and_the_dialling_is_not_dialled(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm("0034600", maxretry=5)
    (call,) = await stages.claim()

    def opt_out() -> None:
        listed = DncList.create(owner=stages.calendar.owner_id, name="out")
        DncContact.create(dnc=listed, phone_number="+34600")

    await stages.write(opt_out)
    assert await stages.place(call) is False
    assert await end(stages, alarm_id) == (AlarmStatus.FAILURE, "do_not_call")
    row = await stages.write(CallRequest.get_by_id, call.id)
    assert (row.status, row.started) == (CallStatus.ABORT, None)


# One answer settles


async def siblings(stages: Stages, *numbers: str, **columns: Any) -> list[int]:
    """Alarms of one event."""
    first = await stages.alarm(numbers[0], **columns)

    def others() -> list[int]:
        event = Alarm.get_by_id(first).event
        made = []
        for number in numbers[1:]:
            alarm = Alarm.create(
                owner=event.owner_id, event=event, alarm_phonenumber=number, **columns
            )
            alarms.schedule(alarm, event)
            made.append(alarm.id)
        return made

    return [first, *await stages.write(others)]


async def test_one_answer_settles_what_is_pending_waits_or_rings_of_the_same_event(
    stages: Stages,
) -> None:
    answered, rings, retried, waits, pending = await siblings(stages, "1", "2", "3", "4", "5")

    def differ() -> None:
        Alarm.update(maxretry=1, retry_delay=60).where(Alarm.id == retried).execute()
        Alarm.update(daily_stop=time(8), max_lateness=A_WEEK_LATE).where(
            Alarm.id == waits
        ).execute()
        later = {"offset": 1800, "due": MONDAY + HOUR / 2}
        Alarm.update(**later).where(Alarm.id == pending).execute()

    await stages.write(differ)
    elsewhere = await stages.alarm("9")
    placed = {call.alarm_id: call for call in await stages.claim()}
    assert set(placed) == {answered, rings, retried, elsewhere}
    for call in placed.values():
        await stages.place(call)
    await stages.end(placed[retried])
    assert (await stages.get(retried)).status == AlarmStatus.RETRY

    await press(stages, placed[answered], "1")
    # It is settled with the key, not when the callee hangs up.
    for alarm_id in (retried, waits, pending):
        assert await end(stages, alarm_id) == (AlarmStatus.CANCELLED, "settled")
        assert ("cancelled", "settled") in await stages.words(alarm_id)
    assert await stages.db.read(calls.withdrawn, stages.holder) == [placed[rings].id]
    await stages.end(placed[rings], Disposition.FAILED, 16)
    assert await end(stages, rings) == (AlarmStatus.CANCELLED, "settled")
    await stages.end(placed[answered], Disposition.ANSWER, 16)
    assert await end(stages, answered) == (AlarmStatus.SUCCESS, "")
    assert (await stages.get(elsewhere)).status in UNSETTLED
    waiting = AlarmRequest.select().where(AlarmRequest.status == AlarmStatus.PENDING)
    assert await stages.write(waiting.count) == 0


async def test_a_call_that_was_answered_goes_on_and_keeps_its_own_result(stages: Stages) -> None:
    one, two, silent = await siblings(stages, "1", "2", "3", require_result=True, maxretry=2)
    placed = {call.alarm_id: call for call in await stages.claim()}
    for call in placed.values():
        await stages.place(call)
    await stages.write(call_progress.answered, placed[two], utcnow())
    await stages.write(call_progress.answered, placed[silent], utcnow())
    await press(stages, placed[one], "1")
    assert await stages.db.read(calls.withdrawn, stages.holder) == []
    await press(stages, placed[two], "2")
    for alarm_id, result in ((one, 1), (two, 2)):
        await stages.end(placed[alarm_id], Disposition.ANSWER, 16)
        alarm = await stages.get(alarm_id)
        assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, result)
    # Nobody needs the retry of the one who pressed nothing.
    await stages.end(placed[silent], Disposition.ANSWER, 16)
    assert await end(stages, silent) == (AlarmStatus.CANCELLED, "settled")


async def test_nothing_is_settled_by_an_answer_without_a_key_or_where_the_setting_says_no(
    stages: Stages,
) -> None:
    one, two = await siblings(stages, "1", "2")
    first, second = await stages.claim()
    await stages.place(first)
    await stages.place(second)
    await stages.end(first, Disposition.ANSWER, 16)
    assert (await end(stages, one))[0] == AlarmStatus.SUCCESS
    assert (await end(stages, two))[0] == AlarmStatus.IN_PROCESS
    await configure(stages, settle=False)
    three, four = await siblings(stages, "3", "4")
    third = next(call for call in await stages.claim() if call.alarm_id == three)
    await stages.place(third)
    await stages.end(third, Disposition.ANSWER, 16, key="1")
    assert (await end(stages, four))[0] == AlarmStatus.IN_PROCESS


async def test_a_call_of_unknown_fate_that_was_called_off_is_settled(stages: Stages) -> None:
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.write(call_progress.unknown, call, "no reply")
    await stages.write(lambda: alarms.cancel([Alarm.get_by_id(alarm_id)], "cancelled", utcnow()))
    await stages.end(call, None, 0)
    assert await end(stages, alarm_id) == (AlarmStatus.CANCELLED, "cancelled")


# Outages and clocks that jump


@pytest.mark.parametrize("outage", [HOUR, 7 * DAY])
async def test_after_an_outage_each_alarm_is_fired_or_recorded_and_told_and_nothing_floods(
    stages: Stages, outage: timedelta
) -> None:
    await stages.write(lambda: Gateway.update(maximum_call=3).execute())
    back = MONDAY + outage
    owed = [
        await stages.alarm(
            str(100 + n), start=MONDAY + n * outage / 20, phonenumber_sms_failure="600"
        )
        for n in range(20)
    ]
    late = [alarm_id for n, alarm_id in enumerate(owed) if outage * (20 - n) / 20 >= HOUR]
    with at(back):
        rung: set[int] = set()
        while claimed := await stages.claim():
            assert len(claimed) <= 3
            rung.update(call.alarm_id for call in claimed)
            for call in claimed:
                await stages.place(call)
                await stages.end(call, Disposition.ANSWER, 16, key="1")
        assert rung == set(owed) - set(late)
        for alarm_id in late:
            assert await end(stages, alarm_id) == (AlarmStatus.MISSED, "late")
        told = await stages.write(lambda: [row.alarm_id for row in Message.select()])
        assert sorted(told) == late


JUMPS = [timedelta(seconds=1), HOUR, DAY]


@pytest.mark.long
@pytest.mark.parametrize("jump", [*JUMPS, *(-jump for jump in JUMPS)])
async def test_a_clock_that_jumps_doubles_nothing_and_loses_nothing(
    stages: Stages, jump: timedelta
) -> None:
    columns: dict[str, Any] = {"maxretry": 1, "retry_delay": 60, "max_lateness": A_WEEK_LATE}
    ids = [await stages.alarm(str(n), **columns) for n in range(4)]
    ids += [await stages.alarm("9", start=MONDAY + timedelta(minutes=5), **columns)]
    claimed, placed, answered, ended = await stages.claim()
    rings = dict.fromkeys(ids, 0)

    async def place(call: Call) -> bool:
        went = await stages.place(call)
        rings[call.alarm_id] += went
        return went

    for call in (placed, answered, ended):
        await place(call)
    await stages.write(call_progress.answered, answered, utcnow())
    await stages.end(ended)
    with at(MONDAY + jump):
        await place(claimed)
        await stages.end(placed, Disposition.ANSWER, 16, key="1")
        await stages.end(answered, Disposition.ANSWER, 16, key="1")
    # Two days later by whatever clock: each was rung, and once, but for the retry.
    with at(MONDAY + max(jump, timedelta()) + 2 * DAY):
        if (await stages.get(claimed.alarm_id)).num_attempt:
            await stages.end(claimed, Disposition.ANSWER, 16, key="1")
        while again := await stages.claim():
            for call in again:
                await place(call)
                await stages.end(call, Disposition.ANSWER, 16, key="1")
    assert rings == dict.fromkeys(ids, 1) | {ended.alarm_id: 2}
    durations = await stages.write(lambda: [row.duration for row in AlarmRequest.select()])
    assert min(durations) >= 0
    for alarm_id in ids:
        assert (await end(stages, alarm_id))[0] == AlarmStatus.SUCCESS
    events = await stages.write(lambda: [row.notify_count for row in Event.select()])
    assert events == [1] * 5
