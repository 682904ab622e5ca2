"""The audit log: each write by a login, a token or a command is a row of the same transaction."""

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from telealarm.clock import utcnow
from telealarm.models import AuditEntry, User
from telealarm.store.engine.prepared import Prepared, insertion
from telealarm.words import AuditRoad

# By field: the value before and after.
Changes = Mapping[str, tuple[Any, Any]]

# What stands instead of a secret.
CHANGED = "changed"

_INSERT = Prepared(
    AuditEntry,
    lambda: insertion(
        "entries",
        *(AuditEntry.owner, AuditEntry.at, AuditEntry.who, AuditEntry.road, AuditEntry.token),
        *(AuditEntry.resource, AuditEntry.object_id, AuditEntry.action, AuditEntry.changes),
    ),
)
# The places of these columns in a row.
_RESOURCE, _OBJECT = 5, 6
_Row = tuple[Any, ...]

_gathered: ContextVar[list[_Row] | None] = ContextVar("_gathered", default=None)


@dataclass(frozen=True)
class Actor:
    """Who writes: the name of a login or of the system's user, and by which road."""

    name: str
    road: AuditRoad
    # The id of the token that was used.
    token: int | None = None


def by_login(login: User) -> Actor:
    """Return the actor of a request by this login."""
    road = AuditRoad.PASSWORD if login.token_id is None else AuditRoad.TOKEN
    return Actor(login.username, road, login.token_id)


def by_command(road: AuditRoad = AuditRoad.COMMAND) -> Actor:
    """Return the actor of a command: the system's user who runs it, also behind sudo."""
    name = os.environ.get("SUDO_USER", "")
    with suppress(OSError, KeyError):
        name = name or getpass.getuser()
    return Actor((name or str(os.getuid()))[:150], road)


def add(
    actor: Actor,
    resource: str,
    object_id: int | None,
    action: str,
    changes: Changes,
    *,
    owner_id: int | None,
) -> None:
    """Add a row. Call it within the write. Within `together` it waits for the others."""
    shown = {name: list(values) for name, values in changes.items()}
    road = actor.road.value
    row = (owner_id, utcnow(), actor.name, road, actor.token, resource, object_id, action, shown)
    waiting = _gathered.get()
    if waiting is None:
        _INSERT.run(entries=[row])
    else:
        waiting.append(row)


@contextmanager
def together() -> Iterator[None]:
    """Write the rows of many writes in a few statements, at the end of the transaction.

    An inner block that fails takes only its own rows back, as a savepoint does.
    """
    outer = _gathered.get()
    if outer is not None:
        begun = len(outer)
        try:
            yield
        except BaseException:
            del outer[begun:]
            raise
        return
    rows: list[_Row] = []
    token = _gathered.set(rows)
    try:
        yield
    finally:
        _gathered.reset(token)
    _INSERT.run(entries=rows)


def mentions(resource: str, object_id: int) -> bool:
    """Return whether a row about this object waits in `together`."""
    return any(
        row[_RESOURCE : _OBJECT + 1] == (resource, object_id) for row in _gathered.get() or ()
    )
