"""What was cancelled stays cancelled, however its event moves; what was settled comes due again."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
import time_machine

from telealarm.clock import utcnow
from telealarm.models import Alarm, AlarmRequest, CallRequest, Event, Message
from telealarm.store.alarms import alarms
from telealarm.store.calendars import children, events
from telealarm.store.dialing import call_back, call_progress
from telealarm.store.dialing.calls import Call
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.messaging import claim, result
from telealarm.store.outcome import apply
from telealarm.words import AlarmStatus, Disposition, EventStatus
from tests.integration.stages import HOUR, Stages

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = MORNING + 6 * HOUR
CANCELLED = (AlarmStatus.CANCELLED, "cancelled")
Move = Callable[[Event], None]


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    time_zones.configure(db.peewee, "UTC")
    with time_machine.travel(MORNING, tick=False):
        yield await Stages.build(db)


def cancel(alarm_id: int) -> None:
    """As a client does, by a PATCH of the alarm's status."""
    alarms.change(Alarm.get_by_id(alarm_id), {}, AlarmStatus.CANCELLED, utcnow())


def edit(event: Event) -> None:
    events.change(event, {"start": LATER, "end": LATER + HOUR}, utcnow())


def now_again(event: Event) -> None:
    """To a moment at which the alarm is due at once."""
    start = utcnow() - timedelta(minutes=1)
    events.change(event, {"start": start, "end": start + HOUR}, utcnow())


def pause_and_resume(event: Event) -> None:
    for status in (EventStatus.PAUSED, EventStatus.PENDING):
        events.set_series_status(Event.get_by_id(event.id), status, utcnow())


def end_and_revive(event: Event) -> None:
    events.set_status(event, EventStatus.COMPLETED, utcnow())
    events.change(event, {"status": 1, "start": LATER, "end": LATER + HOUR}, utcnow())


def notice(event: Event) -> None:
    """A PATCH of date_start_notice."""
    alarm = Alarm.get(Alarm.event == event.id)
    alarms.change(alarm, {"offset": 3600}, None, utcnow())


def follow(event: Event) -> None:
    """The event is a child, and its series is edited."""
    child = Event.get_by_id(event.id)
    children._follow(child, child, LATER, LATER + HOUR, [], utcnow())


ROADS = [edit, now_again, pause_and_resume, end_and_revive, notice, follow]


async def rung(stages: Stages, alarm_id: int) -> Call:
    """Its phone rings."""
    (call,) = await stages.claim()
    assert call.alarm_id == alarm_id
    assert await stages.place(call)
    await stages.write(call_progress.ringing, call)
    return call


async def stays_cancelled(stages: Stages, alarm_id: int) -> None:
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.status_reason) == CANCELLED
    with time_machine.travel(LATER + HOUR / 2, tick=False):
        assert await stages.claim() == []
    waiting = AlarmRequest.alarm == alarm_id, AlarmRequest.status == AlarmStatus.PENDING
    assert not await stages.write(lambda: AlarmRequest.select().where(*waiting).exists())


@pytest.mark.parametrize("move", ROADS)
async def test_cancelled_while_it_rings_it_stays_so_whatever_moves(
    stages: Stages, move: Move
) -> None:
    alarm_id = await stages.alarm("1", maxretry=3)
    call = await rung(stages, alarm_id)
    await stages.write(cancel, alarm_id)
    event = (await stages.get(alarm_id)).event_id
    await stages.write(lambda: move(Event.get_by_id(event)))
    await stages.end(call, Disposition.NOANSWER, 19)
    await stays_cancelled(stages, alarm_id)


@pytest.mark.parametrize("move", [edit, pause_and_resume])
async def test_cancelled_after_its_call_and_before_its_outcome_no_retry_follows(
    stages: Stages, move: Move
) -> None:
    alarm_id = await stages.alarm("1", maxretry=3)
    call = await rung(stages, alarm_id)
    await stages.write(
        call_progress.end,
        call,
        call_progress.End(
            disposition=Disposition.BUSY,
            cause=17,
            why="",
            at=utcnow(),
            finished=False,
        ),
    )
    await stages.write(cancel, alarm_id)
    event = (await stages.get(alarm_id)).event_id
    await stages.write(lambda: move(Event.get_by_id(event)))
    await stages.settler.step()
    await stays_cancelled(stages, alarm_id)


@pytest.mark.parametrize("move", [edit, pause_and_resume])
async def test_cancelled_between_the_claim_and_the_dialling(stages: Stages, move: Move) -> None:
    alarm_id = await stages.alarm("1")
    (call,) = await stages.claim()
    await stages.write(cancel, alarm_id)
    event = (await stages.get(alarm_id)).event_id
    await stages.write(lambda: move(Event.get_by_id(event)))
    assert not await stages.place(call)
    await stays_cancelled(stages, alarm_id)


@pytest.mark.parametrize("move", [edit, pause_and_resume])
async def test_an_sms_cancelled_while_it_is_sent(stages: Stages, move: Move) -> None:
    alarm_id = await stages.alarm("1", method=2, maxretry=3)
    await stages.claim()
    taken = await stages.write(claim.take, stages.holder, utcnow(), 10, Counter())
    (message,) = taken.messages
    await stages.write(cancel, alarm_id)
    event = (await stages.get(alarm_id)).event_id
    await stages.write(lambda: move(Event.get_by_id(event)))
    await stages.write(result.unknown, message, "cut", utcnow())
    await stays_cancelled(stages, alarm_id)
    assert await stages.write(lambda: Message.select().count()) == 1


