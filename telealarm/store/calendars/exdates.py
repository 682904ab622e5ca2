"""The `exdate` of a series: each must fit an occurrence, or it would silently do nothing."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from telealarm.errors import Invalid
from telealarm.models import Event
from telealarm.rules import dates
from telealarm.rules.recurrence import Series
from telealarm.store.calendars import series
from telealarm.store.engine import time_zones

_TICK = datetime.resolution
_DAY = timedelta(days=1)


def check(event: Event, there: Collection[str]) -> None:
    """Refuse an exdate of the event that fits no occurrence, unless it is `there` already.

    Raises Invalid on `exdate`.
    """
    new = [text for text in event.exdate if text not in there]
    if not new:
        return
    pattern = series.of(event)
    if pattern is None:
        raise Invalid({"exdate": ["the event does not recur; give it a rule, or leave this empty"]})
    wrong = unfit(event, pattern, new)
    if wrong:
        some = ", ".join(wrong[:5]) + (" and others" if len(wrong) > 5 else "")
        raise Invalid({"exdate": [f"there is no occurrence at {some}; occurrences/ lists them"]})


def unfit(event: Event, pattern: Series, texts: Sequence[str]) -> list[str]:
    """Return those of the exdates that fit no occurrence of the series."""
    whole = replace(pattern, exdates=frozenset())
    return [text for text in texts if not _occurs(whole, moment(event, text))]


def moment(event: Event, text: str) -> datetime:
    """Return the moment (UTC) of an exdate of the event."""
    return dates.to_utc(datetime.fromisoformat(text), time_zones.of_event(event))


def carried(event: Event, before: Series | None) -> list[str]:
    """Return the exdate of an edited event, whose series was `before`.

    An occurrence that was cancelled stays so if its series has another time on that day now.
    """
    after = series.of(event)
    if before is None or after is None or before == after:
        return event.exdate
    whole, zone = replace(after, exdates=frozenset()), time_zones.of_event(event)
    kept = []
    for text in event.exdate:
        at = moment(event, text)
        if not _occurs(whole, at) and _occurs(replace(before, exdates=frozenset()), at):
            day = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            first = dates.to_utc(day.replace(tzinfo=None), zone)
            there = [one.start for one in whole.occurrences(first, first + _DAY, 2)]
            if len(there) == 1:
                text = there[0].astimezone(zone).replace(tzinfo=None).isoformat()
        kept.append(text)
    return kept


def _occurs(pattern: Series, at: datetime) -> bool:
    return bool(pattern.occurrences(at, at + _TICK, 1))
