"""The plan as text: what would be called, put off or left out; the load; the clock changes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.models import User
from telealarm.store.dry_run import dry_run, load
from telealarm.store.dry_run.dry_run import Planned
from telealarm.store.engine import time_zones
from telealarm.words import ClockChange

# The most entries at once. For a longer plan use smaller --days.
MOST = 100_000

_TOUCHED = {
    ClockChange.GAP: "the clock is put on over its time; it is rung later by that",
    ClockChange.TWICE: "the clock is put back and its time comes twice",
}


def show(days: int, now: datetime, say: Callable[[str], None]) -> None:
    """Print the plan of all users from `now` on, line by line. Times are local to each event."""
    zone = time_zones.configured()
    before = now + timedelta(days=days)
    everybody = User(username="-", is_superuser=True)
    entries = dry_run.entries(everybody, now, now, before, MOST)
    planned = []
    say("at\taction\tnumber\talarm\tevent\twhy\tuntil")
    for entry in dry_run.decided(entries):
        planned.append(entry)
        say(_line(entry))
    if len(entries) == MOST:
        say(f"... and more: these are the first {MOST}; ask for fewer --days")
    say(f"\nload (hours in {zone})\ngateway\tcalls")
    for part in load.per_hour(planned):
        say(f"{part.hour.astimezone(zone):%Y-%m-%d %H:%M %Z}\t{part.gateway}\t{part.calls}")
    say("\nclock changes")
    for entry in planned:
        if entry.change is not None:
            start = _local(entry.start, entry.zone)
            say(f"{start}\talarm {entry.alarm_id}\t{entry.title}\t{_TOUCHED[entry.change]}")


def _line(entry: Planned) -> str:
    until = _local(entry.until, entry.zone) if entry.until else "-"
    at = _local(entry.at, entry.zone)
    words = (at, entry.action, entry.number, entry.alarm_id, entry.title, entry.why or "-", until)
    return "\t".join(map(str, words))


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds")
