"""POSTs with an Idempotency-Key: executed once, answered the same each time."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from peewee import Expression, Select, fn

from telealarm.errors import Busy, Conflict, Done
from telealarm.models import IdempotencyKey
from telealarm.store.engine import dialect, keys

KEPT = timedelta(hours=24)
# A longer answer is not kept, in characters. The key still is: the POST is not carried out again.
LONGEST_ANSWER = 64 * 1024
# Beyond these, the oldest answers of a login, and then of all, are not kept any longer.
MOST_OF_OWNER, MOST_OF_ALL = 4 * 1024**2, 64 * 1024**2
# Beyond so many keys of a login, the oldest are forgotten.
MOST_KEYS = 100_000
# The limits are checked once for so many rows, so they may be exceeded by so many answers.
_OWNERS_EVERY, _ALL_EVERY = 32, 512
NO_ANSWER = ""
# The encrypted text of no answer is not longer than this.
_LENGTH_OF_NONE = 120
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
    key was used with another body, Done if the first answer is not kept any longer, Busy if another
    process handles the same POST now.
    """
    post = replace(post, key=keyed(post.key), digest=keyed(post.digest))
    _lock(post)
    _sweep(now)
    first = _first(post)
    if first is not None and now - first.created < KEPT:
        if first.digest != post.digest:
            raise Conflict("This Idempotency-Key was used with another body; take a new one.")
        if first.body == NO_ANSWER:
            raise Done(first.headers.get("Location"))
        return Answer(first.status, json.loads(first.body), first.headers, replayed=True)
    if first is not None:
        first.delete_instance()
    answer = replace(work(), replayed=False)
    body = json.dumps(answer.body)
    row = IdempotencyKey.create(
        owner=post.owner_id,
        path=post.path,
        key=post.key,
        digest=post.digest,
        status=answer.status,
        headers=answer.headers,
        body=body if len(body) <= LONGEST_ANSWER else NO_ANSWER,
        created=now,
    )
    _limit(row)
    return answer


def keyed(text: str) -> str:
    """Return what is stored of a key, and of a body's digest: nobody can guess what it was."""
    return keys.current().digest("repeated requests", text)


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


def _limit(row: IdempotencyKey) -> None:
    """From time to time, forget the oldest answers beyond the limits, and the owner's oldest keys.

    It reads all answers that count, so it is not done for each row.
    """
    of_owner = IdempotencyKey.owner == row.owner_id
    if row.id % _OWNERS_EVERY == 0:
        newest = IdempotencyKey.select(IdempotencyKey.id).where(of_owner)
        over = newest.order_by(IdempotencyKey.id.desc()).offset(MOST_KEYS).limit(1).scalar()
        if over is not None:
            IdempotencyKey.delete().where(of_owner, IdempotencyKey.id <= over).execute()
        _forget_answers(of_owner, MOST_OF_OWNER)
    if row.id % _ALL_EVERY == 0:
        _forget_answers(IdempotencyKey.id > 0, MOST_OF_ALL)


def _forget_answers(some: Expression, most: int) -> None:
    """Empty the oldest answers among `some` rows, so that the others have `most` characters."""
    length = fn.LENGTH(IdempotencyKey.body).coerce(False)
    so_far = fn.SUM(length).over(order_by=[IdempotencyKey.id.desc()]).coerce(False)
    sums = IdempotencyKey.select(IdempotencyKey.id, so_far.alias("so_far")).where(some)
    sums = sums.alias("sums")
    too_old = Select([sums], [sums.c.id]).where(sums.c.so_far > most)
    IdempotencyKey.update(body=NO_ANSWER).where(
        IdempotencyKey.id.in_(too_old), length > _LENGTH_OF_NONE
    ).execute()


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
