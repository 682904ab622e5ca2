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
from telealarm.words import AuditRoad

# By field: the value before and after.
Changes = Mapping[str, tuple[Any, Any]]

# What stands instead of a secret.
CHANGED = "changed"
_CHUNK = 200

_gathered: ContextVar[list[dict[str, Any]] | None] = ContextVar("_gathered", default=None)


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
    row = {
        "owner": owner_id,
        "at": utcnow(),
        "who": actor.name,
        "road": actor.road.value,
        "token": actor.token,
        "resource": resource,
        "object_id": object_id,
        "action": action,
        "changes": {name: list(values) for name, values in changes.items()},
    }
    waiting = _gathered.get()
    if waiting is None:
        AuditEntry.insert(row).execute()
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
    rows: list[dict[str, Any]] = []
    token = _gathered.set(rows)
    try:
        yield
    finally:
        _gathered.reset(token)
    for first in range(0, len(rows), _CHUNK):
        AuditEntry.insert_many(rows[first : first + _CHUNK]).execute()


def mentions(resource: str, object_id: int) -> bool:
    """Return whether a row about this object waits in `together`."""
    return any(
        (row["resource"], row["object_id"]) == (resource, object_id)
        for row in _gathered.get() or ()
    )