async def test_a_waiting_attempt_that_a_client_cancels_keeps_its_copy_cancelled(
    stages: Stages,
) -> None:
    """An edit of the parent must not take the copy up again."""
    parent = await stages.alarm("1", start=LATER)

    def write() -> int:
        template = Alarm.get_by_id(parent)
        event = template.event
        child = children.make(event, LATER, MORNING, MORNING + HOUR, [template], utcnow())
        return Alarm.get(Alarm.event == child.id).id

    copy_id = await stages.write(write)
    await stages.planner.step()

    def cancel_request() -> None:
        request = AlarmRequest.get(AlarmRequest.alarm == copy_id)
        alarms.change_attempt(request, None, AlarmStatus.CANCELLED, utcnow())

    await stages.write(cancel_request)

    def follow_parent() -> None:
        template, child = Alarm.get_by_id(parent), Alarm.get_by_id(copy_id).event
        children._follow(child, template.event, LATER, LATER + HOUR, [template], utcnow())

    await stages.write(follow_parent)
    alarm = await stages.get(copy_id)
    assert (alarm.status, alarm.status_reason) == CANCELLED


async def test_who_rings_back_about_a_cancelled_alarm_is_not_called_again(stages: Stages) -> None:
    alarm_id = await stages.alarm("1", maxretry=3)
    call = await rung(stages, alarm_id)
    found = await stages.write(call_back.find, "1", None, utcnow())
    assert found is not None
    await stages.write(cancel, alarm_id)
    assert await stages.write(call_back.find, "1", None, utcnow()) is None
    # The caller was found a moment before the alarm was cancelled.
    await stages.write(call_back.take_back, alarm_id, utcnow())
    await stages.end(call, Disposition.NOANSWER, 19)
    await stays_cancelled(stages, alarm_id)


@pytest.mark.parametrize("move", [edit, follow, end_and_revive, now_again])
@pytest.mark.parametrize("while_it_rings", [True, False])
async def test_an_alarm_that_was_settled_comes_due_again_if_its_event_moves(
    stages: Stages, move: Move, while_it_rings: bool
) -> None:
    first = await stages.alarm("1")
    event_id = (await stages.get(first)).event_id

    def another() -> int:
        event = Event.get_by_id(event_id)
        made = Alarm.create(owner=event.owner_id, event=event, alarm_phonenumber="2")
        alarms.schedule(made, event)
        return int(made.id)

    second = await stages.write(another)
    placed = {call.alarm_id: call for call in await stages.claim()}
    for call in placed.values():
        assert await stages.place(call)
    if not while_it_rings:
        await stages.end(placed[first], Disposition.ANSWER, 16, key="1")
        await stages.end(placed[second], Disposition.NOANSWER, 19)
        settled = await stages.get(second)
        assert (settled.status, settled.status_reason) == (AlarmStatus.CANCELLED, "settled")
    else:
        await stages.end(placed[first], Disposition.ANSWER, 16, key="1")
    await stages.write(lambda: move(Event.get_by_id(event_id)))
    if while_it_rings:
        await stages.end(placed[second], Disposition.NOANSWER, 19)
    answered, again = await stages.get(first), await stages.get(second)
    assert (answered.status, answered.result) == (AlarmStatus.SUCCESS, 1)
    assert (again.status, again.status_reason) == (AlarmStatus.PENDING, "")
    moved = (await stages.write(Event.get_by_id, event_id)).start
    assert again.due == moved
    assert "rearmed" in [what for what, _ in await stages.words(second)]
    with time_machine.travel(max(moved, utcnow()), tick=False):
        (call,) = await stages.claim()
        assert call.alarm_id == second


@pytest.mark.parametrize("while_it_rings", [True, False])
async def test_a_settled_alarm_that_is_then_cancelled_stays_cancelled(
    stages: Stages, while_it_rings: bool
) -> None:
    alarm_id = await stages.alarm("1")
    call = await rung(stages, alarm_id)
    event_id = (await stages.get(alarm_id)).event_id

    def settle() -> None:
        event = Event.get_by_id(event_id)
        other = Alarm.create(owner=event.owner_id, event=event, alarm_phonenumber="2")
        apply.settle_others(other, utcnow())
        alarms.delete([other], utcnow())

    await stages.write(settle)
    if not while_it_rings:
        await stages.end(call, Disposition.NOANSWER, 19)
    await stages.write(cancel, alarm_id)
    await stages.write(settle)
    await stages.write(lambda: edit(Event.get_by_id(event_id)))
    await stages.end(call, Disposition.NOANSWER, 19)
    await stays_cancelled(stages, alarm_id)


async def test_an_answered_call_of_a_cancelled_alarm_still_counts(stages: Stages) -> None:
    alarm_id = await stages.alarm("1")
    call = await rung(stages, alarm_id)
    await stages.write(call_progress.answered, call, utcnow())
    await stages.write(cancel, alarm_id)
    event = (await stages.get(alarm_id)).event_id
    await stages.write(lambda: edit(Event.get_by_id(event)))
    await stages.end(call, Disposition.ANSWER, 16, key="1")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 1)
    assert await stages.write(lambda: CallRequest.select().count()) == 1


async def test_a_client_may_take_a_cancelled_alarm_up_again(stages: Stages) -> None:
    alarm_id = await stages.alarm("1", start=LATER)
    await stages.write(cancel, alarm_id)
    await stages.write(lambda: alarms.change(Alarm.get_by_id(alarm_id), {}, 1, utcnow()))
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.due) == (AlarmStatus.PENDING, LATER)
