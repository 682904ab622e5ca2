"""How a rule is written: as frequency and params of Newfies-Dialer, or as RFC 5545 RRULE text."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any

from telealarm.rules.recurrence.rule import WEEKDAYS, Frequency, Recurrence, Weekday

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}", re.ASCII)
_WEEKDAY = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(WEEKDAYS)})", re.ASCII)
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.ASCII)

# Rules are short; this limits the work of the parser.
_LONGEST = 10_000


def parse(frequency: str, params: str, rrule: str | None) -> Recurrence:
    """Return the rule of a row of the rule table. If `rrule` is given, only it counts.

    `params` is in Newfies-Dialer's form: `count:10;byweekday:0,1,2,3,4`. Weekdays are numbers from
    Monday 0, or `TU,WE`, `1MO`. `rrule` is an RRULE value of RFC 5545 3.3.10; BYEASTER is allowed
    too. A naive UNTIL is on the wall clock of the series. UNTIL with only a date includes that day.

    Raises ValueError with one sentence that says what would be correct.
    """
    if len(params) > _LONGEST or len(rrule or "") > _LONGEST:
        raise ValueError(f"a rule is no longer than {_LONGEST} characters")
    if rrule and rrule.strip():
        return _from_rrule(rrule)
    return _from_params(frequency, params)


def _from_rrule(text: str) -> Recurrence:
    body = re.sub(r"^RRULE:", "", text.strip().upper())
    parts = _split(body, "=", "FREQ=DAILY;INTERVAL=2")
    unknown = parts.keys() - _RRULE.keys() - {"FREQ"}
    if unknown:
        raise ValueError(f"{min(unknown)} is no part of an RRULE; there are FREQ, {_known(_RRULE)}")
    if "FREQ" not in parts:
        raise ValueError("an RRULE needs FREQ, such as FREQ=DAILY")
    chosen = _frequency(parts.pop("FREQ"), "FREQ")
    values = {name.lower(): _RRULE[name](name, value) for name, value in parts.items()}
    return Recurrence(chosen, **values)


def _from_params(frequency: str, params: str) -> Recurrence:
    parts = _split(params.lower(), ":", "count:10;byweekday:0,1")
    unknown = parts.keys() - _PARAMS.keys()
    if unknown:
        raise ValueError(f"{min(unknown)} is no param of a rule; there are {_known(_PARAMS)}")
    chosen = _frequency(frequency.strip().upper(), "frequency")
    values = {name: _PARAMS[name](name, value) for name, value in parts.items()}
    if "byweekday" in values:
        values["byday"] = values.pop("byweekday")
    return Recurrence(chosen, **values)


def _split(text: str, sign: str, example: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for piece in text.strip().removesuffix(";").split(";") if text.strip() else []:
        name, separator, value = (side.strip() for side in piece.partition(sign))
        if not (name and separator and value):
            raise ValueError(f"{piece!r} is no part of a rule; write it like {example}")
        if name in parts:
            raise ValueError(f"{name} is given twice; give all its values at once, with commas")
        parts[name] = value
    return parts


def _known(parts: Mapping[str, object]) -> str:
    return ", ".join(parts)


def _frequency(word: str, name: str) -> Frequency:
    if word not in Frequency.__members__:
        raise ValueError(f"{name} must be one of {', '.join(Frequency)}")
    return Frequency(word)


def _number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{name} takes whole numbers, not {text!r}")
    return int(text)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    return tuple(sorted({_number(name, piece) for piece in text.split(",")}))


def _seconds(name: str, text: str) -> tuple[int, ...]:
    """RFC 5545 3.3.12: without leap seconds, second 60 is second 59."""
    return tuple(sorted({59 if number == 60 else number for number in _numbers(name, text)}))


def _weekday(name: str, text: str) -> Weekday:
    match = _WEEKDAY.fullmatch(text.strip().upper())
    if match is None or (match[1] and int(match[1]) == 0):
        raise ValueError(f"{name} takes weekdays like MO, 1MO or -1FR, not {text!r}")
    return Weekday(WEEKDAYS.index(match[2]), int(match[1] or 0))


def _weekdays(name: str, text: str) -> tuple[Weekday, ...]:
    return tuple(sorted({_weekday(name, piece) for piece in text.split(",")}))


def _weekdays_or_numbers(name: str, text: str) -> tuple[Weekday, ...]:
    """Parse `0,1` or `MO,TU`. Monday is 0, as in dateutil."""
    return tuple(
        sorted(
            {
                Weekday(_number(name, piece))
                if _NUMBER.fullmatch(piece.strip())
                else _weekday(name, piece)
                for piece in text.split(",")
            }
        )
    )


def _week_start(name: str, text: str) -> int:
    if text not in WEEKDAYS:
        raise ValueError(f"{name} must be one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(text)


def _until(name: str, text: str) -> datetime:
    match = _UNTIL.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        day = datetime.strptime(match[1], "%Y%m%d")
        if match[2] is None:
            return datetime.combine(day, time(23, 59, 59))
        # The second 60 of a leap second is second 59 (RFC 5545 3.3.12).
        clock = match[2][:4] + ("59" if match[2][4:] == "60" else match[2][4:])
        moment = datetime.combine(day, datetime.strptime(clock, "%H%M%S").time())
    except ValueError:
        raise ValueError(
            f"{name} must be a date like 20261231 or a time like 20261231T090000Z, not {text!r}"
        ) from None
    return moment.replace(tzinfo=UTC) if match[3] else moment


_RRULE: Mapping[str, Callable[[str, str], Any]] = {
    "INTERVAL": _number,
    "COUNT": _number,
    "UNTIL": _until,
    "WKST": _week_start,
    "BYSECOND": _seconds,
    "BYMINUTE": _numbers,
    "BYHOUR": _numbers,
    "BYDAY": _weekdays,
    "BYMONTHDAY": _numbers,
    "BYYEARDAY": _numbers,
    "BYWEEKNO": _numbers,
    "BYMONTH": _numbers,
    "BYSETPOS": _numbers,
    "BYEASTER": _numbers,
}

_PARAMS: Mapping[str, Callable[[str, str], Any]] = {
    "count": _number,
    "interval": _number,
    "bysetpos": _numbers,
    "bymonth": _numbers,
    "bymonthday": _numbers,
    "byyearday": _numbers,
    "byweekno": _numbers,
    "byweekday": _weekdays_or_numbers,
    "byhour": _numbers,
    "byminute": _numbers,
    "bysecond": _seconds,
    "byeaster": _numbers,
}
