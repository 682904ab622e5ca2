"""What a poll of a feed would make of its source, for who sets up the feed."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.feeds import selection
from telealarm.importing import ics
from telealarm.importing.draft import Draft, Rejected
from telealarm.importing.vevent import Item
from telealarm.models import CalendarFeed

# So many events and faults are shown.
_SHOWN = 50


def preview(feed: CalendarFeed, data: bytes, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    """Return the events of the source as JSON: those that count, each with its number."""
    wish = selection.wish(feed, zone, now)
    left_out = 0

    def counts(item: Item) -> bool:
        nonlocal left_out
        is_meant = wish.counts(item)
        left_out += not is_meant
        return is_meant

    chosen = ics.Wish(
        wish.number, wish.advance_seconds, wish.zone, wish.now, wish.find_number, counts
    )
    found = list(ics.read_bytes(data, "the source", chosen))
    drafts = [one for one in found if isinstance(one, Draft)]
    refused = [f"line {one.line}: {one.message}" for one in found if isinstance(one, Rejected)]
    return {
        "count": len(drafts),
        "left_out": left_out,
        "without_number": sum(not draft.alarms for draft in drafts),
        "events": [_shown(draft) for draft in drafts[:_SHOWN]],
        "refused": refused[:_SHOWN],
    }


def _shown(draft: Draft) -> dict[str, Any]:
    numbers = [alarm["alarm_phonenumber"] for alarm in draft.alarms]
    return {
        "title": draft.event["title"],
        "start": draft.event["start"],
        "number": numbers[0] if numbers else None,
        "cancelled": draft.cancelled,
    }
