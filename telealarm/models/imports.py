"""Imports of files, and what each of them changed: so that one can be taken back."""

from typing import Any

from peewee import CharField, Field, ForeignKeyField, JSONField

from telealarm.models.base import BaseModel, Key, UtcField, created
from telealarm.models.event import Event


class ImportRun(BaseModel):
    """An import that changed something. `undone` is when it was taken back."""

    file = CharField(max_length=255)
    source = CharField(max_length=100)
    created_date = created()
    undone = UtcField(null=True)


class ImportChange(BaseModel):
    """An event that an import wrote: as it was `before` (null: it is new) and `after`."""

    run = ForeignKeyField(ImportRun, backref="changes")
    run_id: Key
    event = ForeignKeyField(Event, backref="+")
    event_id: Key
    before: "Field[dict[str, Any] | None]" = JSONField(null=True)
    after: "Field[dict[str, Any]]" = JSONField()
