"""Alarms and the limits of their manager: what each alarm adds to what is used of them.

An alarm counts when it is written, and when it is moved to another day. Retries do not count, and
neither does the alarm that tells the desk about a failed one, nor a callee who rings back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from telealarm import methods
from telealarm.clock import utcnow
from telealarm.models import Alarm, Event
from telealarm.store.access import limits
from telealarm.store.access.limits import CALLS, TRIALS, WAITING, Use
from telealarm.words import EventStatus, StepTrigger

# Whether an alarm beyond a limit is missed, and the write goes on.
_misses: ContextVar[bool] = ContextVar("_misses", default=False)


@contextmanager
def missing_surplus() -> Iterator[None]:
    """Within it, alarms beyond a limit are missed. Elsewhere they are refused: LimitReached."""
    token = _misses.set(True)
    try:
        yield
    finally:
        _misses.reset(token)


def surplus(alarm: Alarm, due: datetime, *, waits: bool = False) -> str:
    """Return why the alarm, which is due then, is beyond a limit and to be missed; else "".

    `waits`: it waits from now on, and did not before.
    """
    if not _misses.get() or alarm.about_id is not None:
        return ""
    uses = [Use(alarm.owner_id, WAITING)] if waits else []
    if _rings(alarm) and (use := _on(alarm, due)).day != alarm.counted_on:
        uses.append(use)
    return next((limits.sentence(use) for use in uses if not limits.has_room(use)), "")


def wait(alarm: Alarm) -> None:
    """Count an alarm that waits from now on. Its day counts as part of its schedule."""
    if alarm.about_id is None:
        limits.add(Use(alarm.owner_id, WAITING))


def day_of(alarm: Alarm, event: Event, due: datetime) -> str | None:
    """Count the call of the alarm on the day on which it is due now. Return this day.

    None: the alarm counts on no day. It counts anew after a call was made already.
    """
    over = event.status == EventStatus.COMPLETED or event.deleted is not None
    over = over and alarm.trigger != StepTrigger.CANCELLED
    if over or alarm.deleted or alarm.called_off:
        return alarm.counted_on
    if alarm.about_id is not None or not _rings(alarm):
        return alarm.counted_on
    use = _on(alarm, due)
    anew = bool(alarm.num_attempt) and alarm.due != due
    if use.day == alarm.counted_on and not anew:
        return alarm.counted_on
    limits.add(use)
    if alarm.counted_on and not alarm.num_attempt:
        limits.add(use._replace(day=alarm.counted_on), -1)
    return use.day


def another_attempt(alarm: Alarm, date: datetime) -> None:
    """Count one more call, which a client asked for."""
    if _rings(alarm):
        limits.add(_on(alarm, date))


def moved_attempt(alarm: Alarm, before: datetime, date: datetime) -> None:
    """Count the call of a waiting attempt on another day, if a client has moved it there."""
    if _rings(alarm) and _on(alarm, before) != _on(alarm, date):
        limits.add(_on(alarm, date))


def trial(owner_id: int, now: datetime) -> None:
    """Count a trial call."""
    limits.add(Use(owner_id, TRIALS, limits.of(owner_id).day(now)))


def _rings(alarm: Alarm) -> bool:
    return methods.of(alarm.method).uses_channel


def _on(alarm: Alarm, due: datetime) -> Use:
    """Return the calls of the day; what was due before rings now."""
    day = limits.of(alarm.owner_id).day(max(due, utcnow()))
    return Use(alarm.owner_id, CALLS, day)
