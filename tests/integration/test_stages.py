"""From a due alarm to its outcome, on both databases, with the clock turned."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta

import pytest
import pytest_asyncio
import time_machine

from telealarm.clock import utcnow
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CallRequest,
    Event,
    Gateway,
    Message,
    Survey,
)
from telealarm.store.alarms import alarms
from telealarm.store.calendars import events
from telealarm.store.dialing import calls, workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.messaging import claim
from telealarm.words import AlarmStatus, CallStatus, Disposition, EventStatus, MessageStatus
from tests.integration.stages import HOUR, Stages

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SMS, EMAIL = 2, 3  # the numbers of the methods


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    time_zones.configure(db.peewee, "UTC")
    with time_machine.travel(MORNING, tick=False):
        yield await Stages.build(db)


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


# Nobody is lost or stuck


async def test_after_an_outage_what_is_still_wanted_is_called_and_the_rest_is_missed_and_told(
    stages: Stages,
) -> None:
    old = await stages.alarm("1", phonenumber_sms_failure="600")
    wanted = await stages.alarm("2", start=MORNING + 12 * HOUR)
    with at(MORNING + 12 * HOUR + timedelta(minutes=30)):
        (call,) = await stages.claim()
        assert call.alarm_id == wanted
        missed = await stages.get(old)
        assert (missed.status, missed.status_reason) == (AlarmStatus.MISSED, "late")
        sms = await stages.write(Message.get, Message.alarm == old)
        assert (sms.recipient, sms.text) == ("600", "1 was not called in time: Visit")


@pytest.mark.parametrize(
    ("method", "address", "text"),
    [
        (SMS, {}, "The SMS to 1 was not sent in time: Visit"),
        (
            EMAIL,
            {"alarm_email": "a@example.com"},
            "The mail to a@example.com was not sent in time: Visit",
        ),
    ],
)
async def test_a_missed_message_is_told_as_one(
    stages: Stages, method: int, address: dict[str, str], text: str
) -> None:
    old = await stages.alarm("1", phonenumber_sms_failure="600", method=method, **address)
    with at(MORNING + 12 * HOUR + timedelta(minutes=30)):
        assert await stages.claim() == []
        assert (await stages.get(old)).status == AlarmStatus.MISSED
        sms = await stages.write(Message.get, Message.alarm == old)
        assert (sms.recipient, sms.text) == ("600", text)


@pytest.mark.parametrize(
    ("own", "of_survey", "text"),
    [
        ("de-AT", "es", "1 wurde nicht rechtzeitig angerufen: Visit (Montag, 2. März)"),
        (None, "fr", "1 n'a pas été appelé à temps : Visit (lundi 2 mars)"),
        ("tlh", "fr", "1 was not called in time: Visit (Monday, March 2)"),
    ],
)
async def test_bad_news_is_in_the_language_of_the_alarm_or_else_of_its_survey(
    stages: Stages, own: str | None, of_survey: str, text: str
) -> None:
    await stages.write(lambda: Survey.update(tts_language=of_survey).execute())
    words = text.partition(" (")[0]
    data = {"sms_failure": "({start_date})"}
    plain = await stages.alarm("1", phonenumber_sms_failure="600", language=own)
    dated = await stages.alarm("1", phonenumber_sms_failure="600", language=own, data=data)
    with at(MORNING + 12 * HOUR + timedelta(minutes=30)):
        assert await stages.claim() == []
        rows = await stages.write(lambda: list(Message.select().order_by(Message.alarm)))
    told = {row.alarm_id: row.text for row in rows}
    assert told == {plain: words, dated: text.removeprefix(words).strip()}


async def test_a_creator_without_a_setting_blocks_nobody_else(stages: Stages) -> None:
    bare = await stages.write(stages.new_calendar, "bare", None)
    lost = await stages.alarm("1", calendar=bare)
    fine = await stages.alarm("2")
    assert [call.alarm_id for call in await stages.claim()] == [fine]
    alarm = await stages.get(lost)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "no_calendar_setting")


async def test_a_number_that_the_gateway_does_not_take_fails_alone_and_is_told(
    stages: Stages,
) -> None:
    await stages.write(lambda: Gateway.update(allowed_prefixes=["+34"], addprefix="00").execute())
    foreign = await stages.alarm("+44100", phonenumber_sms_failure="600")
    # Allowed, but with the prefix before its plus it is no number any more.
    unfit = await stages.alarm("+34100")
    fine = await stages.write(Gateway.create, name="other", gateways="PJSIP/{number}@trunk")
    assert fine
    assert await stages.claim() == []
    for alarm_id in (foreign, unfit):
        alarm = await stages.get(alarm_id)
        assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "wrong_number")
    assert await stages.write(lambda: Message.select().count()) == 1


async def test_a_row_that_cannot_be_claimed_is_put_off_and_stops_none_of_the_others(
    stages: Stages,
) -> None:
    broken = await stages.alarm("1")
    fine = await stages.alarm("2")
    await stages.write(
        lambda: Alarm.update(timezone="No/Where").where(Alarm.id == broken).execute()
    )
    assert [call.alarm_id for call in await stages.claim()] == [fine]
    request = await stages.write(AlarmRequest.get, AlarmRequest.alarm == broken)
    assert (request.status, request.date) == (
        AlarmStatus.PENDING,
        MORNING + timedelta(minutes=1),
    )


async def test_a_call_that_cannot_be_written_is_put_off_and_stops_none_of_the_others(
    stages: Stages,
) -> None:
    """As a channel id that another call has: the database refuses the row."""
    first = await stages.alarm("1")
    (call,) = await stages.claim()
    broken, fine = await stages.alarm("2"), await stages.alarm("3")
    await stages.planner.step()

    def take_its_channel_id() -> None:
        request = AlarmRequest.get(AlarmRequest.alarm == broken)
        taken = calls.channel_id(workers.installation(), request.id)
        CallRequest.update(aleg_uuid=taken).where(CallRequest.alarm == first).execute()

    await stages.write(take_its_channel_id)
    claimed = await stages.claim()
    assert [other.alarm_id for other in claimed] == [fine]
    request = await stages.write(AlarmRequest.get, AlarmRequest.alarm == broken)
    assert (request.status, request.date) == (
        AlarmStatus.PENDING,
        MORNING + timedelta(minutes=1),
    )
    assert all([await stages.place(other) for other in (call, *claimed)])


async def test_what_the_gateway_is_edited_to_does_not_touch_a_call_that_is_up(
    stages: Stages,
) -> None:
    await stages.alarm("+34100")
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.write(lambda: Gateway.update(addprefix="00").execute())
    (again,) = await stages.db.read(calls.in_flight, stages.holder)
    assert again.endpoint == "PJSIP/+34100@trunk"


# At the last moment


async def test_outside_the_calling_hours_the_attempt_waits_and_the_timeline_says_until_when(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm(
        daily_start=time(11), daily_stop=time(20), timezone="Europe/Madrid", max_lateness=86400
    )
    assert await stages.claim() == []
    deferred = ("deferred", "calling hours until 2026-03-02T10:00:00+00:00")
    assert deferred in await stages.words(alarm_id)
    with at(MORNING + HOUR):
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_a_retry_waits_for_the_calling_hours_too(stages: Stages) -> None:
    alarm_id = await stages.alarm(
        daily_stop=time(9, 5), maxretry=1, retry_delay=600, max_lateness=86400 * 2
    )
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call)
    with at(MORNING + timedelta(minutes=10)):
        assert await stages.claim() == []
    with at(MORNING + timedelta(hours=15)):
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_paused_between_the_claim_and_the_dialling_nobody_is_rung(stages: Stages) -> None:
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()
    event = (await stages.get(alarm_id)).event_id
    await stages.write(
        lambda: events.set_status(Event.get_by_id(event), EventStatus.PAUSED, utcnow())
    )
    assert await stages.place(call) is False
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.due, alarm.num_attempt) == (AlarmStatus.PENDING, None, 0)
    await stages.write(
        lambda: events.set_status(Event.get_by_id(event), EventStatus.PENDING, utcnow())
    )
    assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_a_number_changed_between_the_claim_and_the_dialling_is_the_one_dialled(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm("100")
    (call,) = await stages.claim()
    await stages.write(lambda: Alarm.update(alarm_phonenumber="200").execute())
    assert await stages.place(call) is False
    (call,) = await stages.claim()
    assert (call.alarm_id, call.endpoint) == (alarm_id, "PJSIP/200@trunk")


async def test_moved_to_another_day_between_the_claim_and_the_dialling_it_waits_for_that_day(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()

    def move() -> None:
        event = Alarm.get_by_id(alarm_id).event
        later = {"start": MORNING + timedelta(days=7), "end": MORNING + timedelta(days=8)}
        events.change(event, later, utcnow())

    await stages.write(move)
    assert await stages.place(call) is False
    assert await stages.claim() == []
    with at(MORNING + timedelta(days=7)):
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_a_gateway_that_is_switched_off_holds_its_calls_and_the_timeline_says_so(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm()
    off = {"status": 0, "name": "a gateway with a name of more than forty characters"}
    await stages.write(lambda: Gateway.update(**off).execute())
    assert await stages.claim() == []
    deferred = [why for what, why in await stages.words(alarm_id) if what == "deferred"]
    assert str(off["name"]) in deferred[0]
    await stages.write(lambda: Gateway.update(status=1).execute())
    with at(MORNING + timedelta(seconds=31)):
        assert [call.alarm_id for call in await stages.claim()] == [alarm_id]


async def test_two_workers_that_claim_at_once_keep_the_caps(db: Database, stages: Stages) -> None:
    await stages.write(lambda: Gateway.update(maximum_call=3).execute())
    for number in range(8):
        await stages.alarm(str(100 + number // 2))
    other = Admission(await db.write(workers.enter, "two", utcnow(), timedelta(seconds=30)))
    first = await stages.claim(limit=2)
    second = (await db.write(other.claim, utcnow(), 8)).calls
    assert len(first) + len(second) == 3
    assert len({call.number for call in [*first, *second]}) == 3


# Caps


async def test_the_caps_of_calendar_and_gateway_hold_and_do_not_block_others(
    stages: Stages,
) -> None:
    capped = await stages.write(stages.new_calendar, "capped", stages.setting, max_concurrent=2)
    for number in range(60):
        await stages.alarm(f"1{number:02}", calendar=capped)
    other = await stages.alarm("200")
    placed = await stages.claim(limit=50)
    assert sorted(call.number for call in placed) == ["100", "101", "200"]
    assert other in [call.alarm_id for call in placed]
    call = placed[0]
    await stages.write(lambda: Gateway.update(maximum_call=3).execute())
    await stages.alarm("300")
    assert await stages.claim() == []
    await stages.place(call)
    await stages.end(call)
    assert [call.number for call in await stages.claim()] == ["300"]


# Outcomes


async def test_the_first_rating_stays(stages: Stages) -> None:
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call, Disposition.ANSWER, 16, key="2")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 2)


async def test_an_attempt_asked_for_by_hand_counts_though_its_event_has_ended(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call, Disposition.ANSWER, 16, key="1")
    with at(MORNING + 3 * HOUR):
        await stages.planner.step()
        event = await stages.write(Event.get)
        assert event.status == EventStatus.COMPLETED
        await stages.write(lambda: alarms.attempt(Alarm.get_by_id(alarm_id), utcnow(), utcnow()))
        (call,) = await stages.claim()
        assert await stages.place(call)
        await stages.end(call, Disposition.ANSWER, 16, key="2")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 2)


async def test_an_attempt_after_one_that_failed_for_being_late_is_settled(stages: Stages) -> None:
    alarm_id = await stages.alarm(maxretry=1, retry_delay=1800)
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call)
    with at(MORNING + 3 * HOUR):
        await stages.planner.step()
        assert (await stages.get(alarm_id)).status_reason == "late"
        await stages.write(lambda: alarms.attempt(Alarm.get_by_id(alarm_id), utcnow(), utcnow()))
        (call,) = await stages.claim()
        await stages.place(call)
        await stages.end(call)
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "busy")


async def test_an_unknown_fate_is_redialled_or_missed_as_the_alarm_says(stages: Stages) -> None:
    redial = await stages.alarm("1", maxretry=1)
    miss = await stages.alarm("2", maxretry=1, on_unknown="miss")
    for call in await stages.claim():
        await stages.place(call)
        await stages.end(call, None, 0)
    assert (await stages.get(redial)).status == AlarmStatus.RETRY
    assert (await stages.get(miss)).status == AlarmStatus.FAILURE
    assert "redial" in [what for what, _ in await stages.words(redial)]


async def test_notify_count_counts_the_alarms_that_went_out(stages: Stages) -> None:
    await stages.alarm(maxretry=1)
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.write(calls.take_back, call, "Asterisk is away", utcnow())
    with at(MORNING + timedelta(seconds=6)):
        (call,) = await stages.claim()
        await stages.place(call)
        await stages.end(call)
        (call,) = await stages.claim()
        await stages.place(call)
        await stages.end(call)
    event = await stages.write(Event.get)
    assert event.notify_count == 1
    assert (await stages.write(Alarm.get)).num_attempt == 2


# Workers


async def test_what_a_dead_worker_held_is_taken_over_once(db: Database, stages: Stages) -> None:
    await stages.alarm("1")
    await stages.alarm("2")
    claimed, placed = await stages.claim()
    await stages.place(placed)
    with at(MORNING + timedelta(seconds=31)):
        lease = timedelta(seconds=30)
        two = await db.write(workers.enter, "two", utcnow(), lease)
        three = await db.write(workers.enter, "three", utcnow(), lease)
        lapsed = await db.read(workers.leases, two)
        names = [
            await db.write(workers.take_over, holder, {"one": lapsed["one"]})
            for holder in (two, three)
        ]
        assert names == [["one"], []]
        assert [call.id for call in await db.read(calls.in_flight, two)] == [placed.id]
        # What was claimed and not placed waits again.
        assert (
            await stages.write(
                lambda: CallRequest.select().where(CallRequest.id == claimed.id).count()
            )
            == 0
        )


async def test_an_sms_whose_fate_is_unknown_is_sent_again_and_told(stages: Stages) -> None:
    alarm_id = await stages.alarm(phonenumber_sms_failure="600")
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call)
    (message,) = (await stages.write(claim.take, stages.holder, utcnow(), 5, Counter())).messages
    await stages.write(claim.forgotten, stages.holder, [], utcnow())
    again = await stages.write(Message.get_by_id, message.id)
    assert again.status == MessageStatus.PENDING
    assert "sms_unknown" in [what for what, _ in await stages.words(alarm_id)]


async def test_a_call_that_is_withdrawn_is_an_abort(stages: Stages) -> None:
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.write(lambda: alarms.delete([Alarm.get_by_id(alarm_id)], utcnow()))
    assert await stages.db.read(calls.withdrawn, stages.holder) == [call.id]
    await stages.end(call, Disposition.FAILED, 16)
    row = await stages.write(CallRequest.get_by_id, call.id)
    assert row.status == CallStatus.ABORT
    assert (await stages.get(alarm_id)).status == AlarmStatus.CANCELLED


@pytest.mark.parametrize("cap", ["gateway", "calendar"])
async def test_an_attempt_that_waits_for_a_cap_says_so_once(stages: Stages, cap: str) -> None:
    if cap == "gateway":
        await stages.write(lambda: Gateway.update(maximum_call=1).execute())
    else:
        await stages.write(lambda: Calendar.update(max_concurrent=1).execute())
    first, second = await stages.alarm("1"), await stages.alarm("2")
    (call,) = await stages.claim()
    assert await stages.place(call)
    for _ in range(3):
        stages.admission._tell_next = 0
        assert await stages.claim() == []
    waits = [why for what, why in await stages.words(second) if what == "waits"]
    name = "main" if cap == "gateway" else "c"
    assert waits == [f"{cap} {name} has all the calls it may have"]
    assert "waits" not in [what for what, _ in await stages.words(first)]
    await stages.end(call)
    (call,) = await stages.claim()
    assert call.alarm_id == second
    request = await stages.write(AlarmRequest.get, AlarmRequest.alarm == second)
    assert request.status_reason == ""
