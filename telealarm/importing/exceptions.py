"""The occurrences of a series that a file cancels (EXDATE) or replaces (RECURRENCE-ID)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from telealarm.errors import RecurrenceError
from telealarm.importing.draft import Draft
from telealarm.rules import dates
from telealarm.rules.recurrence import Series, parse

_TICK = datetime.resolution
_DAY = timedelta(days=1)


class Places:
    """Finds the occurrences of a draft's series."""

    def __init__(self, draft: Draft, local: ZoneInfo) -> None:
        name = draft.event["timezone"]
        self._zone = ZoneInfo(name) if name else local
        self._series = self._rule(draft)

    def _rule(self, draft: Draft) -> Series | None:
        """Return the series. None: the rule is wrong, and is refused when it is written."""
        try:
            start = datetime.fromisoformat(draft.event["start"])
            zone = ZoneInfo(draft.rule_timezone) if draft.rule_timezone else self._zone
            if start.tzinfo is not None or zone != self._zone:
                start = dates.to_utc(start, self._zone).astimezone(zone).replace(tzinfo=None)
            return Series(start, zone, parse("", "", draft.rrule))
        except ValueError:
            return None

    def of(self, moment: date) -> list[datetime] | None:
        """Return the occurrences that `moment` means. None: the rule is wrong.

        A time means the occurrence at it. A date means all of that day; so does midnight, if
        nothing occurs then and one occurrence is on that day: some programs write dates so.
        """
        if self._series is None:
            return None
        try:
            return self._find(self._series, moment)
        except RecurrenceError:
            return None
        except ValueError:
            return []

    def _find(self, series: Series, moment: date) -> list[datetime]:
        if isinstance(moment, datetime):
            at = dates.to_utc(moment, self._zone)
            there = series.occurrences(at, at + _TICK, 1)
            if there or moment.time() != time():
                return [occurrence.start for occurrence in there]
        day = datetime(moment.year, moment.month, moment.day)
        first, after = dates.to_utc(day, self._zone), dates.to_utc(day + _DAY, self._zone)
        found = [occurrence.start for occurrence in series.occurrences(first, after, 1441)]
        return found if len(found) <= 1 or not isinstance(moment, datetime) else []

    def moment(self, value: datetime) -> datetime:
        """Return `value` in UTC. Without a zone it is on the clock of the event."""
        return dates.to_utc(value, self._zone)

    def wall(self, moment: datetime) -> str:
        """Return an occurrence as a text for the API: naive, on the clock of the event."""
        local = moment.astimezone(self._zone)
        # Only its offset distinguishes the second of two equal wall times.
        return (local if local.fold else local.replace(tzinfo=None)).isoformat()
