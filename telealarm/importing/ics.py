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

# If one rule cannot express a series, its occurrences become events: for so many days ahead, and at
# most so many.
_DAYS_AHEAD = 366
_MOST = 500
# The time of an all-day event's alarm, if the file names none.
_WHOLE_DAY_AT = time(9)


@dataclass(frozen=True)
class Wish:
    """The options that the file does not contain. Without a `number`, events get no alarms."""

    number: str | None
    advance_seconds: int
    # The zone of local times without a zone.
    zone: ZoneInfo
    now: datetime


class _Wrong(Exception):
    """This event cannot be imported. The message says what to change."""


def read(path: Path, wish: Wish) -> Iterator[Draft | Rejected]:
    """Yield the events of the file. Raises TeleAlarmError if it is not an iCalendar file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about TZIDs that it guesses: see tzid.iana
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
    """Return the line on which each event begins."""
    lines = enumerate(text.splitlines(), 1)
    return [number for number, line in lines if line.strip().upper() == "BEGIN:VEVENT"]


class _File:
    """One calendar of a file."""

    def __init__(self, calendar: Any, wish: Wish) -> None:
        self._wish = wish
        self._cancels = str(calendar.get("METHOD", "")).upper() == "CANCEL"
        zone_name = str(calendar.get("X-WR-TIMEZONE", ""))
        self._zone = importing_tzid.iana(zone_name, None, wish.now) if zone_name else None

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
        """Yield the drafts of one UID: usually one event, or a series with its exceptions."""
        masters = [item for item in group if "RECURRENCE-ID" not in item[1]]
        others = [item for item in group if "RECURRENCE-ID" in item[1]]
        for line, _ in masters[:-1]:
            message = f"UID {uid} is there again on line {masters[-1][0]}; keep one"
            yield Rejected(line, message, uid)
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
            yield Rejected(line, str(wrong), uid)
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
                yield Rejected(other_line, str(wrong), uid)
        event = {**draft.event, "exdate": exdate} if exdate else draft.event
        yield replace(draft, event=event, moved=moved)

    def _alone(self, line: int, uid: str, event: Any) -> Iterator[Draft | Rejected]:
        """Yield an occurrence whose series is not in the file."""
        name = f"{uid}#{_recurrence_id(event)}"
        try:
            draft = replace(self._draft(line, name, event), rrule=None, series=uid)
            yield replace(draft, original=self._original(event, draft))
        except _Wrong as wrong:
            yield Rejected(line, str(wrong), uid)

    def _draft(self, line: int, uid: str, event: Any) -> Draft:
        for name, error in event.errors:
            raise _Wrong(f"{name}: {error}; correct it")
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
        """Return the IANA zone of the event. None: the zone of our calendar."""
        if not isinstance(start, datetime):
            return None
        tzid = event["DTSTART"].params.get("TZID")
        if tzid is not None:
            name = importing_tzid.iana(tzid, start.tzinfo, start)
            if name is None:
                raise _Wrong(f"TZID: {tzid!r} is no IANA time zone; write one like Europe/Madrid")
            return name
        if start.tzinfo is None:
            return None
        # A moment in UTC is shown in the zone of the file's calendar, and repeats in it.
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
        """Return a text for the API: the moment in the zone `name`.

        A moment without a zone stays unchanged.
        """
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if moment.tzinfo is None:
            return moment.isoformat()
        return moment.astimezone(ZoneInfo(name) if name else self._wish.zone).isoformat()

    def _wall(self, moment: date, name: str | None) -> str:
        return datetime.fromisoformat(self._local(moment, name)).replace(tzinfo=None).isoformat()

    def _original(self, event: Any, draft: Draft) -> str:
        """Return the start of the occurrence that `event` replaces."""
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
        alarms: list[Body] = []
        for alarm in event.walk("VALARM"):
            trigger = alarm.get("TRIGGER")
            ahead = getattr(trigger, "dt", None)
            # Skip a trigger that is relative to the end, or at a fixed moment.
            if not isinstance(ahead, timedelta) or trigger.params.get("RELATED") == "END":
                continue
            if ahead.total_seconds() <= 0:
                seconds = round(-ahead.total_seconds())
                alarms.append({"alarm_phonenumber": number, "advance_notice": seconds})
        if alarms:
            return alarms
        usual: Body = {
            "alarm_phonenumber": number,
            "advance_notice": self._wish.advance_seconds,
        }
        if whole_day:
            usual["date_start_notice"] = datetime.combine(start, _WHOLE_DAY_AT).isoformat()
        return [usual]

    def _expanded(self, line: int, uid: str, group: list[tuple[int, Any]]) -> Iterator[Draft]:
        """Yield each occurrence of the next year as a separate event."""
        calendar = icalendar.Calendar()
        for _, event in group:
            calendar.add_component(event)
        until = self._wish.now + timedelta(days=_DAYS_AHEAD)
        try:
            coming = recurring_ical_events.of(calendar).after(self._wish.now)
            near = itertools.takewhile(lambda event: _utc(event, self._wish.zone) < until, coming)
            occurrences = list(itertools.islice(near, _MOST))
        except (ValueError, KeyError, recurring_ical_events.InvalidCalendar) as error:
            raise _Wrong(f"its occurrences cannot be computed: {error}") from None
        remark = (
            f"is not a single rule: {len(occurrences)} occurrences of the next {_DAYS_AHEAD} days"
            " become events of their own; import it again for later ones"
        )
        for event in occurrences:
            for name in ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"):
                event.pop(name, None)
            at = _utc(event, self._wish.zone)
            draft = self._draft(line, f"{uid}#{at:%Y%m%dT%H%M%SZ}", event)
            yield replace(draft, remark=remark, series=uid)
            remark = ""
        if not occurrences:
            # Nothing is left of the series: what was imported of it is called off.
            gone = self._draft(line, uid, group[0][1])
            yield replace(gone, remark=remark, series=uid, rrule=None, cancelled=True)


def _beyond_a_rule(master: Any, others: list[tuple[int, Any]]) -> bool:
    if any(name in master for name in ("RDATE", "EXRULE")):
        return True
    onwards = any("RANGE" in other["RECURRENCE-ID"].params for _, other in others)
    return isinstance(master.get("RRULE"), list) or onwards


def _moment(event: Any, name: str) -> date | None:
    """Return the date or time of a property. None: it is missing, or has another type."""
    value = getattr(event.get(name), "dt", None) if name in event else None
    return value if isinstance(value, date) else None


def _exdates(event: Any) -> list[date]:
    lists = event.get("EXDATE", [])
    lists = lists if isinstance(lists, list) else [lists]
    return [moment.dt for dates in lists for moment in dates.dts]


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
    value = event.get(name, "")
    text = str(value[0] if isinstance(value, list) else value)
    kept = "\n\t" if lines else ""
    return "".join(c if c in kept or c.isprintable() else " " for c in text).strip()
