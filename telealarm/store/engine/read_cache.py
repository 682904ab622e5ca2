"""Reads a value once while many rows are written: other writers wait during that time."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from peewee import JOIN

from telealarm.models import BaseModel, CalendarSetting, CalendarUserProfile
from telealarm.store.engine.joined import Joined
from telealarm.store.engine.prepared import Given

T = TypeVar("T")

_PROFILE = Joined(
    CalendarUserProfile,
    (CalendarSetting, CalendarUserProfile, "calendar_setting"),
    build=lambda columns: (
        CalendarUserProfile.select(*columns)
        .join(CalendarSetting, JOIN.LEFT_OUTER)
        .where(CalendarUserProfile.user == Given("user", CalendarUserProfile.user))
    ),
)

_memory: ContextVar[dict[Hashable, Any] | None] = ContextVar("_memory", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Remember what `once` reads, for a single transaction."""
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def once(key: Hashable, read: Callable[[], T]) -> T:
    """Return what `read` returns. While remembering, read only once for each key."""
    memory = _memory.get()
    if memory is None:
        return read()
    if key not in memory:
        memory[key] = read()
    return cast(T, memory[key])


def share(row: BaseModel, name: str) -> None:
    """While remembering: give rows that refer to the same row the same object."""
    key = type(row), name, row.__data__[name]
    row.__rel__[name] = once(key, lambda: getattr(row, name))


def know(key: Hashable, value: object) -> None:
    """While remembering: keep what was read with other rows, so that `once` does not read it."""
    memory = _memory.get()
    if memory is not None:
        memory[key] = value


def know_profile(user_id: int, profile: CalendarUserProfile | None) -> None:
    """While remembering: keep a profile that was read with other rows."""
    know(("profile", user_id), profile)


def known(key: Hashable) -> Any:
    """Return what is known under the key; None if nothing is."""
    return (_memory.get() or {}).get(key)


def profile_of(user_id: int) -> CalendarUserProfile | None:
    """Return the profile of a calendar user: how their alarms call, their zone and rights."""
    return once(
        ("profile", user_id),
        lambda: next(iter(_PROFILE.rows(user=user_id)), None),
    )
