"""The child events of a series as rows: created, updated from their parent, hidden."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from peewee import ModelSelect

from telealarm.models import Alarm, Event
from telealarm.rules import dates
from telealarm.store.alarms import alarms, attempts
from telealarm.store.alarms.following import COLUMNS as FOLLOWING
from telealarm.store.calendars import density
from telealarm.store.engine import crud, search_index, time_zones
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move
from telealarm.store.reminder_plans import follow
from telealarm.store.reminder_plans.source_alarms import copies_of_source
from telealarm.words import AT_ONCE, UNSETTLED, AlarmStatus, EventStatus, Reason, TimelineWord

# The columns that a child takes from its parent, in addition to its times.
_OF_EVENT = (
    *("title", "description", "creator", "calendar", "timezone", "data"),
    *("person", "type", "reminder_plan", "is_wakeup"),
)

# The columns of an alarm that are not copied. Its offset is copied, but never a time.
_NOT_COPIED = frozenset(
    {
        "id",
        "event",
        "due",
        "num_attempt",
        "status",
        "status_reason",
        Alarm.called_off.name,
        "result",
        "created_date",
        "origin",
        "detached",
        "deleted",
        Alarm.beside.name,
        Alarm.counted_on.name,
        Alarm.by_hand.name,
    }
)

# Small enough for one statement on either database.
_CHUNK = 500


def ahead(parent_id: int, now: datetime) -> "ModelSelect[Event]":
    """Select the children that have not begun yet."""
    return Event.select().where(
        Event.parent_event == parent_id,
        Event.original_start.is_null(False),
        Event.start > now,
        Event.deleted.is_null(),
    )


def places_ahead(parent_id: int, now: datetime) -> "ModelSelect[Event]":
    """Select the children not yet begun, and the deleted ones whose occurrence is ahead."""
    deleted = Event.deleted.is_null(False) & (Event.original_start > now)
    return (
        Event.select()
        .where(
            Event.parent_event == parent_id,
            Event.original_start.is_null(False),
            deleted | (Event.deleted.is_null() & (Event.start > now)),
        )
        .order_by(Event.original_start)
    )


def place(child: Event) -> datetime:
    """Return the occurrence of its series that a child is, even if the child was moved."""
    assert child.original_start is not None  # only an event with it is a child
    return child.original_start


def following(parent_id: int, now: datetime) -> "ModelSelect[Event]":
    """Select the children ahead that follow edits of their parent."""
    return ahead(parent_id, now).where(~Event.detached)


def known(parent_id: int, originals: Iterable[datetime]) -> Iterator[Event]:
    """Yield the children of these occurrences, deleted ones too."""
    places = sorted(originals)
    for first in range(0, len(places), _CHUNK):
        yield from Event.select().where(
            Event.parent_event == parent_id,
            Event.original_start.in_(places[first : first + _CHUNK]),
        )


def templates(parent: Event) -> list[Alarm]:
    """Return the parent's alarms that are copied: all except those that a client cancelled.

    What told of the booking of the series, or of a move, is not copied.
    """
    query = Alarm.select().where(Alarm.event == parent.id, Alarm.deleted.is_null())
    query = query.where(Alarm.about.is_null(), Alarm.trigger.not_in(AT_ONCE))
    return [alarm for alarm in query.order_by(Alarm.id) if not _called_off(alarm)]


def bring_up_to_date(
    parent: Event, wanted: Sequence[tuple[datetime, datetime]], now: datetime
) -> int:
    """Create or update a child for each wanted occurrence (start and end). Return how many are new.

    A deleted child stays deleted. A child that has begun, or was edited itself, stays unchanged.
    """
    there = {
        child.original_start: child for child in known(parent.id, [start for start, _ in wanted])
    }
    copied = templates(parent)
    said = _skipped(parent, wanted) if any(alarm.offset for alarm in copied) else {}
    new, crowded = 0, density.Crowded(parent, wanted[0][0])
    for start, end in wanted:
        child = there.get(start)
        surplus = crowded.why(start)
        if child is None:
            said_start = said.get(start)
            child = make(
                parent, start, start, end, copied, now, said_start=said_start, surplus=surplus
            )
            new += 1
        elif not child.deleted and not child.detached and child.start > now:
            crud.change(child, {"said_start": said.get(start)} if said else {})
            _follow(child, parent, start, end, copied, now)
    return new


def make(
    parent: Event,
    original: datetime,
    start: datetime,
    end: datetime,
    copied: Sequence[Alarm],
    now: datetime,
    *,
    detached: bool = False,
    said_start: str | None = None,
    surplus: str = "",
) -> Event:
    """Create a child for the occurrence at `original`, from `start` to `end`, with copied alarms.

    `said_start` is its time in the rule, if the clock skips it. `surplus`: why its alarms are
    missed, because of a limit of the manager. Raises Conflict if another process created it at the
    same moment.
    """
    crud.change(parent, {"children_made": parent.children_made + 1})
    status = parent.children_status
    columns = {
        "owner": parent.owner_id,
        "start": start,
        "end": end,
        "created_on": now,
        "status": EventStatus.PAUSED if status == EventStatus.PAUSED else EventStatus.PENDING,
        "parent_event": parent,
        "occ_count": parent.occ_count + parent.children_made,
        "original_start": original,
        "detached": detached,
        "said_start": said_start,
    }
    inherited = {name: parent.__data__[name] for name in _OF_EVENT}
    child = crud.insert(Event, {**inherited, **columns})
    not_owed = follow.copies_not_owed(copied, parent, child, now)
    copies: dict[int | None, Alarm] = {}
    for alarm in copied:
        beside, why = copies.get(alarm.beside_id), not_owed.get(alarm.id, "")
        copies[alarm.id] = _copy(alarm, child, now, beside=beside, surplus=surplus, not_owed=why)
    return child


def _skipped(parent: Event, wanted: Sequence[tuple[datetime, datetime]]) -> dict[datetime, str]:
    """Return the times in the rule of the occurrences that the clock skips, by their start.

    Their alarms keep the distance from that time.
    """
    zone = time_zones.of_event(parent)
    clock = dates.wall_clock(parent.start, zone, parent.said_start).time()
    said = {}
    for start, _ in wanted:
        if dates.is_after_gap(start, zone):
            text = datetime.combine(start.astimezone(zone), clock).isoformat()
            if dates.wall_clock(start, zone, text) != dates.wall_clock(start, zone):
                said[start] = text
    return said


def hide(ids: Sequence[int], now: datetime) -> None:
    """Hide children without an occurrence, and their alarms. The log of their calls stays."""
    for some in crud.chunks(ids):
        Event.update(deleted=now, original_start=None).where(Event.id.in_(some)).execute()
        rows = Alarm.select().where(Alarm.event.in_(some), Alarm.deleted.is_null())
        alarms.delete(list(rows), now)


def _follow(
    child: Event,
    parent: Event,
    start: datetime,
    end: datetime,
    copied: Sequence[Alarm],
    now: datetime,
) -> None:
    """Apply edits of the parent, and of its alarms, to a child."""
    wanted = {name: parent.__data__[name] for name in _OF_EVENT} | {"start": start, "end": end}
    changed = _changed(child, wanted)
    crud.change(child, {**changed, **({"moved_on": now} if "start" in changed else {})})
    moved = not changed.keys().isdisjoint(("start", "timezone", "calendar"))
    mine = list(Alarm.select().where(Alarm.event == child.id).order_by(Alarm.id))
    if moved:
        alarms.event_moved(child, now)
    if changed.keys() & {"timezone", "calendar"}:
        attempts.reconsider([alarm.id for alarm in mine])
    _follow_alarms(child, parent, mine, copied, now)


def follow_alarms(child: Event, parent: Event, now: datetime) -> None:
    """Apply edits of the parent's alarms to a child that does not follow the parent itself."""
    mine = list(Alarm.select().where(Alarm.event == child.id).order_by(Alarm.id))
    _follow_alarms(child, parent, mine, templates(parent), now)


