"""The VALARMs of an event, and the alarms that ring at their moments (RFC 5545 3.6.6)."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from telealarm.importing import durations
from telealarm.importing.content_lines import Component, Property
from telealarm.importing.draft import Body

# More repetitions of one alarm than this are left out.
_MOST = 10
# An alarm at a fixed time so long before its event is a mark of a program, such as Apple's of 1976.
_TOO_EARLY = timedelta(days=366)
# How late an alarm may ring that is due when its event is over (seconds).
_AFTER_THE_END = 3600
# The time of an all-day event's alarm, if the file names none.
_WHOLE_DAY_AT = time(9)
_MOMENT = re.compile(r"[0-9]{8}T[0-9]{6}Z?", re.ASCII)

Notes = list[tuple[int, str]]


@dataclass(frozen=True)
class Trigger:
    """When an alarm rings: at a fixed time (`at`), or so far from the start or the end.

    `days` keep the wall clock, `seconds` are elapsed (RFC 5545 3.3.6). A naive `at` is on the clock
    of the event.
    """

    line: int
    days: int = 0
    seconds: int = 0
    from_end: bool = False
    at: datetime | None = None


@dataclass(frozen=True)
class Timing:
    """The times of an event that its alarms need. The times are aware.

    `start` and `end` are on the clock of the event. `has_end`: the file names its end.
    """

    start: datetime
    end: datetime
    has_end: bool
    whole_day: bool
    recurs: bool


def triggers(alarm: Component, notes: Notes) -> list[Trigger]:
    """Return the moments of a VALARM: more than one if it repeats. Raises ValueError."""
    if alarm.text("ACTION").upper() == "NONE":
        notes.append((alarm.line, "the VALARM with ACTION:NONE counts as no alarm"))
        return []
    if alarm.text("X-APPLE-PROXIMITY") or alarm.text("PROXIMITY"):
        notes.append((alarm.line, "the VALARM that depends on a place is left out"))
        return []
    for item in alarm.all("TRIGGER"):
        first = _trigger(item)
        return [first, *_repetitions(alarm, first, notes)]
    raise ValueError(f"VALARM (line {alarm.line}): has no TRIGGER")


def _trigger(item: Property) -> Trigger:
    value = item.value.strip().upper()
    if _MOMENT.fullmatch(value):
        try:
            at = datetime.strptime(value[:15], "%Y%m%dT%H%M%S")
        except ValueError:
            raise ValueError(f"TRIGGER (line {item.line}): {value!r} is no time") from None
        return Trigger(item.line, at=at.replace(tzinfo=UTC) if value.endswith("Z") else at)
    try:
        duration = durations.parse(value)
    except ValueError as error:
        raise ValueError(f"TRIGGER (line {item.line}): {error}") from None
    from_end = str(item.params.get("RELATED", "")).upper() == "END"
    return Trigger(item.line, duration.days, duration.seconds, from_end)


def _repetitions(alarm: Component, first: Trigger, notes: Notes) -> list[Trigger]:
    """Return the moments by REPEAT and DURATION, after the first."""
    repeat, pause = alarm.text("REPEAT"), alarm.text("DURATION")
    if not repeat and not pause:
        return []
    try:
        times, seconds = int(repeat), durations.parse(pause).length.total_seconds()
    except ValueError:
        times, seconds = 0, 0.0
    if repeat == "0":
        return []
    if times < 1 or seconds <= 0:
        notes.append((alarm.line, "the VALARM rings once: it needs REPEAT and DURATION to repeat"))
        return []
    if times > _MOST:
        notes.append((alarm.line, f"the VALARM repeats {times} times; the first {_MOST} count"))
    return [_later(first, round(n * seconds)) for n in range(1, min(times, _MOST) + 1)]


def _later(trigger: Trigger, seconds: int) -> Trigger:
    if trigger.at is not None:
        return replace(trigger, at=trigger.at + timedelta(seconds=seconds))
    return replace(trigger, seconds=trigger.seconds + seconds)


def bodies(wanted: list[Trigger], timing: Timing, number: str, notes: Notes) -> list[Body]:
    """Return the alarms of the event, as bodies for the API."""
    made: list[Body] = []
    for trigger in wanted:
        if trigger.at is not None:
            body = _fixed(trigger, trigger.at, timing, notes)
        else:
            body = _relative(trigger, timing, notes)
        if body is not None:
            made.append({"alarm_phonenumber": number, **body})
    return made


def _fixed(trigger: Trigger, at: datetime, timing: Timing, notes: Notes) -> Body | None:
    zone = timing.start.tzinfo
    at = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
    if timing.recurs:
        notes.append((trigger.line, f"the alarm at {at.isoformat()} is left out: the event recurs"))
        return None
    if at < timing.start - _TOO_EARLY:
        notes.append(
            (trigger.line, f"the alarm at {at.isoformat()} is left out: over a year too early")
        )
        return None
    return {"advance_notice": 0, "date_start_notice": at.isoformat(), **_late(at, timing)}


def _relative(trigger: Trigger, timing: Timing, notes: Notes) -> Body | None:
    base = timing.start
    if trigger.from_end:
        if not timing.has_end:
            notes.append(
                (trigger.line, "the alarm is left out: the end that it counts from is missing")
            )
            return None
        base = timing.end
    if timing.whole_day:
        # Its hours are on the clock: nine hours after midnight is nine, also if the clock changes.
        wall = _wall(base) + timedelta(days=trigger.days, seconds=trigger.seconds)
        late = _late(_aware(wall, base), timing)
        return {"advance_notice": 0, "date_start_notice": wall.isoformat(), **late}
    early, after = max(0, -trigger.seconds), max(0, trigger.seconds)
    if base is timing.start and not trigger.days and not after:
        return {"advance_notice": early}
    wall = _wall(base) + timedelta(days=trigger.days)
    moment = (_aware(wall, base).astimezone(UTC) + timedelta(seconds=after)).astimezone(base.tzinfo)
    rings = moment - timedelta(seconds=early)
    return {
        "advance_notice": early,
        "date_start_notice": moment.isoformat(),
        **_late(rings, timing),
    }


def _late(rings: datetime, timing: Timing) -> Body:
    """Return how late an alarm may ring that is due at the end of its event or after it."""
    return {"max_lateness": _AFTER_THE_END} if rings >= timing.end else {}


def _wall(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _aware(wall: datetime, like: datetime) -> datetime:
    return wall.replace(tzinfo=like.tzinfo)


def usual(number: str, seconds: int, day: date | None) -> Body:
    """Return the alarm of an event without one: so long before its start, or before nine."""
    body: Body = {"alarm_phonenumber": number, "advance_notice": seconds}
    if day is not None:
        body["date_start_notice"] = datetime.combine(day, _WHOLE_DAY_AT).isoformat()
    return body
