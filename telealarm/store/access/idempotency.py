"""POSTs with an Idempotency-Key: executed once, answered the same each time."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from telealarm.errors import Busy, Conflict
from telealarm.models import IdempotencyKey
from telealarm.store.engine import dialect

KEPT = timedelta(hours=24)
_SWEPT_AT_ONCE = 100


@dataclass(frozen=True)
class Answer:
    """The answer to a request. `body` is what JSON can express."""

    status: int
    body: Any
    headers: dict[str, str]
    # Whether this is a repeated answer.
    replayed: bool = False


@dataclass(frozen=True)
class Post:
    """A POST with a key. `digest` identifies its body."""

    owner_id: int
    path: str
    key: str
    digest: str


def once(post: Post, work: Callable[[], Answer], now: datetime) -> Answer:
    """Return the first answer to `post`, or that of `work`, which is stored for 24 hours.

    Call it within a write. The changes of `work` and its answer are committed together, so a crash
    keeps both or neither. If `work` raises, nothing of the key is stored. Raises Conflict if the
    key was used with another body, Busy if another process handles the same POST now.
    """
    _lock(post)
    _sweep(now)
    first = _first(post)
    if first is not None and now - first.created < KEPT:
        if first.digest != post.digest:
            raise Conflict("This Idempotency-Key was used with another body; take a new one.")
        return Answer(first.status, json.loads(first.body), first.headers, replayed=True)
    if first is not None:
        first.delete_instance()
    answer = replace(work(), replayed=False)
    IdempotencyKey.create(
        owner=post.owner_id,
        path=post.path,
        key=post.key,
        digest=post.digest,
        status=answer.status,
        headers=answer.headers,
        body=json.dumps(answer.body),
        created=now,
    )
    return answer


def _first(post: Post) -> IdempotencyKey | None:
    return IdempotencyKey.get_or_none(
        IdempotencyKey.owner == post.owner_id,
        IdempotencyKey.path == post.path,
        IdempotencyKey.key == post.key,
    )


def _lock(post: Post) -> None:
    """Hold the post's lock until the end of the transaction. Raises Busy if another has it.

    It never waits. Two processes that wait for each other's keys, each in a batch of writes, would
    be a deadlock, and both batches would fail.
    """
    name = f"{post.owner_id}\0{post.path}\0{post.key}".encode()
    number = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    if not dialect.try_lock(IdempotencyKey._meta.database, number):
        raise Busy


def _sweep(now: datetime) -> None:
    """Delete some old answers, except those that another process is deleting."""
    old = (
        IdempotencyKey.select(IdempotencyKey.id)
        .where(IdempotencyKey.created <= now - KEPT)
        .limit(_SWEPT_AT_ONCE)
    )
    ids = [row.id for row in dialect.skip_locked(old)]
    if ids:
        IdempotencyKey.delete().where(IdempotencyKey.id.in_(ids)).execute()