def follow_source(child: Event, parent: Event, now: datetime) -> None:
    """Copy the parent's alarms again that gave way to a plan of the child's own."""
    gave_way = [copy.id for copy in copies_of_source([child.id]) if copy.deleted]
    Alarm.update(origin=None).where(Alarm.id.in_(gave_way)).execute()
    follow_alarms(child, parent, now)


def _follow_alarms(
    child: Event,
    parent: Event,
    mine: Sequence[Alarm],
    copied: Sequence[Alarm],
    now: datetime,
) -> None:
    copies: dict[int | None, Alarm] = {alarm.origin_id: alarm for alarm in mine if alarm.origin_id}
    known = {**copies}
    not_owed = follow.copies_not_owed(copied, parent, child, now)
    for alarm in copied:
        copy = copies.pop(alarm.id, None)
        if copy is None:
            beside, why = known.get(alarm.beside_id), not_owed.get(alarm.id, "")
            known[alarm.id] = _copy(alarm, child, now, beside=beside, not_owed=why)
        elif not copy.deleted and not copy.detached:
            _follow_alarm(copy, alarm, child, now)
    left = [alarm for alarm in copies.values() if not alarm.deleted and not alarm.detached]
    # A step that a plan has no more lets an attempt of its alarm come to its end.
    left = [alarm for alarm in left if not (alarm.trigger and follow.has_begun(alarm))]
    called_off = [alarm for alarm in left if alarm.origin and not alarm.origin.deleted]
    alarms.cancel(
        [alarm for alarm in called_off if alarm.status in UNSETTLED], Reason.CANCELLED, now
    )
    alarms.delete([alarm for alarm in left if alarm.origin and alarm.origin.deleted], now)


