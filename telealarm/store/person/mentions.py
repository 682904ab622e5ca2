"""Finds and blanks the texts that name a person, in every table and column.

The columns are read from the models: a new table is covered unasked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import CharField, Expression, Field, IntegrityError, JSONField, TextField, fn

from telealarm.models import ALL, BaseModel, Erasure, IdempotencyKey, Installation, Worker
from telealarm.models import Person as PersonRow
from telealarm.models.encrypted import ENCRYPTED
from telealarm.rules.person import ERASED, Words
from telealarm.store.engine import search_index
from telealarm.store.person import found, people

# How many ids one statement looks through, so that none takes long.
SPAN = 20_000
# Nothing personal is in them, or the erasure itself needs them.
_TABLES = {Erasure, Installation, Worker}
# Columns that name no person: keys, hashes, words of ours.
_COLUMNS = {
    *("password_hash", "digest", "secret", "old_secret", "key_check", "import_digest", "digests"),
    *("phone_digest", "e164_digest", "email_digest", "status_reason", "timezone", "region"),
    *("language", "tts_language", "uid_digest", "message_id", "request_uuid", "aleg_uuid"),
    *("worker", "encoding", "disposition", "delivery", "kind", "frequency", "on_unknown"),
    *("missed_policy", "snooze_key", "resource", "action", "road", "record_file", "calling_days"),
    "carer_mode",
}


@dataclass(frozen=True)
class Mention:
    """A row whose columns name the person: their values, and what they are without."""

    model: type[BaseModel]
    id: int
    columns: Mapping[str, tuple[Any, Any]]


def tables() -> list[type[BaseModel]]:
    """Return the tables that may name a person."""
    return [model for model in ALL if model not in _TABLES and texts(model)]


def texts(model: type[BaseModel]) -> list[Field]:
    """Return the columns of the table that may name a person."""
    return [
        column
        for name, column in model._meta.fields.items()
        if isinstance(column, CharField | TextField | JSONField) and name not in _COLUMNS
    ]


def spans(model: type[BaseModel]) -> list[tuple[int, int]]:
    """Return the ranges of ids of the table, as first and last."""
    low = model.select(fn.MIN(model.id)).scalar()
    high = model.select(fn.MAX(model.id)).scalar()
    if low is None or high is None:
        return []
    return [(first, min(first + SPAN - 1, high)) for first in range(low, high + 1, SPAN)]


def find(
    model: type[BaseModel],
    span: tuple[int, int],
    words: Words,
    owner: int | None,
    spared: Collection[int] = (),
) -> list[Mention]:
    """Return the rows of the table in a range of ids that name the person.

    `owner`: only a manager's rows. `spared`: rows that are left as they are.
    """
    rough = words.rough()
    mine = None if owner is None else found.owned(model, owner)
    if not rough or (owner is not None and mine is None):
        return []
    columns = texts(model)
    query = model.select(model.id, *columns).where(model.id.between(*span))
    # The database cannot search what is encrypted: then every row is read.
    if not any(isinstance(column, ENCRYPTED) for column in columns):
        likely = _any([column.cast("text") ** pattern for column in columns for pattern in rough])
        query = query.where(likely)
    if mine is not None:
        query = query.where(mine)
    mentions = []
    for row in query:
        changed = {
            column.name: (value, blanked)
            for column in columns
            if (value := row.__data__.get(column.name)) not in (None, "")
            and (blanked := _blank(words, column, value)) != value
        }
        if changed and row.id not in spared:
            mentions.append(Mention(model, row.id, changed))
    return mentions


def blank(mention: Mention) -> None:
    """Write the row without what names the person. An answer that is kept to be repeated goes."""
    model = mention.model
    if model is IdempotencyKey:
        model.delete().where(model.id == mention.id).execute()
        return
    values = {name: without for name, (_, without) in mention.columns.items()}
    try:
        with model._meta.database.atomic():
            model.update(values).where(model.id == mention.id).execute()
    except IntegrityError:
        # Another row has the blanked text, and it must be unique.
        values = {
            name: f"{ERASED} {mention.id}" if isinstance(value, str) else value
            for name, value in values.items()
        }
        model.update(values).where(model.id == mention.id).execute()
    search_index.refresh(model, [mention.id])
    if model is PersonRow:
        people.refresh([mention.id])


def _any(conditions: Sequence[Expression]) -> Expression:
    """Return the condition that one of these holds. It is a flat tree: SQLite limits the depth."""
    if len(conditions) == 1:
        return conditions[0]
    middle = len(conditions) // 2
    return _any(conditions[:middle]) | _any(conditions[middle:])


def _blank(words: Words, column: Field, value: Any) -> Any:
    if isinstance(column, JSONField):
        return words.blank_value(value)
    text = words.blank(value)
    longest = getattr(column, "max_length", None) if not isinstance(column, TextField) else None
    return text[:longest] if longest else text
