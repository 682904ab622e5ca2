"""The plan as text: what would be called, put off or left out; the load; what the clocks touch."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.models import User
from telealarm.store.dry_run import dry_run, load
from telealarm.store.dry_run.dry_run import Planned
from telealarm.store.engine import time_zones
from telealarm.words import ClockChange

# What is worked out in one go; a longer plan is asked for in parts, by --days.
MOST = 100_000

_TOUCHED = {
    ClockChange.GAP: "the clock is put on over its time; it is rung later by that",
    ClockChange.TWICE: "the clock is put back and its time comes twice",
}


def show(days: int, now: datetime, say: Callable[[str], None]) -> None:
    """Say the plan of everybody from `now` on, line by line. Times are local to each event."""
    zone = time_zones.configured()
    before = now + timedelta(days=days)
    everybody = User(username="-", is_superuser=True)
    found = dry_run.entries(everybody, now, now, before, MOST)
    planned = []
    say("at\taction\tnumber\talarm\tevent\twhy\tuntil")
    for one in dry_run.decided(found):
        planned.append(one)
        say(_line(one))
    if len(found) == MOST:
        say(f"... and more: these are the first {MOST}; ask for fewer --days")
    say(f"\nload (hours in {zone})\ngateway\tcalls")
    for part in load.per_hour(planned):
        say(f"{part.hour.astimezone(zone):%Y-%m-%d %H:%M %Z}\t{part.gateway}\t{part.calls}")
    say("\nclock changes")
    for one in planned:
        if one.change is not None:
            start = _local(one.start, one.zone)
            say(f"{start}\talarm {one.alarm_id}\t{one.title}\t{_TOUCHED[one.change]}")


def _line(one: Planned) -> str:
    until = _local(one.until, one.zone) if one.until else "-"
    at = _local(one.at, one.zone)
    words = (at, one.action, one.number, one.alarm_id, one.title, one.why or "-", until)
    return "\t".join(map(str, words))


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(sep=" ", timespec="seconds")