def _follow_alarm(copy: Alarm, alarm: Alarm, child: Event, now: datetime) -> None:
    before, old_hours = alarms.moment(copy, child), alarms.hours(copy)
    wanted = _columns(alarm)
    if alarm.follows_person and child.person_id != alarm.event.person_id:
        wanted = {name: value for name, value in wanted.items() if name not in FOLLOWING}
    crud.change(copy, _changed(copy, wanted))
    if _called_off(copy):
        move(copy, AlarmStatus.PENDING, status_reason="")
        record(copy.id, TimelineWord.REARMED, at=now)
        alarms.admit(copy, child)
    elif copy.status in UNSETTLED and alarms.moment(copy, child) != before:
        alarms.reschedule([copy], child, now)
    elif alarms.hours(copy) != old_hours:
        attempts.reconsider([copy.id])


def _copy(
    alarm: Alarm,
    child: Event,
    now: datetime,
    *,
    beside: Alarm | None = None,
    surplus: str = "",
    not_owed: str = "",
) -> Alarm:
    """Return a copy of an alarm. `beside`: of one for the carer, the copy of the person's.

    `surplus`: why the copy is missed, because of a limit of the manager. `not_owed`: why the
    reminder plan does not let it go out.
    """
    own: dict[str, Any] = {"event": child, "origin": alarm, "created_date": now}
    copy = Alarm.create(**_columns(alarm), **own, beside=beside)
    search_index.add(copy)
    record(copy.id, TimelineWord.CREATED, f"a copy of alarm {alarm.id}", at=now)
    if alarms.is_over(copy, child, alarm.created_date):
        # It was over before its original alarm was created: nobody expects it.
        move(copy, AlarmStatus.MISSED, status_reason=Reason.PAST)
        record(copy.id, TimelineWord.MISSED, "was over when its alarm was written", at=now)
    elif not_owed:
        alarms.cancel([copy], not_owed, now)
    elif surplus:
        alarms.miss_surplus(copy, surplus)
    else:
        alarms.admit(copy, child)
    return copy


def _changed(row: Event | Alarm, wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if row.__data__[name] != value}


def _columns(alarm: Alarm) -> dict[str, Any]:
    names = [name for name in Alarm._meta.sorted_field_names if name not in _NOT_COPIED]
    return {name: alarm.__data__[name] for name in names}


def _called_off(alarm: Alarm) -> bool:
    """Return whether a client cancelled the alarm, and so its copies."""
    return alarm.status == AlarmStatus.CANCELLED and alarm.status_reason == Reason.CANCELLED
