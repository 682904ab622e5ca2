"""Writes one event of a file: as a new one, or what the file has changed in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from telealarm.api.local_client import LocalClient
from telealarm.importing import content
from telealarm.importing.alarms import AlarmChanges
from telealarm.importing.content import Content
from telealarm.importing.draft import Body, Draft, Moved
from telealarm.importing.moved import MovedOccurrences, excluded
from telealarm.importing.planned import planned
from telealarm.models import Calendar, Event, Rule
from telealarm.store.calendars import called_off, series
from telealarm.store.engine import crud
from telealarm.store.reminder_plans import source_alarms
from telealarm.words import ImportOutcome, Reason

# How often the occurrences of a changed series are computed here. The service does the rest.
_ROUNDS = 3


@dataclass
class Written:
    """What became of an event: a word for the count, and a sentence for each change."""

    outcome: ImportOutcome
    event: Event | None = None
    said: list[str] = field(default_factory=list)


class EventWriter:
    """Writes the events of one calendar. `keeps_alarms`: the file says nothing about alarms."""

    def __init__(
        self,
        client: LocalClient,
        calendar: Calendar,
        now: datetime,
        source: str,
        *,
        keeps_alarms: bool,
    ) -> None:
        self.client = client
        self.calendar = calendar
        self.now = now
        self._source = source
        self._keeps_alarms = keeps_alarms

    def make(self, draft: Draft) -> Written:
        """Create an event. One that is cancelled is not created."""
        if draft.cancelled:
            return Written(ImportOutcome.CANCELLED)
        body = {**draft.event, "calendar": self.calendar.id, "rule": self._rule(draft)}
        event = self.client.create("event", body, {"calendar": self.calendar})
        assert isinstance(event, Event)
        Event.update(uid=draft.uid).where(Event.id == event.id).execute()
        made = Content(draft.event, draft.rrule, draft.rule_timezone)
        for alarm in draft.alarms:
            made.alarms.append((self.client.create("alarm", alarm, {"event": event}).id, alarm))
        moved = MovedOccurrences(self.client, event, self.now, made.alarms)
        made.moved = moved.write({}, draft, {})
        made.save(event, draft, self._source)
        return Written(ImportOutcome.MADE, event, moved.said)

    def make_all(self, drafts: Sequence[Draft]) -> list[Event]:
        """Create events that are simple (see Draft), in a few statements."""
        drafts = [planned(draft, self.calendar) for draft in drafts]
        news = [
            ({**draft.event, "calendar": self.calendar.id}, {"calendar": self.calendar})
            for draft in drafts
        ]
        events = [cast(Event, row) for row in self.client.create_all("event", news)]
        pairs = list(zip(drafts, events, strict=True))
        alarms = [(alarm, {"event": event}) for draft, event in pairs for alarm in draft.alarms]
        made = iter(self.client.create_all("alarm", alarms))
        for draft, event in pairs:
            kept = Content(draft.event, draft.rrule, draft.rule_timezone)
            kept.alarms = [(next(made).id, alarm) for alarm in draft.alarms]
            event.uid = draft.uid
            kept.put(event, draft, self._source)
        crud.write_all(events, ("uid", *content.COLUMNS))
        return events

    def change(self, event: Event, draft: Draft) -> Written:
        """Write what the file has changed in the event since the last import."""
        if draft.planned:
            source_alarms.give_way([event], self.now)
        before = content.read(event)
        if draft.digest() == event.import_digest and (draft.cancelled or not before.off):
            return Written(ImportOutcome.UNCHANGED, event)
        if is_older(draft, event):
            newer = f"SEQUENCE {draft.sequence} is older than {event.import_sequence}"
            return Written(
                ImportOutcome.OLDER,
                event,
                [f"{newer}, which was imported before: it does not count"],
            )
        if draft.cancelled:
            return self._call_off(event, draft, before)
        said: list[str] = []
        fields = self._changed_fields(event, draft, before)
        old_start = event.start
        if fields:
            event = self._change_fields(event, fields, said)
        if not (self._keeps_alarms or draft.planned):
            moved = event.start != old_start
            alarms = AlarmChanges(self.client, event, self.now, moved=moved)
            before.alarms = alarms.write(before.alarms, draft.alarms)
            said += alarms.said
        exceptions = MovedOccurrences(self.client, event, self.now, before.alarms)
        if draft.rrule is not None or before.moved:
            before.moved = exceptions.write(before.moved, draft, before.event)
            said += exceptions.said
        if before.off:
            called_off.bring_back(event, before.ended, before.off, self.now)
            said.append("it is in the file again and goes out")
        before.event, before.off, before.ended = draft.event, "", []
        before.rrule, before.rule_timezone = draft.rrule, draft.rule_timezone
        before.save(event, draft, self._source)
        self.settle(event)
        outcome = ImportOutcome.CHANGED if said else ImportOutcome.UNCHANGED
        return Written(outcome, event, said)

    def call_off(self, event: Event, reason: str) -> bool:
        """Call off an event that the file has no more. A later import may bring it back.

        Return whether there was something to call off.
        """
        kept = content.read(event)
        if kept.off or not called_off.is_open(event) or not called_off.is_ahead(event, self.now):
            return False
        kept.ended = called_off.call_off(event, reason, self.now)
        kept.off = reason
        kept.save(event, Draft(0, event.uid or "", kept.event), self._source)
        Event.update(import_digest=None).where(Event.id == event.id).execute()
        self.settle(event)
        return True

    def move_one(self, parent: Event, draft: Draft) -> Written:
        """Write an occurrence of a series that the file does not have as a whole."""
        assert draft.original is not None
        if draft.cancelled:
            self.client.act("event", parent.id, "cancel_occurrence", {"start": draft.original})
            return Written(
                ImportOutcome.CANCELLED,
                parent,
                [f"its occurrence of {draft.original} is cancelled"],
            )
        kept = content.read(parent)
        changes: Body = {
            name: draft.event[name]
            for name in ("title", "description", "data")
            if name in draft.event and draft.event.get(name) != kept.event.get(name)
        }
        if draft.event.get("end") is not None:
            changes["end"] = draft.event["end"]
        alarms = draft.alarms or None
        one = Moved(draft.line, draft.original, draft.event["start"], changes, alarms)
        was = {draft.original: kept.moved[draft.original]} if draft.original in kept.moved else {}
        only = Draft(draft.line, draft.uid, {**kept.event}, moved=[one])
        exceptions = MovedOccurrences(self.client, parent, self.now, kept.alarms)
        kept.moved.update(exceptions.write(was, only, kept.event))
        kept.save(parent, only, self._source)
        Event.update(import_digest=None).where(Event.id == parent.id).execute()
        said = [*exceptions.said, f"its occurrence of {draft.original} is at {one.to}"]
        return Written(ImportOutcome.CHANGED, parent, said)

    def _call_off(self, event: Event, draft: Draft, before: Content) -> Written:
        if not before.off and called_off.is_open(event):
            before.ended = called_off.call_off(event, Reason.EVENT_COMPLETED, self.now)
            before.off = Reason.EVENT_COMPLETED.value
        before.save(event, draft, self._source)
        self.settle(event)
        return Written(ImportOutcome.CANCELLED, event, ["it is cancelled in the file"])

    def _changed_fields(self, event: Event, draft: Draft, before: Content) -> Body:
        fields = before.changes(draft)
        if "data" in fields and before.known:
            fields["data"] = _data(event.data, before.event.get("data"), fields["data"])
        same = (before.rrule, before.rule_timezone) == (draft.rrule, draft.rule_timezone)
        if not same or (not before.known and _has_rule(event, draft)):
            fields["rule"] = self._rule(draft)
            fields.setdefault("end_recurring_period", draft.event.get("end_recurring_period"))
        exdate = excluded(event, before.event.get("exdate", []), draft.event.get("exdate", []))
        if exdate != event.exdate:
            fields["exdate"] = exdate
        return fields

    def _change_fields(self, event: Event, fields: Body, said: list[str]) -> Event:
        """Write the fields. A sentence says what has changed."""
        old = {name: getattr(event, name, None) for name in fields}
        self.client.change("event", event.id, fields)
        event = Event.get_by_id(event.id)
        for name, was in old.items():
            now = getattr(event, name, None)
            if was != now:
                said.append(_sentence(name, was, now, event))
        return event

    def _rule(self, draft: Draft) -> int | None:
        if draft.rrule is None:
            return None
        text, zone = draft.rrule, draft.rule_timezone
        in_zone = Rule.timezone.is_null() if zone is None else Rule.timezone == zone
        known = Rule.get_or_none(Rule.owner == self.calendar.owner_id, Rule.rrule == text, in_zone)
        new = {"name": text[:100], "rrule": text, "timezone": zone}
        return int((known or self.client.create("rule", new)).id)

    def settle(self, event: Event) -> None:
        """Apply the change to the occurrences that have rows, so that none of them goes out."""
        for _ in range(_ROUNDS):
            plan = series.plan(event.id, self.now)
            if plan is None or not plan.seen["series_edited"]:
                return
            series.make(plan, self.now)


def is_older(draft: Draft, event: Event) -> bool:
    """Return whether a newer version of the event was imported already."""
    return draft.sequence is not None and draft.sequence < (event.import_sequence or 0)


def _has_rule(event: Event, draft: Draft) -> bool:
    """Return whether the event differs from the draft in its rule."""
    return (event.rule.rrule if event.rule is not None else None) != draft.rrule


def _data(here: Body | None, old: Body | None, new: Body | None) -> Body | None:
    """Return the placeholders after the file changed its own from `old` to `new`."""
    here, old, new = here or {}, old or {}, new or {}
    kept = {name: value for name, value in here.items() if name in new or name not in old}
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    return {**kept, **changed} or None


def _sentence(name: str, was: object, now: object, event: Event) -> str:
    if name == "rule":
        was, now = (rule.rrule if isinstance(rule, Rule) else None for rule in (was, now))
        if now is None:
            return "it does not repeat any more"
        return f"it repeats by {now}" + (f", not by {was}" if was else "")
    return f"{name} is {_shown(now)}, was {_shown(was)}"


def _shown(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M}Z" if isinstance(value, datetime) else str(value)
