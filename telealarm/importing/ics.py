"""An iCalendar file (RFC 5545): events with their rule, exceptions and alarms."""

import itertools
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from telealarm.errors import TeleAlarmError
from telealarm.importing import tzid as importing_tzid
from telealarm.importing.draft import NO_UID, Body, Draft, Moved, Rejected, is_uid

# What cannot be a rule here is made as events of its own, so many days ahead, and so many of them.
_DAYS_AHEAD = 366
_MOST = 500
# When an alarm of a whole day goes out, where the file does not say.
_WHOLE_DAY_AT = time(9)


@dataclass(frozen=True)
class Wish:
    """What the file does not say. Without a `number` events are imported without alarms."""

    number: str | None
    advance_seconds: int
    # The zone of times that are local to no zone in particular.
    zone: ZoneInfo
    now: datetime


class _Wrong(Exception):
    """This event cannot be imported; the sentence says what to change."""


def read(path: Path, wish: Wish) -> Iterator[Draft | Rejected]:
    """The events of the file. Raises TeleAlarmError where it is no iCalendar file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of TZIDs that it guesses at: see zone.iana
            calendars = icalendar.Calendar.from_ical(text, multiple=True)
    except OSError as error:
        raise TeleAlarmError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, IndexError, KeyError) as error:
        raise TeleAlarmError(f"{path} is no iCalendar file: {error}") from None
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise TeleAlarmError(f"{path} is no iCalendar file, or not a whole one")
    lines = iter(_begins(text))
    for calendar in calendars:
        events = [(next(lines), event) for event in calendar.walk("VEVENT")]
        yield from _File(calendar, wish).drafts(events)


def _begins(text: str) -> list[int]:
    """On which line each event begins."""
    lines = enumerate(text.splitlines(), 1)
    return [number for number, line in lines if line.strip().upper() == "BEGIN:VEVENT"]


class _File:
    """One calendar of a file."""

    def __init__(self, calendar: Any, wish: Wish) -> None:
        self._wish = wish
        self._cancels = str(calendar.get("METHOD", "")).upper() == "CANCEL"
        own = str(calendar.get("X-WR-TIMEZONE", ""))
        self._zone = importing_tzid.iana(own, None, wish.now) if own else None

    def drafts(self, events: list[tuple[int, Any]]) -> Iterator[Draft | Rejected]:
        groups: defaultdict[str, list[tuple[int, Any]]] = defaultdict(list)
        for line, event in events:
            uid = str(event.get("UID", "")).strip()
            if not is_uid(uid):
                yield Rejected(line, f"UID: {NO_UID}")
            else:
                groups[uid].append((line, event))
        for uid, group in groups.items():
            yield from self._group(uid, group)

    def _group(self, uid: str, group: list[tuple[int, Any]]) -> Iterator[Draft | Rejected]:
        """What has one UID: a series with its exceptions, mostly one event alone."""
        masters = [one for one in group if "RECURRENCE-ID" not in one[1]]
        others = [one for one in group if "RECURRENCE-ID" in one[1]]
        for line, _ in masters[:-1]:
            yield Rejected(line, f"UID {uid} is there again on line {masters[-1][0]}; keep one")
        if not masters:
            for line, event in others:
                yield from self._alone(line, f"{uid}#{_recurrence_id(event)}", event)
            return
        line, master = masters[-1]
        try:
            if _beyond_a_rule(master, others):
                yield from self._expanded(line, uid, group)
                return
            draft = self._draft(line, uid, master)
        except _Wrong as wrong:
            yield Rejected(line, str(wrong))
            return
        moved: list[Moved] = []
        exdate = list(draft.event.get("exdate", []))
        for other_line, other in others:
            try:
                if _is_cancelled(other):
                    exdate.append(self._original(other, draft))
                else:
                    moved.append(self._moved(other_line, other, draft))
            except _Wrong as wrong:
                yield Rejected(other_line, str(wrong))
        event = {**draft.event, "exdate": exdate} if exdate else draft.event
        yield replace(draft, event=event, moved=moved)

    def _alone(self, line: int, uid: str, event: Any) -> Iterator[Draft | Rejected]:
        try:
            yield replace(self._draft(line, uid, event), rrule=None)
        except _Wrong as wrong:
            yield Rejected(line, str(wrong))

    def _draft(self, line: int, uid: str, event: Any) -> Draft:
        for name, error in event.errors:
            raise _Wrong(f"{name}: {error}; mend it")
        start = _moment(event, "DTSTART")
        if start is None:
            raise _Wrong("DTSTART: must be there")
        whole_day = not isinstance(start, datetime)
        name = self._zone_of(event, start)
        end = self._end(event, start)
        body: Body = {
            "title": _text(event, "SUMMARY")[:255] or "(no title)",
            "start": self._local(start, name),
            "timezone": name,
        }
        body["end"] = None if end is None else self._local(end, name)
        if description := _text(event, "DESCRIPTION", lines=True)[:10_000]:
            body["description"] = description
        if location := _text(event, "LOCATION")[:500]:
            body["data"] = {"location": location}
        rrule = event.get("RRULE")
        if rrule is not None:
            body["end_recurring_period"] = None
            if exdate := [self._local(moment, name) for moment in _exdates(event)]:
                body["exdate"] = exdate
        return Draft(
            line=line,
            uid=uid,
            event=body,
            alarms=self._alarms(event, start, whole_day),
            rrule=None if rrule is None else rrule.to_ical().decode(),
            cancelled=self._cancels or _is_cancelled(event),
        )

    def _zone_of(self, event: Any, start: date) -> str | None:
        """The IANA zone of the event; None: the calendar's here."""
        if not isinstance(start, datetime):
            return None
        tzid = event["DTSTART"].params.get("TZID")
        if tzid is not None:
            found = importing_tzid.iana(tzid, start.tzinfo, start)
            if found is None:
                raise _Wrong(f"TZID: {tzid!r} is no IANA time zone; write one like Europe/Madrid")
            return found
        if start.tzinfo is None:
            return None
        # A moment in UTC is shown on the calendar's own clock, and recurs on it.
        return self._zone or ("UTC" if event.get("RRULE") is not None else None)

    def _end(self, event: Any, start: date) -> date | None:
        end = _moment(event, "DTEND")
        if end is not None:
            return end
        duration = event.get("DURATION")
        if duration is not None:
            length = duration.dt
            assert isinstance(length, timedelta)
            return start + length
        return None if isinstance(start, datetime) else start + timedelta(days=1)

    def _local(self, moment: date, name: str | None) -> str:
        """As the API takes it: on the wall clock of `name`, a moment of no zone as it is."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if moment.tzinfo is None:
            return moment.isoformat()
        return moment.astimezone(ZoneInfo(name) if name else self._wish.zone).isoformat()

    def _wall(self, moment: date, name: str | None) -> str:
        return datetime.fromisoformat(self._local(moment, name)).replace(tzinfo=None).isoformat()

    def _original(self, event: Any, draft: Draft) -> str:
        """Which occurrence of the series `event` takes the place of."""
        original = _moment(event, "RECURRENCE-ID")
        if original is None:
            raise _Wrong("RECURRENCE-ID: must be a date or a time")
        if not isinstance(original, datetime):
            first = datetime.fromisoformat(draft.event["start"])
            original = datetime.combine(original, first.time())
        return self._wall(original, draft.event["timezone"])

    def _moved(self, line: int, event: Any, draft: Draft) -> Moved:
        here = self._draft(line, draft.uid, event)
        named = ("title", "description", "data")
        changes = {n: here.event[n] for n in named if here.event.get(n) != draft.event.get(n)}
        if here.event["end"] is not None:
            changes["end"] = here.event["end"]
        return Moved(line, self._original(event, draft), here.event["start"], changes)

    def _alarms(self, event: Any, start: date, whole_day: bool) -> list[Body]:
        number = self._wish.number
        if number is None:
            return []
        found: list[Body] = []
        for alarm in event.walk("VALARM"):
            trigger = alarm.get("TRIGGER")
            ahead = getattr(trigger, "dt", None)
            # A trigger relative to the end, or at a fixed moment, is not about the start.
            if not isinstance(ahead, timedelta) or trigger.params.get("RELATED") == "END":
                continue
            if ahead.total_seconds() <= 0:
                seconds = round(-ahead.total_seconds())
                found.append({"alarm_phonenumber": number, "advance_notice": seconds})
        if found:
            return found
        usual: Body = {
            "alarm_phonenumber": number,
            "advance_notice": self._wish.advance_seconds,
        }
        if whole_day:
            usual["date_start_notice"] = datetime.combine(start, _WHOLE_DAY_AT).isoformat()
        return [usual]

    def _expanded(self, line: int, uid: str, group: list[tuple[int, Any]]) -> Iterator[Draft]:
        """Each occurrence of the next year as an event of its own."""
        alone = icalendar.Calendar()
        for _, event in group:
            alone.add_component(event)
        until = self._wish.now + timedelta(days=_DAYS_AHEAD)
        try:
            coming = recurring_ical_events.of(alone).after(self._wish.now)
            near = itertools.takewhile(lambda one: _utc(one, self._wish.zone) < until, coming)
            found = list(itertools.islice(near, _MOST))
        except (ValueError, KeyError, recurring_ical_events.InvalidCalendar) as error:
            raise _Wrong(f"its occurrences cannot be worked out: {error}") from None
        remark = (
            f"is no single rule: {len(found)} occurrences of the next {_DAYS_AHEAD} days become"
            " events of their own; import it again for later ones"
        )
        for event in found:
            for name in ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"):
                event.pop(name, None)
            at = _utc(event, self._wish.zone)
            draft = self._draft(line, f"{uid}#{at:%Y%m%dT%H%M%SZ}", event)
            yield replace(draft, remark=remark)
            remark = ""


def _beyond_a_rule(master: Any, others: list[tuple[int, Any]]) -> bool:
    if any(name in master for name in ("RDATE", "EXRULE")):
        return True
    onwards = any("RANGE" in other["RECURRENCE-ID"].params for _, other in others)
    return isinstance(master.get("RRULE"), list) or onwards


def _moment(event: Any, name: str) -> date | None:
    """The date or the time of a property, None where it is not there or is no such thing."""
    found = getattr(event.get(name), "dt", None) if name in event else None
    return found if isinstance(found, date) else None


def _exdates(event: Any) -> list[date]:
    found = event.get("EXDATE", [])
    found = found if isinstance(found, list) else [found]
    return [moment.dt for some in found for moment in some.dts]


def _utc(event: Any, local: ZoneInfo) -> datetime:
    start = event["DTSTART"].dt
    if not isinstance(start, datetime):
        start = datetime.combine(start, time())
    return (start if start.tzinfo else start.replace(tzinfo=local)).astimezone(UTC)


def _recurrence_id(event: Any) -> str:
    return str(event["RECURRENCE-ID"].to_ical(), "utf-8")


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _text(event: Any, name: str, *, lines: bool = False) -> str:
    found = event.get(name, "")
    said = str(found[0] if isinstance(found, list) else found)
    kept = "\n\t" if lines else ""
    return "".join(c if c in kept or c.isprintable() else " " for c in said).strip()
