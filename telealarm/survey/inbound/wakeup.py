"""The wake-up door: a caller orders a wake-up call, or hears, changes or cancels it.

room (of an operator) -> is there one? -> time -> half of the day -> once or daily -> keep it?
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time

from telealarm.rules import spoken_dates, wakeup
from telealarm.rules.wakeup import Booked
from telealarm.survey.inbound.dialog import (
    TRIES,
    Ask,
    Dialog,
    DoorRequest,
    Phrase,
    Speak,
    asked,
    ordered,
    say,
)

LONGEST_ROOM = 20


@dataclass(frozen=True)
class FindWakeup(DoorRequest[Booked | None]):
    """Find the wake-up call of a room. The result is a Booked, or None."""

    room: str


@dataclass(frozen=True)
class KeepWakeup(DoorRequest[Booked | None]):
    """Replace the wake-up call of a room. The result is a Booked; None if it is refused."""

    room: str
    clock: time
    daily: bool


@dataclass(frozen=True)
class CancelWakeup(DoorRequest[None]):
    """Cancel the wake-up call of a room."""

    room: str


def order(room: str, *, operator: bool, twelve: bool, language: str) -> Dialog[None]:
    """Order a wake-up call.

    `room` is the number of the calling guest. An operator is asked for a guest's room. `twelve`:
    the time is keyed on a clock of twelve hours.
    """
    if operator:
        keys = yield from asked(Ask((Phrase("wakeup-ask-room"),), LONGEST_ROOM), _room)
        if keys is None:
            return
        room = keys
    if not room:
        yield say("wakeup-refused")
        return
    booked = yield from ordered(FindWakeup(room))
    if booked is not None:
        has = (_phrase("have", booked, language), Phrase("wakeup-change"))
        key = yield from asked(Ask(has, 1), _one_of("23"))
        if key is None:
            return
        if key == "3":
            yield CancelWakeup(room)
            yield say("wakeup-cancelled")
            return
    for _ in range(TRIES):
        clock = yield from _clock(twelve)
        if clock is None:
            return
        which = yield from asked(Ask((Phrase("wakeup-ask-daily"),), 1), _one_of("12"))
        if which is None:
            return
        daily = which == "2"
        heard = Phrase("daily" if daily else "once", {"time": _spoken(clock, language)})
        key = yield from asked(Ask((heard, Phrase("wakeup-confirm")), 1), _one_of("12"))
        if key is None:
            return
        if key == "1":
            kept = yield from ordered(KeepWakeup(room, clock, daily))
            yield Speak((_phrase("kept", kept, language),)) if kept else say("wakeup-refused")
            return
    yield say("goodbye")


def _clock(twelve: bool) -> Dialog[time | None]:
    def take(keys: str) -> str | None:
        return keys if wakeup.parse(keys, afternoon=False if twelve else None) else None

    ask = Ask((Phrase("wakeup-ask-time"),), 4)
    keys = yield from asked(ask, take, "wakeup-wrong-time")
    if keys is None or not twelve:
        return wakeup.parse(keys) if keys else None
    half = yield from asked(Ask((Phrase("wakeup-ask-half"),), 1), _one_of("12"))
    return wakeup.parse(keys, afternoon=half == "2") if half else None


def _one_of(offered: str) -> Callable[[str], str | None]:
    return lambda key: key if key and key in offered else None


def _room(keys: str) -> str | None:
    return keys or None


def _phrase(kind: str, booked: Booked, language: str) -> Phrase:
    if booked.daily:
        return Phrase(f"{kind}_daily", {"time": spoken_dates.clock(booked.start, language)})
    day = spoken_dates.day(booked.start, language, booked.start.date())
    return Phrase(f"{kind}_once", {"day": day, "time": spoken_dates.clock(booked.start, language)})


def _spoken(clock: time, language: str) -> str:
    return spoken_dates.clock(datetime.combine(datetime.min, clock), language)
