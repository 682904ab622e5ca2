"""Calling hours, expiry and notice: when an alarm may ring, and until when it is wanted."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def opening(at: datetime, start: time, stop: time, zone: ZoneInfo) -> datetime:
    """`at` where it lies within the calling hours, else the next moment at which they open (UTC).

    The hours are local to the recipient's `zone`, both ends included to the second, and may cross
    midnight (22:00 to 06:00). An opening that falls into a gap of the clock is moved forward by
    the gap; one that comes twice opens the first time.
    """
    local = at.astimezone(zone)
    clock = local.time().replace(microsecond=0)
    inside = start <= clock <= stop if start <= stop else clock >= start or clock <= stop
    if inside:
        return at
    for days in (0, 1, 2):
        naive = datetime.combine(local.date() + timedelta(days=days), start)
        # A local time in a gap maps, through the offset before it, to the same span after it.
        opened = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if opened > at:
            return opened
    raise AssertionError("the hours open once a day")


def expiry(
    *, due: datetime, start: datetime, end: datetime, max_lateness_seconds: int | None
) -> datetime:
    """The moment past which nobody wants this alarm any more.

    The event's start for a reminder that was due before it, else the event's end;
    `max_lateness_seconds` after `due` overrides both.
    """
    if max_lateness_seconds is not None:
        return due + timedelta(seconds=max_lateness_seconds)
    return start if due < start else end
