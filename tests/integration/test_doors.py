"""Behind the doors, on both databases: ringing back, snoozing, wake-up calls, the front desk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import pytest_asyncio
import time_machine

from telealarm.api.wakeup_booking import WakeupBooking
from telealarm.asterisk.agi import Question
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import NotVisible, TeleAlarmError
from telealarm.fastagi_handlers import FastAgiHandlers
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    CallRequest,
    Event,
    Gateway,
    Message,
)
from telealarm.planning.series import SeriesPlanner
from telealarm.store.dialing import call_back, calls, pins
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.store.survey import session_progress, session_state
from telealarm.words import AlarmStatus, CallStatus, Disposition, EventStatus
from tests.integration.stages import Stages

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHANNEL = "1772442000.7"


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    with time_machine.travel(MORNING, tick=False):
        yield await Stages.build(db)


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


async def set_up(stages: Stages, **columns: Any) -> None:
    await stages.write(lambda: CalendarSetting.update(**columns).execute())


async def found(stages: Stages, number: str, calendar: int | None = None) -> int | None:
    alarm = await stages.db.read(call_back.find, number, calendar, utcnow())
    return alarm.alarm_id if alarm else None


async def rings_back(stages: Stages, alarm_id: int, channel: str = CHANNEL) -> Call | None:
    return await stages.db.write(call_back.answer, alarm_id, channel, stages.holder, utcnow())


async def test_who_rings_back_is_a_call_of_the_alarm_and_what_waited_is_not_made(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm("+34600", maxretry=3, retry_delay=600)
    (call,) = await stages.claim()
    assert await stages.place(call)
    assert await found(stages, "+34600") == alarm_id
    await stages.end(call)
    with at(MORNING + MINUTE):
        assert await found(stages, "0034 600") == alarm_id
        back = await rings_back(stages, alarm_id)
        assert back is not None
        # Whoever comes after a crash finds it as any call that is up.
        (same,) = await stages.db.read(calls.in_flight, stages.holder)
        assert (same.id, same.channel_id, same.answered) == (back.id, CHANNEL, MORNING + MINUTE)
        assert await rings_back(stages, alarm_id, "other") is None
        await stages.end(back, Disposition.ANSWER, 16, key="1")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1, 1)
    with at(MORNING + 30 * MINUTE):
        assert await stages.claim() == []
        assert await found(stages, "+34600") is None


async def test_nothing_is_there_before_it_is_due_after_it_is_over_and_for_others(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm("600", start=MORNING + 10 * MINUTE)
    assert await found(stages, "600") is None
    with at(MORNING + 10 * MINUTE):
        assert await found(stages, "600") == alarm_id
        assert await found(stages, "601") is None
        assert await found(stages, "600", stages.calendar.id) == alarm_id
        assert await found(stages, "600", stages.calendar.id + 1) is None
        await stages.write(lambda: Event.update(status=EventStatus.PAUSED).execute())
        assert await found(stages, "600") is None
        await stages.write(lambda: Event.update(status=EventStatus.PENDING).execute())
    with at(MORNING + 70 * MINUTE):
        assert await found(stages, "600") is None


@pytest.mark.parametrize(
    ("number", "caller", "is_found"),
    [
        ("+34600100200", "+34 600 100 200", True),
        ("+34600100200", "0034600100200", True),
        ("+34600100200", "600100200", True),
        ("+34600100200", "0600100200", True),
        ("0034600100200", "600100200", True),
        ("600100200", "+34600100200", True),
        ("0600100200", "+34600100200", True),
        ("+34600100200", "+44600100200", False),
        ("+34600100200", "100200", False),
        ("+34600100200", "34", False),
        ("105", "105", True),
        ("105", "05", False),
        ("600105", "105", False),
    ],
)
async def test_a_number_is_known_in_the_forms_in_which_trunks_deliver_it(
    stages: Stages, number: str, caller: str, is_found: bool
) -> None:
    alarm_id = await stages.alarm(number)
    assert await found(stages, caller) == (alarm_id if is_found else None)


async def test_a_number_without_its_country_is_nobodys_where_two_countries_have_it(
    stages: Stages,
) -> None:
    spanish = await stages.alarm("+34600100200")
    assert await found(stages, "600100200") == spanish
    british = await stages.alarm("+44600100200")
    assert await found(stages, "600100200") is None
    assert await found(stages, "+34600100200") == spanish
    assert await found(stages, "0044600100200") == british
    as_it_is = await stages.alarm("600100200")
    assert await found(stages, "600100200") == as_it_is


async def test_a_phone_that_rings_is_hung_up_for_who_rings_back(stages: Stages) -> None:
    alarm_id = await stages.alarm("600")
    (call,) = await stages.claim()
    assert await stages.place(call)
    assert not await stages.write(call_back.take_back, alarm_id, utcnow())
    assert await stages.db.read(calls.withdrawn, stages.holder) == [call.id]
    assert await rings_back(stages, alarm_id) is None
    await stages.end(call, Disposition.NOANSWER, 16)
    assert await stages.write(call_back.take_back, alarm_id, utcnow())
    # Nobody dials in between, but should the caller be gone, the phone rings a minute later.
    assert await stages.claim() == []
    back = await rings_back(stages, alarm_id)
    assert back is not None
    with at(MORNING + 2 * MINUTE):
        assert await stages.claim() == []


async def test_who_rings_back_and_hangs_up_uses_up_no_retry(stages: Stages) -> None:
    alarm_id = await stages.alarm("600", maxretry=1, retry_delay=60)
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.end(call)
    back = await rings_back(stages, alarm_id)
    assert back is not None
    await stages.end(back, Disposition.NOANSWER, 16)
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.RETRY, 1)
    with at(MORNING + 2 * MINUTE):
        (again,) = await stages.claim()
        assert await stages.place(again)
        await stages.end(again)
    assert (await stages.get(alarm_id)).status == AlarmStatus.FAILURE


@pytest.mark.parametrize(
    "cap",
    [
        lambda: Gateway.update(maximum_call=1).execute(),
        lambda: Calendar.update(max_concurrent=1).execute(),
    ],
    ids=["maximum_call", "max_concurrent"],
)
async def test_who_rings_back_waits_for_no_cap_and_takes_up_a_place_in_it(
    stages: Stages, cap: Callable[[], int]
) -> None:
    await stages.write(cap)
    missed = await stages.alarm("600")
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.end(call)
    other = await stages.alarm("601", maxretry=1)
    (placed,) = await stages.claim()
    assert await stages.place(placed)
    back = await rings_back(stages, missed)
    assert back is not None, "the line is taken, and yet the caller is spoken to"
    await stages.end(placed)
    with at(MORNING + MINUTE):
        assert await stages.claim() == [], "the caller has the only line"
        await stages.end(back, Disposition.ANSWER, 16, key="1")
        (again,) = await stages.claim()
        assert again.alarm_id == other


@pytest.mark.parametrize(
    ("disposition", "cause", "status"),
    [
        (Disposition.BUSY, 17, AlarmStatus.FAILURE),
        (Disposition.ANSWER, 16, AlarmStatus.SUCCESS),
        (None, 0, AlarmStatus.MISSED),
    ],
)
async def test_who_rings_back_and_hangs_up_leaves_a_settled_alarm_as_it_was(
    stages: Stages, disposition: Disposition | None, cause: int, status: AlarmStatus
) -> None:
    await set_up(stages, failure_phonenumber="9")
    columns = {"phonenumber_sms_failure": "8", "advance_notice": 1800, "max_lateness": 60}
    alarm_id = await stages.alarm("600", start=MORNING + 30 * MINUTE, **columns)
    if disposition is None:
        with at(MORNING + 2 * MINUTE):
            assert await stages.claim() == []
    else:
        (call,) = await stages.claim()
        assert await stages.place(call)
        await stages.end(call, disposition, cause)
    before = await stages.get(alarm_id)
    assert before.status == status
    told = await stages.write(lambda: (Message.select().count(), Alarm.select().count()))
    for minutes in (3, 4):
        with at(MORNING + minutes * MINUTE):
            back = await rings_back(stages, alarm_id, f"channel {minutes}")
            assert back is not None
            await stages.end(back, Disposition.NOANSWER, 16)
            alarm = await stages.get(alarm_id)
            assert (alarm.status, alarm.status_reason) == (before.status, before.status_reason)
    # Nobody is told of it again, or rung.
    assert await stages.write(lambda: (Message.select().count(), Alarm.select().count())) == told
    with at(MORNING + 20 * MINUTE):
        assert {call.number for call in await stages.claim()} <= {"9"}
        back = await rings_back(stages, alarm_id)
        assert back is not None
        await stages.end(back, Disposition.ANSWER, 16, key="1")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 1)


async def test_a_pin_is_the_events_else_the_users_and_cannot_be_guessed(stages: Stages) -> None:
    await set_up(stages, callback_pin=True)
    alarm_id = await stages.alarm("600")

    async def right(pin: str, *, withheld: bool = False) -> bool:
        return await stages.db.write(pins.check, alarm_id, pin, utcnow(), withheld=withheld)

    assert not await right(""), "none is set: none is right"
    await stages.write(lambda: CalendarUserProfile.update(accountcode=1234).execute())
    assert await right("1234")
    await stages.write(lambda: Event.update(data={"pin": "0471"}).execute())
    assert not await right("1234")
    assert await right("0471")
    # Strangers who withhold their number keep out their like only.
    for _ in range(40):
        await right("9999", withheld=True)
    assert not await right("0471", withheld=True)
    assert await right("0471")
    # Who forges the caller id keeps out the callee for minutes, not for an hour.
    for _ in range(40):
        await right("9999")
    assert not await right("0471")
    with at(MORNING + 6 * MINUTE):
        assert await right("0471")
        assert not await right("9998")
        assert not await right("0471"), "one guess in five minutes"
    words = [why for what, why in await stages.words(alarm_id) if what == "wrong_pin"]
    # Those that were not looked at are not in the timeline: nobody fills it.
    assert len(words) == 2 + 9 + (20 - 2) + 1
    assert words[-1].endswith("the next one from this number is taken in 5 minutes")


async def test_a_pin_is_counted_for_the_number_and_not_for_each_alarm(stages: Stages) -> None:
    await set_up(stages, callback_pin=True)
    first, second = [await stages.alarm("600", data={"pin": "0471"}) for _ in range(2)]
    other = await stages.alarm("601", data={"pin": "0471"})
    for _ in range(20):
        await stages.db.write(pins.check, first, "9999", utcnow(), withheld=False)
    found = [
        await stages.db.write(pins.check, alarm, "0471", utcnow(), withheld=False)
        for alarm in (first, second, other)
    ]
    assert found == [False, False, True]


async def test_a_snoozed_call_comes_again_and_is_no_failure(stages: Stages) -> None:
    await set_up(stages, snooze_minutes=5)
    alarm_id = await stages.alarm("600", snooze_key="2")
    now = MORNING
    for _ in range(5):
        with at(now):
            (call,) = await stages.claim()
            assert await stages.place(call)
            await stages.end(call, Disposition.ANSWER, 16, key="2")
            alarm = await stages.get(alarm_id)
            assert (alarm.status, alarm.result) == (AlarmStatus.RETRY, 0)
            assert await stages.claim() == []
        now += 5 * MINUTE
    with at(now):
        (call,) = await stages.claim()
        assert await stages.place(call)
        # Five times is enough.
        await stages.end(call, Disposition.ANSWER, 16, key="2")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 0)
    assert [what for what, _ in await stages.words(alarm_id)].count("snoozed") == 5


async def test_who_presses_another_key_after_all_is_awake(stages: Stages) -> None:
    alarm_id = await stages.alarm("600", snooze_key="2")
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.write(
        session_progress.keep, call, session_progress.Answer(stages.section.id, "2", True, None)
    )
    await stages.end(call, Disposition.ANSWER, 16, key="1")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 1)


async def test_the_desk_is_called_for_what_failed_and_what_was_missed_once(stages: Stages) -> None:
    await set_up(stages, failure_phonenumber="9")
    missed = await stages.alarm("106", start=MORNING - 61 * MINUTE)
    failed = await stages.alarm("105", data={"room": "105"})
    (call,) = await stages.claim()
    assert (call.alarm_id, await stages.place(call)) == (failed, True)
    await stages.end(call)

    def desk() -> list[int | None]:
        rows = Alarm.select().where(Alarm.alarm_phonenumber == "9").order_by(Alarm.about)
        return [row.about_id for row in rows]

    assert await stages.write(desk) == [missed, failed]
    # Bad news comes on holidays too.
    await set_up(stages, holidays=["2026-03-02"])
    heard = set()
    for minutes in range(1, 20):
        with at(MORNING + minutes * MINUTE):
            for call in await stages.claim():
                said = await stages.write(session_state.load, call)
                heard.add(said.sections[0].text)
                assert await stages.place(call)
                await stages.end(call)
    assert heard == {
        "Room 105 did not answer its wake-up call.",
        "106 could not be reached: Visit.",
    }
    assert await stages.write(desk) == [missed, failed], "nobody is called about the desk"


async def test_a_wakeup_call_is_kept_told_changed_and_cancelled(
    stages: Stages, config: Config
) -> None:
    wakeups, calendar = WakeupBooking(config, stages.db), stages.calendar.id
    assert await wakeups.find(calendar, "105") is None
    # It is ten in Madrid.
    kept = await wakeups.keep(calendar, "105", time(10, 30), False)
    assert (kept.start, kept.daily) == (datetime(2026, 3, 2, 10, 30), False)
    assert await wakeups.find(calendar, "105") == kept
    assert await wakeups.find(calendar, "106") is None
    kept = await wakeups.keep(calendar, "105", time(7, 0), False)
    assert kept.start == datetime(2026, 3, 3, 7, 0)
    assert await wakeups.find(calendar, "105") == kept
    with at(MORNING + 30 * MINUTE):
        assert await stages.claim() == []
    with at(datetime(2026, 3, 3, 6, 0, tzinfo=UTC)):
        (call,) = await stages.claim()
        assert (call.number, await stages.place(call)) == ("105", True)
        await stages.end(call, Disposition.ANSWER, 16, key="1")
        assert await wakeups.find(calendar, "105") is None
        assert not await wakeups.cancel(calendar, "105")


async def test_a_daily_wakeup_call_keeps_to_the_wall_clock_until_it_is_cancelled(
    stages: Stages, config: Config
) -> None:
    wakeups, calendar = WakeupBooking(config, stages.db), stages.calendar.id
    with at(datetime(2026, 3, 27, 9, 0, tzinfo=UTC)):
        await wakeups.keep(calendar, "105", time(7, 0), True)
        found = await wakeups.find(calendar, "105")
        assert found is not None and found.daily
    # On the 29th the clock is put on.
    for day, hour in ((28, 6), (29, 5), (30, 5)):
        with at(datetime(2026, 3, day, hour, 0, tzinfo=UTC)):
            await SeriesPlanner(stages.db).step()
            (call,) = await stages.claim()
            assert await stages.place(call)
            await stages.end(call, Disposition.ANSWER, 16, key="1")
            assert await wakeups.find(calendar, "105") == found
    with at(datetime(2026, 3, 30, 20, 0, tzinfo=UTC)):
        assert await wakeups.cancel(calendar, "105")
        assert await wakeups.find(calendar, "105") is None
    with at(datetime(2026, 3, 31, 5, 0, tzinfo=UTC)):
        await SeriesPlanner(stages.db).step()
        assert await stages.claim() == []


async def test_a_wakeup_call_in_the_hour_that_comes_twice_is_the_one_ahead(
    stages: Stages, config: Config
) -> None:
    wakeups, calendar = WakeupBooking(config, stages.db), stages.calendar.id
    # 02:10 in Madrid, for the second time.
    with at(datetime(2026, 10, 25, 1, 10, tzinfo=UTC)):
        kept = await wakeups.keep(calendar, "105", time(2, 30), False)
        assert kept.start == datetime(2026, 10, 25, 2, 30)
        assert await stages.claim() == []
    with at(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)):
        (call,) = await stages.claim()
        assert call.number == "105"


async def test_a_daily_one_is_told_by_its_own_time_even_if_the_first_is_put_on(
    stages: Stages, config: Config
) -> None:
    wakeups, calendar = WakeupBooking(config, stages.db), stages.calendar.id
    # The eve of the night without 02:30: that one rings at 03:30, and all others at 02:30.
    with at(datetime(2026, 3, 28, 22, 0, tzinfo=UTC)):
        kept = await wakeups.keep(calendar, "105", time(2, 30), True)
        assert kept.start.time() == time(2, 30)
        assert await wakeups.find(calendar, "105") == kept
        once = await wakeups.keep(calendar, "106", time(2, 30), False)
        assert once.start == datetime(2026, 3, 29, 3, 30)
    rings = {"105": (1, 0), "106": (1,)}
    for day, hour in ((29, 1), (30, 0)):
        with at(datetime(2026, 3, day, hour, 30, tzinfo=UTC)):
            await SeriesPlanner(stages.db).step()
            called = await stages.claim()
            assert {call.number for call in called} == {
                number for number, hours in rings.items() if hour in hours
            }
            for call in called:
                assert await stages.place(call)
                await stages.end(call, Disposition.ANSWER, 16, key="1")


@pytest.mark.parametrize("daily", [False, True])
async def test_who_cancels_in_the_ten_minutes_more_is_not_rung_again(
    stages: Stages, config: Config, daily: bool
) -> None:
    wakeups, calendar = WakeupBooking(config, stages.db), stages.calendar.id
    await wakeups.keep(calendar, "105", time(10, 30), daily)
    with at(MORNING + 30 * MINUTE):
        (call,) = await stages.claim()
        assert await stages.place(call)
        await stages.end(call, Disposition.ANSWER, 16, key="2")
    with at(MORNING + 32 * MINUTE):
        assert (await stages.get(call.alarm_id)).status_reason == "snoozed"
        assert await wakeups.cancel(calendar, "105")
    with at(MORNING + 41 * MINUTE):
        assert await stages.claim() == []
        assert (await stages.get(call.alarm_id)).status == AlarmStatus.CANCELLED


async def test_a_room_has_one_wakeup_call_however_often_it_is_ordered(
    stages: Stages, config: Config
) -> None:
    wakeups, calendar = WakeupBooking(config, stages.db), stages.calendar.id
    clocks = [time(10, minute) for minute in range(10, 15)]
    kept = await asyncio.gather(
        *(wakeups.keep(calendar, "105", clock, clock.minute % 2 == 0) for clock in clocks),
        *(wakeups.keep(calendar, "106", clock, False) for clock in clocks[:1]),
    )
    assert len(kept) == 6
    # A daily one is changed to once, and the number is one however it is written.
    await wakeups.keep(calendar, "+34600100200", time(10, 20), True)
    await wakeups.keep(calendar, "0034600100200", time(10, 25), False)
    rung = []
    for minutes in range(30):
        with at(MORNING + minutes * MINUTE):
            await SeriesPlanner(stages.db).step()
            rung += [(call.number, minutes) for call in await stages.claim()]
    assert sorted(rung) == [("0034600100200", 25), ("105", 14), ("106", 10)]


async def test_a_room_that_is_nobodys_is_told_to_the_desk_in_the_morning(
    stages: Stages, config: Config
) -> None:
    await set_up(stages, failure_phonenumber="9")
    wakeups = WakeupBooking(config, stages.db)
    await wakeups.keep(stages.calendar.id, "999", time(10, 5), False)
    with at(MORNING + 5 * MINUTE):
        (call,) = await stages.claim()
        assert await stages.place(call)
        await stages.end(call, Disposition.FAILED, 1)
        (told,) = await stages.claim()
        assert told.number == "9"
        said = await stages.write(session_state.load, told)
    assert said.sections[0].text == "Room 999 did not answer its wake-up call."


@pytest.mark.parametrize(
    ("language", "spoken_in", "text"),
    [
        ("de-AT", "de-AT", "Zimmer 105 hat den Weckruf nicht beantwortet."),
        ("fr", "fr", "La chambre 105 n'a pas répondu à son appel de réveil."),
        ("it", "en", "Room 105 did not answer its wake-up call."),
    ],
)
async def test_the_desk_hears_the_language_of_the_alarm(
    stages: Stages, language: str, spoken_in: str, text: str
) -> None:
    await set_up(stages, failure_phonenumber="9")
    await stages.alarm("105", data={"room": "105"}, language=language)
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.end(call)
    (told,) = await stages.claim()
    said = await stages.write(session_state.load, told)
    assert (said.language, said.sections[0].text) == (spoken_in, text)


async def test_what_cannot_be_kept_takes_nothing_away(stages: Stages, config: Config) -> None:
    wakeups, calendar = WakeupBooking(config, stages.db), stages.calendar.id
    kept = await wakeups.keep(calendar, "105", time(7, 0), False)
    forbid = {"permissions": {"methods": [2], "max_alarms_per_day": None, "prefixes": []}}
    await stages.write(lambda: CalendarUserProfile.update(**forbid).execute())
    with pytest.raises(TeleAlarmError):
        await wakeups.keep(calendar, "105", time(8, 0), False)
    assert await wakeups.find(calendar, "105") == kept
    with pytest.raises(NotVisible, match="TELEALARM_CALENDAR"):
        await wakeups.find(4711, "105")


async def test_dialplans_ask_and_order_without_a_call(stages: Stages, config: Config) -> None:
    questions = FastAgiHandlers(stages.db, WakeupBooking(config, stages.db))

    async def ask(script: str, *words: str, caller: str = "600", calendar: str = "") -> Any:
        return await questions.answer(
            Question(script, words, caller, {"TELEALARM_CALENDAR": calendar})
        )

    assert (await ask("due"))["TELEALARM_STATUS"] == "none"
    alarm_id = await stages.alarm("600", maxretry=1)
    due = await ask("due")
    assert (due["TELEALARM_STATUS"], due["TELEALARM_ALARM"]) == ("ok", str(alarm_id))
    assert due["TELEALARM_TITLE"] == "Visit"
    for words in (("confirm", "9"), ("confirm", "1" * 50), ("confirm",), ("wakeup", "2960")):
        assert (await ask(*words, calendar=str(stages.calendar.id)))[
            "TELEALARM_STATUS"
        ] == "refused"
    await stages.claim()
    assert (await ask("confirm", "1"))["TELEALARM_REASON"] == "it is being answered"
    (call,) = await stages.write(lambda: list(CallRequest.select()))
    described = calls.describe(call)
    assert await stages.place(described)
    await stages.end(described)
    assert (await ask("confirm", "1"))["TELEALARM_STATUS"] == "ok"
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 1)
    assert await stages.claim() == []
    ours = str(stages.calendar.id)
    kept = await ask("wakeup", "0730", "daily", calendar=ours)
    assert (kept["TELEALARM_TIME"], kept["TELEALARM_DAILY"]) == ("0730", "1")
    assert (await ask("wakeup", calendar=ours)) == kept
    assert (await ask("wakeup", "cancel", calendar=ours))["TELEALARM_STATUS"] == "ok"
    for words in (("wakeup",), ("wakeup", "cancel")):
        assert (await ask(*words, calendar=ours))["TELEALARM_STATUS"] == "none"
    for strange in ("${SHELL(id)}", "999999999", "-1", "1 OR 1"):
        assert (await ask("wakeup", calendar=strange))["TELEALARM_STATUS"] == "refused"
    assert (await ask("due", caller="unknown"))["TELEALARM_STATUS"] == "refused"
    assert (await ask("rm"))["TELEALARM_STATUS"] == "refused"
    requests = await stages.write(lambda: AlarmRequest.select().count())
    statuses = await stages.write(lambda: {row.status for row in CallRequest.select()})
    assert (requests, statuses) == (2 + 1, {CallStatus.RETRY})


async def test_a_dialplan_gives_the_pin_and_cannot_guess_it(stages: Stages, config: Config) -> None:
    await set_up(stages, callback_pin=True)
    questions = FastAgiHandlers(stages.db, WakeupBooking(config, stages.db))

    async def ask(script: str, *words: str) -> Any:
        return await questions.answer(Question(script, words, "600", {}))

    alarm_id = await stages.alarm("600", data={"pin": "4711"})
    for words in (("due",), ("due", "0000"), ("confirm", "1"), ("confirm", "1", "")):
        said = await ask(*words)
        assert (said["TELEALARM_STATUS"], said["TELEALARM_REASON"]) == (
            "refused",
            "a PIN is asked for",
        )
        assert "TELEALARM_TITLE" not in said
    assert (await ask("due", "4711"))["TELEALARM_TITLE"] == "Visit"
    for _ in range(20):
        await ask("confirm", "1", "9999")
    assert (await ask("confirm", "1", "4711"))["TELEALARM_STATUS"] == "refused"
    with at(MORNING + 61 * MINUTE):
        assert (await ask("confirm", "1", "4711"))["TELEALARM_STATUS"] == "none", "it is over"
    assert (await stages.get(alarm_id)).result == 0
