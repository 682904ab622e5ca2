"""The events of a plan that was edited. They follow it in sets, the next ones at once.

Other writes must not wait for a calendar of ten thousand events: a call may be due. So the write
that edits the plan handles the events that begin next, and marks the others. The planner of series
handles those in the seconds that follow, a set in each write.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from peewee import JOIN, Expression

from telealarm.models import Alarm, Calendar, Event, Person
from telealarm.store.engine import crud
from telealarm.store.engine.database import wake
from telealarm.store.reminder_plans import follow
from telealarm.words import UNSETTLED

# How many events the write that edits a plan handles, and each write after it.
AT_ONCE, BATCH = 500, 200
# How long events wait that failed because of a fault in the code or their data.
PUT_OFF = timedelta(hours=1)


def plan_edited(plan_id: int, now: datetime) -> None:
    """Let the events that have the plan follow it."""
    of_calendar = Calendar.select(Calendar.id).where(Calendar.reminder_plan == plan_id)
    by_calendar = Event.reminder_plan.is_null() & Event.calendar.in_(of_calendar)
    edited((Event.reminder_plan == plan_id) | by_calendar, now)


def edited(condition: Expression, now: datetime) -> None:
    """Let the events of a condition that are not over follow their plan.

    Occurrences that follow their series are left out: they follow the alarms of their parent.
    """
    waiting = Alarm.select(Alarm.event).where(
        Alarm.event == Event.id, Alarm.trigger != "", Alarm.status.in_(UNSETTLED)
    )
    on = (Event.end > now) | Event.rule.is_null(False) | Event.id.in_(waiting)
    follows = (
        Event.parent_event.is_null(False)
        & Event.original_start.is_null(False)
        & ~Event.detached
        & (Event.start > now)
    )
    rows = Event.select(Event.id).where(condition, on, ~follows, Event.deleted.is_null())
    ids = [row.id for row in rows.order_by(Event.start, Event.id)]
    for some in crud.chunks(sorted(ids[AT_ONCE:])):
        Event.update(plan_due=now).where(Event.id.in_(some)).execute()
    _follow(ids[:AT_ONCE], now)
    if len(ids) > AT_ONCE:
        wake("series")


def waits(now: datetime) -> bool:
    """Return whether events of an edited plan wait."""
    return Event.select().where(Event.plan_due <= now).exists()


def follow_some(now: datetime) -> None:
    """Let the next of the waiting events follow their plan."""
    _follow(_next(now), now)


def put_off(now: datetime) -> None:
    """Put off the next of the waiting events, which fail, so that the others go on."""
    Event.update(plan_due=now + PUT_OFF).where(Event.id.in_(_next(now))).execute()


def _next(now: datetime) -> list[int]:
    rows = Event.select(Event.id).where(Event.plan_due <= now)
    return [row.id for row in rows.order_by(Event.plan_due, Event.start).limit(BATCH)]


def _follow(ids: Sequence[int], now: datetime) -> None:
    for some in crud.chunks(sorted(ids)):
        # This locks the rows: no other worker makes the same alarms.
        Event.update(plan_due=None).where(Event.id.in_(some)).execute()
        joined = Event.select(Event, Calendar, Person).join(Calendar).switch(Event)
        joined = joined.join(Person, JOIN.LEFT_OUTER).where(Event.id.in_(some))
        events = list(joined.where(Event.deleted.is_null()).order_by(Event.id))
        follow.follow(events, now)
