"""The distance of an alarm from its event: on the wall clock, so that 9:00 stays 9:00."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.models import Alarm, Event
from telealarm.rules import dates
from telealarm.store.engine import crud, time_zones
from telealarm.words import AT_ONCE


def notice(alarm: Alarm, event: Event) -> datetime:
    """Return date_start_notice of an alarm, if `event` is its event."""
    if alarm.trigger in AT_ONCE:
        return alarm.created_date
    if not alarm.offset:
        return event.start
    if alarm.offset_elapsed:
        return event.start + timedelta(seconds=alarm.offset)
    return shown(alarm, event.start, event.said_start, time_zones.of_event(event))


def shown(alarm: Alarm, start: datetime, said_start: str | None, zone: ZoneInfo) -> datetime:
    """Return date_start_notice for an event that begins at `start`."""
    distance = timedelta(seconds=alarm.offset)
    if alarm.offset_elapsed or not distance:
        return start + distance
    wall = dates.wall_clock(start, zone, said_start)
    return dates.at_distance(start, wall, distance, zone, alarm.offset_fold)


def columns(event: Event, wanted: datetime) -> dict[str, Any]:
    """Return the columns of an alarm with its date_start_notice at `wanted`.

    A naive `wanted` is on the wall clock of the event. Raises ValueError.
    """
    zone = time_zones.of_event(event)
    moment = dates.to_utc(wanted, zone)
    wall = dates.wall_clock(event.start, zone, event.said_start)
    local = moment.astimezone(zone)
    skipped = wanted.tzinfo is None and local.replace(tzinfo=None, fold=0) != wanted
    naive = wanted if skipped else local.replace(tzinfo=None, fold=0)
    distance = timedelta(seconds=round((naive - wall).total_seconds()))
    exact = timedelta(seconds=round((moment - event.start).total_seconds()))
    found = dates.at_distance(event.start, wall, distance, zone, local.fold)
    if skipped or abs(found - moment) < timedelta(seconds=1):
        return _columns(distance, elapsed=False, fold=local.fold)
    return _columns(exact, elapsed=True, fold=0)


def read_elapsed() -> None:
    """Read the elapsed distances of an older version on the wall clock. No alarm moves."""
    alarms = Alarm.select(Alarm.id).where(Alarm.offset_elapsed, Alarm.about.is_null())
    for ids in crud.chunks([alarm.id for alarm in alarms]):
        for alarm in Alarm.select(Alarm, Event).join(Event).where(Alarm.id.in_(ids)):
            moment = alarm.event.start + timedelta(seconds=alarm.offset)
            try:
                values = columns(alarm.event, moment)
            except ValueError:
                continue  # a year that no event may have now
            Alarm.update(values).where(Alarm.id == alarm.id).execute()


def _columns(distance: timedelta, *, elapsed: bool, fold: int) -> dict[str, Any]:
    seconds = round(distance.total_seconds())
    return {"offset": seconds, "offset_elapsed": elapsed, "offset_fold": fold}
