"""The resources of CalDAV sources, and when we wrote one of them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from telealarm.models import Alarm, CalendarFeed, CalendarFeedItem, Event
from telealarm.store.engine import crud, dialect
from telealarm.store.feeds.feeds import SOURCE
from telealarm.words import AlarmResult


class Item(NamedTuple):
    """A resource of a source: where it is, and its version."""

    uid: str
    href: str
    etag: str


class Untold(NamedTuple):
    """An answer of which the source was not told."""

    item: CalendarFeedItem
    alarm: Alarm
    answer: int


def keep(feed: CalendarFeed, found: Collection[Item], began: datetime) -> None:
    """Store the resources that a poll found. What we wrote since it `began` stays as it is."""
    known = {item.uid: item for item in _of(feed)}
    new = {one.uid: one for one in found if one.uid}
    gone = [
        item.id
        for uid, item in known.items()
        if uid not in new and (item.written is None or item.written < began)
    ]
    for ids in crud.chunks(gone):
        CalendarFeedItem.delete().where(CalendarFeedItem.id.in_(ids)).execute()
    rows = [
        {"feed": feed.id, "uid": one.uid, "href": one.href, "etag": one.etag}
        for uid, one in new.items()
        if uid not in known
    ]
    for some in crud.chunks(rows):
        CalendarFeedItem.insert_many(some).execute()
    for uid, item in known.items():
        here = new.get(uid)
        fresh = item.written is None or item.written < began
        if here is not None and fresh and (here.href, here.etag) != (item.href, item.etag):
            crud.change(item, {"href": here.href, "etag": here.etag})


def written_since(feed: CalendarFeed, began: datetime) -> set[str]:
    """Return the UIDs that we wrote at the source since then: an older poll leaves them."""
    rows = CalendarFeedItem.select(CalendarFeedItem.uid).where(
        CalendarFeedItem.feed == feed.id, CalendarFeedItem.written >= began
    )
    return {item.uid for item in rows}


def of_event(feed: CalendarFeed, event: Event) -> CalendarFeedItem | None:
    """Return the resource of an event."""
    mine = (CalendarFeedItem.feed == feed.id) & (CalendarFeedItem.uid == event.uid)
    return CalendarFeedItem.get_or_none(mine)


def wrote(item: CalendarFeedItem, etag: str, now: datetime, answer: int | None = None) -> None:
    """Store that we wrote the resource, and the answer that it holds now."""
    told = {} if answer is None else {"answer": answer}
    crud.change(item, {"etag": etag, "written": now, **told})


def untold(feed: CalendarFeed, now: datetime, limit: int) -> list[Untold]:
    """Return the answers to events ahead of which the source was not told.

    Of several alarms of an event, the last that was answered counts. An answer is for the time that
    was asked about: if the event has moved since, the answer that the source knows is taken back
    (NONE). An occurrence of a series is left out: its resource is that of the whole series.
    """
    items = {item.uid: item for item in _of(feed)}
    alarms = list(_alarms(feed, now)) if items else []
    last = {alarm.event.uid: alarm for alarm in alarms}
    answered = {alarm.event.uid: alarm for alarm in alarms if _counts(alarm)}
    found = []
    for uid, item in items.items():
        alarm = answered.get(uid, last.get(uid))
        answer = alarm.result if alarm is not None and uid in answered else AlarmResult.NONE
        if alarm is not None and abs(item.answer) != answer:
            found.append(Untold(item, alarm, answer))
    return found[:limit]


def _alarms(feed: CalendarFeed, now: datetime) -> Iterable[Alarm]:
    """Select the alarms of events ahead that have an answer, or whose source knows one."""
    told = CalendarFeedItem.select(CalendarFeedItem.uid).where(
        CalendarFeedItem.feed == feed.id, CalendarFeedItem.answer != AlarmResult.NONE
    )
    rows = Alarm.select(Alarm, Event).join(Event)
    return rows.where(
        Event.calendar == feed.calendar_id,
        Event.import_source == SOURCE,
        Event.rule.is_null(),
        Event.end > now,
        Alarm.deleted.is_null(),
        Alarm.result.in_(_ANSWERS) | Event.uid.in_(told),
    ).order_by(Alarm.id)


def _counts(alarm: Alarm) -> bool:
    """Return whether the alarm has an answer that is for the present time of its event."""
    moved, due = alarm.event.moved_on, alarm.due
    return alarm.result in _ANSWERS and (moved is None or due is None or due > moved)


def tried(item: CalendarFeedItem, answer: int) -> None:
    """Store that the source does not take this answer: it is not told again."""
    crud.change(item, {"answer": -answer})


_ANSWERS: Sequence[int] = (AlarmResult.CONFIRMED, AlarmResult.CANCELLED, AlarmResult.RESCHEDULED)


def _of(feed: CalendarFeed) -> list[CalendarFeedItem]:
    return list(CalendarFeedItem.select().where(CalendarFeedItem.feed == feed.id))


def clock() -> datetime:
    """Return the time by the clock that all workers share."""
    return dialect.shared_now(CalendarFeedItem._meta.database)
