"""Alarm methods. A new method is one new file here, with a `METHOD`. No other file changes."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from telealarm.methods.base import AlarmMethod, MessageMethod, MissingMethod


@cache
def alarm_methods() -> Mapping[int, AlarmMethod]:
    """Return all methods, by the number in an alarm's row."""
    methods: dict[int, AlarmMethod] = {}
    for module in pkgutil.iter_modules(__path__):
        method = getattr(importlib.import_module(f"{__name__}.{module.name}"), "METHOD", None)
        if not isinstance(method, AlarmMethod):
            continue
        if method.number in methods:
            raise ValueError(f"{methods[method.number].name} has the number {method.number} too")
        methods[method.number] = method
    return dict(sorted(methods.items()))


def of(number: int) -> AlarmMethod:
    """Return the method with this number, or a stand-in that fails if its file is missing."""
    return alarm_methods().get(number) or MissingMethod(number)


def of_message(number: int) -> MessageMethod:
    """Return the method with this number, for an alarm or a message that is not a call."""
    method = alarm_methods().get(number)
    return method if isinstance(method, MessageMethod) else MissingMethod(number)


def named(text: str) -> AlarmMethod | None:
    """Return the method with this number or name, or None. The API takes both."""
    text = text.strip().lower()
    for method in alarm_methods().values():
        if text in (str(method.number), method.name):
            return method
    return None


def on_channel() -> list[int]:
    """Return the numbers of the methods whose attempts are calls."""
    return [method.number for method in alarm_methods().values() if method.uses_channel]


def by_gateway() -> list[int]:
    """Return the numbers of the methods whose messages are sent by an SMS gateway."""
    return [method.number for method in alarm_methods().values() if method.uses_gateway]
