"""Which events of a source count for a feed, and whom their alarms call."""

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from telealarm.importing.ics import Wish
from telealarm.importing.vevent import Item
from telealarm.models import CalendarFeed
from telealarm.rules import feed_pattern
from telealarm.words import FeedNumberField

# A comma within a category has a backslash (RFC 5545 3.3.11).
_COMMA = re.compile(r"(?<!\\),")


def wish(feed: CalendarFeed, zone: ZoneInfo, now: datetime) -> Wish:
    """Return how the events of the feed are read. `zone`: that of its calendar."""
    return Wish(
        number=feed.number or None,
        advance_seconds=feed.advance_notice,
        zone=zone,
        now=now,
        find_number=(lambda item: _number(feed, item)) if feed.number_fields else None,
        counts=lambda item: _counts(feed, item),
    )


def _counts(feed: CalendarFeed, item: Item) -> bool:
    wanted = {name.casefold() for name in feed.categories}
    if wanted and wanted.isdisjoint(_categories(item)):
        return False
    return not feed.title_pattern or feed_pattern.finds(
        feed.title_pattern, _property_text(item, "SUMMARY")
    )


def _categories(item: Item) -> set[str]:
    return {
        name.replace("\\", "").strip().casefold()
        for line in item.source.all("CATEGORIES")
        for name in _COMMA.split(line.value)
    }


def _number(feed: CalendarFeed, item: Item) -> str | None:
    pattern = feed.number_pattern or feed_pattern.DEFAULT_NUMBER
    return feed_pattern.number(pattern, _texts(feed, item))


def _texts(feed: CalendarFeed, item: Item) -> Iterator[str]:
    """Yield the texts in which the number is looked for, in the order of the feed."""
    for name in feed.number_fields:
        if name == FeedNumberField.ATTENDEE:
            for attendee in item.source.all("ATTENDEE"):
                yield re.sub(r"^(tel|mailto):", "", attendee.value.strip(), flags=re.IGNORECASE)
                yield str(attendee.params.get("CN", ""))
        else:
            yield _property_text(item, _PROPERTIES[name])


_PROPERTIES: dict[str, str] = {
    FeedNumberField.TITLE: "SUMMARY",
    FeedNumberField.DESCRIPTION: "DESCRIPTION",
    FeedNumberField.LOCATION: "LOCATION",
}


def _property_text(item: Item, name: str) -> str:
    value = item.event.get(name, "")
    return str(value[0] if isinstance(value, list) else value)
