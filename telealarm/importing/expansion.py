"""A series that is not a single rule: its occurrences become events."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

from telealarm.importing import event_draft
from telealarm.importing.draft import Draft
from telealarm.importing.event_draft import Drafting, Wish
from telealarm.importing.vevent import SOURCE, Item, Wrong

# For so many days ahead, and at most so many.
_DAYS_AHEAD = 366
_MOST = 500
# An EXRULE so often would take too long.
_TOO_OFTEN = re.compile("FREQ=(HOURLY|MINUTELY|SECONDLY)")
_OF_SERIES = ("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", SOURCE)


def is_needed(master: Item, others: list[Item]) -> bool:
    """Return whether one rule with exceptions cannot express the series."""
    if any(name in master.event for name in ("RDATE", "EXRULE")):
        return True
    onwards = any("RANGE" in item.event["RECURRENCE-ID"].params for item in others)
    return isinstance(master.event.get("RRULE"), list) or onwards


def drafts(drafting: Drafting, uid: str, master: Item, others: list[Item]) -> Iterator[Draft]:
    """Yield each occurrence of the next year as a separate event. Raises Wrong."""
    items = [master, *others]
    occurrences = _without_excluded(master, _occurrences(drafting, items), drafting.wish)
    more = "; there are more" if len(occurrences) == _MOST else ""
    remark = (
        f"is not a single rule: {len(occurrences)} occurrences of the next {_DAYS_AHEAD} days"
        f" become events of their own{more}; import it again for later ones"
    )
    if not occurrences:
        # Nothing is left of the series: what was imported of it is called off.
        gone = event_draft.alone(drafting.draft(master, uid))
        yield replace(gone, remark=remark, series=uid, cancelled=True)
    for event in occurrences:
        item = items[int(event[SOURCE])]
        for name in _OF_SERIES:
            event.pop(name, None)
        at = _utc(event, drafting.wish.zone)
        here = replace(item, event=event, start=event["DTSTART"].dt, notes=[])
        draft = drafting.draft(here, f"{uid}#{at:%Y%m%dT%H%M%SZ}")
        item.notes.extend(note for note in here.notes if note not in item.notes)
        yield replace(event_draft.alone(draft), remark=remark, series=uid)
        remark = ""


def _occurrences(drafting: Drafting, items: list[Item]) -> list[Any]:
    calendar = icalendar.Calendar()
    for number, item in enumerate(items):
        item.event[SOURCE] = str(number)
        item.event["UID"] = "one"
        _give_time(item, items[0].start)
        component = item.event.copy()
        component.pop("EXDATE", None)  # see _without_excluded
        calendar.add_component(component)
    now, zone = drafting.wish.now, drafting.wish.zone
    until = now + timedelta(days=_DAYS_AHEAD)
    try:
        coming = recurring_ical_events.of(calendar).after(now)
        near = itertools.takewhile(lambda event: _utc(event, zone) < until, coming)
        return list(itertools.islice(near, _MOST))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        recurring_ical_events.InvalidCalendar,
    ) as error:
        raise Wrong(f"its occurrences cannot be computed: {error}") from None


def _give_time(item: Item, start: date | None) -> None:
    """Give a RECURRENCE-ID that is only a date the time of its series."""
    day = item.moment("RECURRENCE-ID")
    if day is None or isinstance(day, datetime) or not isinstance(start, datetime):
        return
    moment = icalendar.vDDDTypes(datetime.combine(day, start.time(), start.tzinfo))
    moment.params = item.event["RECURRENCE-ID"].params
    item.event["RECURRENCE-ID"] = moment


def _without_excluded(master: Item, occurrences: list[Any], wish: Wish) -> list[Any]:
    """Return the occurrences without those that EXDATE or EXRULE excludes.

    An EXDATE that is a date excludes its day; so does midnight, if nothing occurs then. One that
    fits nothing is noted. What replaces an occurrence stays.
    """
    rules = _excluded(master)
    own = [one for one in occurrences if one[SOURCE] == "0"]
    gone = [one for one in own if _is_in(one, rules)]
    for exdate in master.moments("EXDATE"):
        fits = [one for one in own if _is_at(one, exdate, wish.zone)]
        if not fits and (not isinstance(exdate, datetime) or exdate.time() == time()):
            fits = [one for one in own if _day(one["DTSTART"].dt) == _day(exdate)]
        gone += fits
        until = wish.now + timedelta(days=_DAYS_AHEAD)
        if not fits and wish.now <= _moment(exdate, wish.zone) < until:
            master.note(f"EXDATE {exdate} fits no occurrence and is left out")
    return [one for one in occurrences if all(one is not other for other in gone)]


def _is_at(event: Any, moment: date, local: ZoneInfo) -> bool:
    return isinstance(moment, datetime) and _utc(event, local) == _moment(moment, local)


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _excluded(master: Item) -> list[Any]:
    """Return the rules whose times do not occur (RFC 2445 4.8.5.2). The library has none."""
    start = master.start
    if start is None:
        return []
    wall = datetime(start.year, start.month, start.day)
    if isinstance(start, datetime):
        wall = start.replace(tzinfo=None)
    rules = []
    for item in master.source.all("EXRULE"):
        text = item.value.strip().upper()
        try:
            if not text or _TOO_OFTEN.search(text):
                raise ValueError("use EXDATE")
            rules.append(rrulestr(text, dtstart=wall, ignoretz=True))
        except ValueError as error:
            raise Wrong(f"EXRULE: {text!r} (line {item.line}): {error}") from None
    return rules


def _is_in(event: Any, rules: list[Any]) -> bool:
    start = event["DTSTART"].dt
    wall = datetime(start.year, start.month, start.day)
    if isinstance(start, datetime):
        wall = start.replace(tzinfo=None)
    return any(rule.before(wall, inc=True) == wall for rule in rules)


def _utc(event: Any, local: ZoneInfo) -> datetime:
    return _moment(event["DTSTART"].dt, local)


def _moment(moment: date, local: ZoneInfo) -> datetime:
    """Return a date or time in UTC. Without a zone it is on the clock of `local`."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=local)).astimezone(UTC)
