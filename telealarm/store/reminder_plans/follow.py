"""Lets the alarms of events follow their plan, a set at a time.

Each step before or after an event has one alarm of the event, also if it does not go out: its
timeline then says why. An alarm that a client has edited, cancelled or deleted is left as it is.
One that has begun is left as well, but in the parent of a series, whose alarms are the patterns of
those of its occurrences.

1. `follow` removes the alarms that the source of an event made.
2. It reads the plans, the steps and the alarms of all events.
3. It compares each event with its plan, without the database.
4. It writes the differences: new alarms, changes, and alarms that are not wanted any more.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import Expression

from telealarm.models import Alarm, AlarmRequest, Event, ReminderStep
from telealarm.rules import reminder_plan as rules
from telealarm.store.alarms import alarms, parents, renewal
from telealarm.store.engine import crud, read_cache
from telealarm.store.reminder_plans import contacts, source_alarms, steps, write
from telealarm.words import (
    AT_ONCE,
    UNSETTLED,
    AlarmResult,
    AlarmStatus,
    EventStatus,
    Reason,
    StepTrigger,
)

# An alarm that was ended for one of these reasons is looked at again: it may be wanted now.
_AGAIN = frozenset(
    {
        *(Reason.BOOKED_LATE, Reason.LATER_STEP, Reason.PAST, Reason.LIMIT),
        *(Reason.EVENT_COMPLETED, Reason.NOT_PERMITTED),
    }
)


@dataclass
class Changes:
    """What is to be written for a set of events."""

    new: list[write.New] = field(default_factory=list)
    changed: list[tuple[Alarm, Event, Mapping[str, Any]]] = field(default_factory=list)
    # Alarms that end, by the reason; and alarms that wait again.
    ended: dict[str, list[Alarm]] = field(default_factory=dict)
    again: list[tuple[Alarm, Event]] = field(default_factory=list)
    gone: list[Alarm] = field(default_factory=list)
    renewed: list[tuple[Alarm, Event, Mapping[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class _Known:
    """What was read for a set of events."""

    steps: Mapping[int, Sequence[ReminderStep]]
    # The last alarm of each step, by event and then by step.
    current: Mapping[int, Mapping[int, Alarm]]
    parents: Mapping[int, Event]
    # The alarms of their parents, in the same way.
    origins: Mapping[int, Mapping[int, Alarm]]
    answers: Mapping[int, int]
    # The alarms of which an attempt is being made.
    trying: Collection[int]


def follow(events: Sequence[Event], now: datetime, *, moved: Collection[int] = ()) -> None:
    """Make, change and remove the alarms of these events so that they are as their plan says.

    `moved`: the ids of those that have just got another start. Each event gets the sentences about
    what could not be planned as `not_planned`.
    """
    if not events:
        return
    source_alarms.give_way(events, now)
    with read_cache.remembering():
        known = _read(events)
        changes = Changes()
        for event in events:
            event.not_planned = []
            _compare(event, known, changes, now, moved=event.id in moved)
        _write(changes, now)
    parents.edited([event.id for event in events if event.rule_id is not None], now)


def _read(events: Sequence[Event]) -> _Known:
    plans = {number for event in events if (number := steps.plan_id(event)) is not None}
    by_plan = steps.of_plans(plans)
    ids = [event.id for event in events]
    parent_ids = sorted({event.parent_event_id for event in events if event.parent_event_id})
    current = _current(ids)
    return _Known(
        steps=by_plan,
        current=current,
        parents={row.id: row for row in _by_id(parent_ids)},
        origins=_current(parent_ids),
        answers=_answers(ids) if by_plan else {},
        trying=trying([row for rows in current.values() for row in rows.values()]),
    )


def trying(rows: Sequence[Alarm]) -> set[int]:
    """Return which of these alarms are being called, or have their message in the outbox."""
    begun = [row.id for row in rows if row.status in (AlarmStatus.IN_PROCESS, AlarmStatus.RETRY)]
    found: set[int] = set()
    for ids in crud.chunks(begun):
        running = AlarmRequest.status == AlarmStatus.IN_PROCESS
        requests = AlarmRequest.select(AlarmRequest.alarm).where(AlarmRequest.alarm.in_(ids))
        found.update(request.alarm_id for request in requests.where(running))
    return found


def _by_id(ids: Sequence[int]) -> Iterable[Event]:
    for some in crud.chunks(ids):
        yield from Event.select().where(Event.id.in_(some))


def _current(event_ids: Sequence[int]) -> dict[int, dict[int, Alarm]]:
    """Return the last alarm of each step before or after these events, by event and by step."""
    found: dict[int, dict[int, Alarm]] = {}
    for ids in crud.chunks(event_ids):
        rows = Alarm.select().where(Alarm.event.in_(ids), Alarm.reminder_step.is_null(False))
        for alarm in rows.where(Alarm.trigger.not_in(AT_ONCE)).order_by(Alarm.id):
            found.setdefault(alarm.event_id, {})[alarm.reminder_step_id or 0] = alarm
    return found


def _answers(event_ids: Sequence[int]) -> dict[int, int]:
    """Return the answers that these events have for their present start, by event."""
    found: dict[int, int] = {}
    for ids in crud.chunks(event_ids):
        for alarm in _answered(Alarm.event.in_(ids)):
            found[alarm.event_id] = alarm.result
    return found


def _answered(condition: Expression) -> Iterable[Alarm]:
    """Select alarms with an answer to what was asked since the event got its present start."""
    asked = Event.moved_on.is_null() | Alarm.due.is_null() | (Alarm.due > Event.moved_on)
    rows = Alarm.select(Alarm.event, Alarm.result).join(Event)
    answered = Alarm.result != AlarmResult.NONE
    return rows.where(condition, answered, asked, Alarm.deleted.is_null()).order_by(Alarm.id)


def _compare(event: Event, known: _Known, changes: Changes, now: datetime, *, moved: bool) -> None:
    """Add the changes of one event."""
    plan_id = steps.plan_id(event)
    rows = known.steps[plan_id] if plan_id is not None else ()
    wanted = {row.id: row for row in rows if _is_wanted(row, event)}
    by_rule = {number: steps.rule_of(row) for number, row in wanted.items()}
    parent = known.parents.get(event.parent_event_id or 0)
    current = known.current.get(event.id, {})
    origins = known.origins.get(event.parent_event_id or 0, {})
    occasion = steps.occasion(event, parent)
    reasons = rules.not_owed(list(by_rule.values()), occasion, now)
    told_of_move = moved and any(row.trigger == StepTrigger.MOVED for row in rows)
    for number, row in wanted.items():
        contact = contacts.of(event, row.method)
        columns = {
            **steps.columns(row),
            **contact.columns,
            "offset": rules.offset(by_rule[number], occasion),
            "offset_elapsed": False,
            "offset_fold": rules.fold(by_rule[number]),
        }
        origin = origins.get(number)
        target = write.New(event, row, columns, reasons.get(number, ""), contact.problem, origin)
        target = _unless_settled(target, known.answers.get(event.id, AlarmResult.NONE))
        alarm = current.get(number)
        if contact.problem and not target.reason:
            problem = f"{write.title(row)}: {contact.problem}"
            event.not_planned = [*(event.not_planned or []), problem]
        if alarm is None or (alarm.deleted is not None and not alarm.by_hand):
            if event.rule_id is not None or not target.is_over(now):
                changes.new.append(target)
        elif not (alarm.by_hand or alarm.detached):
            late = rules.due(by_rule[number], occasion) <= now
            begun = alarm.id in known.trying or has_begun(alarm)
            again = moved and not (late and told_of_move)
            _compare_alarm(alarm, target, changes, now, begun=begun, moved=again)
    for number, alarm in current.items():
        begun = alarm.id in known.trying or has_begun(alarm)
        if number not in wanted and may_go(alarm, event, begun=begun):
            changes.gone.append(alarm)


def _is_wanted(row: ReminderStep, event: Event) -> bool:
    return row.trigger not in AT_ONCE and steps.rule_of(row).is_for(event.type)


def _unless_settled(target: write.New, result: int) -> write.New:
    """Return the target, settled if an answer to the event calls it off."""
    condition, trigger = target.step.only_if_unanswered, target.step.trigger
    if rules.is_settled(result, trigger, only_if_unanswered=condition) and not target.reason:
        return target.ended(Reason.SETTLED)
    return target


def has_begun(alarm: Alarm) -> bool:
    """Return whether an attempt of the alarm was made, or it has come to its end by itself."""
    if alarm.num_attempt or alarm.called_off is not None:
        return True
    called_off = alarm.status == AlarmStatus.CANCELLED and alarm.status_reason == Reason.SETTLED
    return not (alarm.status in UNSETTLED or called_off or alarm.status_reason in _AGAIN)


def may_go(alarm: Alarm, event: Event, *, begun: bool) -> bool:
    """Return whether a plan may remove the alarm, whose step is not wanted any more."""
    if alarm.deleted is not None or alarm.by_hand or alarm.detached:
        return False
    return not begun or (event.rule_id is not None and alarm.status not in UNSETTLED)


def _compare_alarm(
    alarm: Alarm, target: write.New, changes: Changes, now: datetime, *, begun: bool, moved: bool
) -> None:
    event = target.event
    differing = {
        name: value for name, value in target.columns.items() if alarm.__data__[name] != value
    }
    if begun:
        if moved and alarm.status in renewal.DONE and not target.reason:
            if not target.is_over(now):
                changes.renewed.append((alarm, event, target.columns))
        elif event.rule_id is not None and differing:
            _change_pattern(alarm, target, differing, changes)
        return
    if differing:
        changes.changed.append((alarm, event, target.columns))
    if alarm.status in UNSETTLED:
        if target.reason:
            changes.ended.setdefault(target.reason, []).append(alarm)
    elif alarm.status_reason != Reason.SETTLED and not target.reason:
        changes.again += [(alarm, event)] if _is_on(event) and not target.is_over(now) else []


def _is_on(event: Event) -> bool:
    return event.status != EventStatus.COMPLETED and event.deleted is None


def _change_pattern(
    alarm: Alarm, target: write.New, differing: Mapping[str, Any], changes: Changes
) -> None:
    """Change the alarm of a parent, whose own occurrence has been notified.

    Its log stays true: if it would say another recipient, a new alarm takes its place.
    """
    if differing.keys() & {"method", "alarm_phonenumber", "alarm_email"}:
        changes.new.append(target.instead_of(alarm))
    else:
        changes.changed.append((alarm, target.event, target.columns))


def _write(changes: Changes, now: datetime) -> None:
    alarms.delete(changes.gone, now)
    write.change(changes.changed, now)
    for reason, some in changes.ended.items():
        beside = alarms.besides([alarm.id for alarm in some])
        alarms.cancel([*some, *(one for one in beside if one.status in UNSETTLED)], reason, now)
    write.again(changes.again, now)
    renewed = [
        (renewal.renew(alarm, event, now), event, new) for alarm, event, new in changes.renewed
    ]
    write.change(renewed, now)
    write.make(changes.new, now)


def copies_not_owed(
    copied: Sequence[Alarm], parent: Event, child: Event, now: datetime
) -> dict[int, str]:
    """Return which of the parent's alarms do not go out for a new child, each with the reason."""
    ids = {alarm.reminder_step_id for alarm in copied if alarm.reminder_step_id is not None}
    if not ids:
        return {}
    rows = ReminderStep.select().where(ReminderStep.id.in_(ids))
    by_rule = [steps.rule_of(row) for row in rows]
    reasons = rules.not_owed(by_rule, steps.occasion(child, parent), now)
    by_step = {alarm.reminder_step_id: alarm.id for alarm in copied if not alarm.by_hand}
    return {by_step[number]: why for number, why in reasons.items() if number in by_step}
