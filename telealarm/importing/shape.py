"""The same UID in another shape: a series that became single events, or the other way round.

The rows that are there are used again, so that their log, their answers and what was cancelled here
stay with the occurrence.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from telealarm.importing import content
from telealarm.importing.content import Content
from telealarm.importing.draft import Body, Draft
from telealarm.models import Alarm, Event
from telealarm.rules import dates
from telealarm.store.calendars import called_off, children, series
from telealarm.store.engine import search_index, time_zones
from telealarm.words import Reason

# The UID of one of several events: that of the file, and the occurrence.
_PART = re.compile(r"(?P<uid>.*)#(?P<at>\d{8}(T\d{6}Z?)?)", re.DOTALL)
_TICK = datetime.resolution
# So many occurrences of a new series are compared with the rows that are there.
_COMPARED = 1000


def group_of(uid: str) -> str:
    """Return the UID in the file of an imported event."""
    match = _PART.fullmatch(uid)
    return match["uid"] if match else uid


def into_events(parent: Event, drafts: Sequence[Draft], now: datetime) -> dict[str, Event]:
    """Make events of their own of the occurrences of a series that the file has as `drafts`.

    Return them by the UID of their draft. An occurrence that was cancelled here stays cancelled.
    """
    kept, zone = content.read(parent), time_zones.of_event(parent)
    rows = {children.place(child): child for child in _children(parent)}
    cancelled_here = set(parent.exdate) - set(kept.event.get("exdate", []))
    cancelled = {dates.to_utc(datetime.fromisoformat(text), zone) for text in cancelled_here}
    rows.setdefault(parent.start, parent)
    taken: dict[str, Event] = {}
    by_uid = {draft.uid: draft for draft in drafts}
    for uid, place in _in_places(drafts, [*{**rows, **dict.fromkeys(cancelled)}], zone).items():
        hidden = place in cancelled and (place not in rows or rows[place] is parent)
        taken[uid] = _hidden(parent, by_uid[uid], place, now) if hidden else rows[place]
    # The parent last: the others still need it.
    for draft in sorted(drafts, key=lambda one: taken.get(one.uid) is parent):
        row = taken.get(draft.uid)
        if row is not None and row.deleted is None:
            _part(row, parent, draft, kept)
            taken[draft.uid] = Event.get_by_id(row.id)
        elif row is not None:
            Event.update(uid=draft.uid, parent_event=None, original_start=None).where(
                Event.id == row.id
            ).execute()
    for child in list(children.ahead(parent.id, now)):
        called_off.call_off(child, Reason.NOT_IN_FILE, now)
    return taken


def into_series(parent: Event, rows: Mapping[str, Event], now: datetime) -> Iterator[str]:
    """Make occurrences of the series of the events that the file had before. Yield their UIDs."""
    pattern = series.of(parent)
    if pattern is None:
        return
    since = min((_at(uid, event) for uid, event in rows.items()), default=now)
    places = {one.start for one in pattern.occurrences(since, None, _COMPARED)}
    alarms = {alarm.recipient: alarm for alarm in Alarm.select().where(Alarm.event == parent.id)}
    for uid, event in rows.items():
        place = _at(uid, event)
        if place not in places or place == parent.start:
            continue
        there = Event.get_or_none(Event.parent_event == parent.id, Event.original_start == place)
        if there is not None and (there.detached or there.deleted):
            continue
        if there is not None:
            children.hide([there.id], now)  # it was made just now
        edited = _is_edited(event)
        Event.update(
            parent_event=parent.id,
            original_start=place,
            uid=None,
            imported=None,
            detached=edited,
        ).where(Event.id == event.id).execute()
        for alarm in Alarm.select().where(Alarm.event == event.id):
            origin = alarms.get(alarm.recipient)
            Alarm.update(origin=origin).where(Alarm.id == alarm.id).execute()
        yield uid


def occurs(parent: Event, draft: Draft) -> bool:
    """Return whether the draft is an occurrence of the series that `parent` is."""
    pattern = series.of(parent)
    if pattern is None or draft.original is None:
        return False
    at = dates.to_utc(datetime.fromisoformat(draft.original), time_zones.of_event(parent))
    there = Event.parent_event == parent.id, Event.original_start == at
    return bool(pattern.occurrences(at, at + _TICK, 1)) or Event.select().where(*there).exists()


def draft_of(event: Event, drafts: Sequence[Draft]) -> str | None:
    """Return the UID of the draft that a single event is, now that the file has several."""
    found = _in_places(drafts, [event.start], time_zones.of_event(event))
    return next(iter(found), None)


def nearest(rows: Mapping[str, Event], draft: Draft) -> str | None:
    """Return the UID of the row that is the draft: at the same time, or the only one left."""
    for uid, event in rows.items():
        if _place(draft, time_zones.of_event(event)) in (_at(uid, event), event.start):
            return uid
    return None


def same_occurrence(rows: Mapping[str, Event], draft: Draft) -> str | None:
    """Return the UID of the row of the same occurrence, if the file writes it in another form."""
    for uid, event in rows.items():
        zone = time_zones.of_event(event)
        if draft.original is None:
            continue
        original = dates.to_utc(datetime.fromisoformat(draft.original), zone)
        at = _at(uid, event)
        whole_day = len(uid.rpartition("#")[2]) == len("20270111")
        if at == original or (
            whole_day and at.astimezone(zone).date() == original.astimezone(zone).date()
        ):
            return uid
    return None


def _in_places(
    drafts: Sequence[Draft], places: Sequence[datetime], zone: ZoneInfo
) -> dict[str, datetime]:
    """Return which occurrence each draft is, by its UID: at the same time, else on the same day."""
    found = {draft.uid: at for draft in drafts if (at := _place(draft, zone)) in places}
    free = set(places) - set(found.values())
    days = Counter(at.astimezone(zone).date() for at in free)
    for draft in drafts:
        day = _place(draft, zone).astimezone(zone).date()
        if draft.uid not in found and days[day] == 1:
            found[draft.uid] = next(at for at in free if at.astimezone(zone).date() == day)
            days[day] = 0
    return found


def _children(parent: Event) -> Iterator[Event]:
    yield from list(
        Event.select().where(Event.parent_event == parent.id, Event.original_start.is_null(False))
    )


def _part(row: Event, parent: Event, draft: Draft, kept: Content) -> None:
    """Make the row an event of its own. What the file said of its series, it said of the row."""
    ids = {alarm.origin_id or alarm.id: alarm.id for alarm in _alarms(row)}
    zone = time_zones.of_event(parent)
    event: Body = {n: v for n, v in kept.event.items() if n not in ("exdate", "start", "end")}
    place = row.original_start or row.start
    at = dates.to_utc(datetime.fromisoformat(draft.event["start"]), zone)
    # Where the file had it. If it is there still, an edit here stays.
    event["start"] = draft.event["start"] if at == place else place.isoformat()
    if at == place:
        event["end"] = draft.event.get("end")
    mine = Content(event, alarms=[(ids[n], body) for n, body in kept.alarms if n in ids])
    mine.save(row, draft, parent.import_source or "")
    Event.update(
        parent_event=None,
        original_start=None,
        detached=False,
        rule=None,
        exdate=[],
        made_to=None,
        next_child_due=None,
        uid=draft.uid,
        import_digest=None,
    ).where(Event.id == row.id).execute()
    Alarm.update(origin=None, detached=False).where(Alarm.event == row.id).execute()


def _alarms(event: Event) -> list[Alarm]:
    return list(Alarm.select().where(Alarm.event == event.id))


def _hidden(parent: Event, draft: Draft, place: datetime, now: datetime) -> Event:
    """Return a deleted event: the occurrence was cancelled here before it had a row."""
    columns = {
        name: parent.__data__[name]
        for name in ("owner", "title", "creator", "calendar", "timezone", "import_source")
    }
    end = place + (parent.end - parent.start)
    hidden = Event.create(**columns, start=place, end=end, uid=draft.uid, deleted=now)
    search_index.add(hidden)
    return hidden


def _is_edited(event: Event) -> bool:
    """Return whether the event was edited here since its import."""
    kept = content.read(event).event
    zone = time_zones.of_event(event)
    if "start" not in kept:
        return False
    start = dates.to_utc(datetime.fromisoformat(kept["start"]), zone)
    return event.start != start or event.title != kept.get("title", event.title)


def _place(draft: Draft, zone: ZoneInfo) -> datetime:
    """Return when the draft begins (UTC)."""
    match = _PART.fullmatch(draft.uid)
    if match and match["at"].endswith("Z"):
        return datetime.fromisoformat(match["at"])
    return dates.to_utc(datetime.fromisoformat(draft.event["start"]), zone)


def _at(uid: str, event: Event) -> datetime:
    """Return which occurrence of its series an imported event is (UTC)."""
    match = _PART.fullmatch(uid)
    if match is None:
        return event.start
    return dates.to_utc(datetime.fromisoformat(match["at"]), time_zones.of_event(event))
