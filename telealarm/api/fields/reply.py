"""How a reply shows a row: derived from the form, so that a field is declared once.

A form names beside a FieldType how a reply shows it, if not as the FieldType does. What nobody may
write is a class variable of the form, at its place in the reply: `seconds: ClassVar = COLUMN`. A
resource that nobody may write has a Reply of such variables alone.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema, plain
from telealarm.api.fields.form import Reply
from telealarm.api.fields.texts import Secret
from telealarm.models import BaseModel


@dataclass(frozen=True)
class ReplyField:
    """A field as a reply shows it; `meaning` is its description in the OpenAPI document.

    `superusers`: to superusers alone, after all others.
    """

    _: KW_ONLY
    meaning: str = ""
    superusers: bool = False

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        """Return what the reply says."""
        raise NotImplementedError

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        """Return the schema of what the reply says."""
        raise NotImplementedError


@dataclass(frozen=True)
class Column(ReplyField):
    """A column as it is, a moment in UTC. `of` is its attribute, if the field has another name."""

    of: str = ""
    shape: Schema | None = None

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return plain(getattr(row, self.of or name))

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        if self.shape is not None:
            return self.shape
        return json_schema.of_column(model._meta.fields[self.of or name])


COLUMN = Column()
CREATED = Column(meaning="When the row was written.")
UPDATED = Column(meaning="When the row was changed last.")


@dataclass(frozen=True)
class LocalTime(Column):
    """A moment on the wall clock of the event's zone."""

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return context.local(getattr(row, self.of or name), row.zone)


LOCAL = LocalTime()


@dataclass(frozen=True)
class Link(ReplyField):
    """The link to the row of `resource` whose id the attribute `of` holds, which may be null."""

    resource: str
    of: str = "id"
    _: KW_ONLY
    null: bool = False

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return context.links.maybe(self.resource, getattr(row, self.of))

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        return json_schema.MAYBE_LINK if self.null else json_schema.LINK


@dataclass(frozen=True)
class SelfLink(Link):
    """The link to the row itself."""

    _: KW_ONLY
    meaning: str = "The link to this row."


@dataclass(frozen=True)
class Computed(ReplyField):
    """What a function makes of the row."""

    value: Callable[[RequestContext, Any], Any]
    shape: Schema

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return self.value(context, row)

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        return self.shape


@functools.cache
def fields_of(reply: type[Reply]) -> Mapping[str, ReplyField | FieldType]:
    """Return how a reply shows each field, in the order of the class; passwords are not shown."""
    names = [name for part in reversed(reply.__mro__) for name in inspect.get_annotations(part)]
    found = {name: _field(reply, name) for name in names}
    return {
        name: field
        for name, field in found.items()
        if isinstance(field, ReplyField | FieldType) and not isinstance(field, Secret)
    }


def _field(reply: type[Reply], name: str) -> object:
    """A class variable, or how a field of the form is shown: as it says itself, else its type."""
    if name not in reply.model_fields:
        return getattr(reply, name, None)
    marks = reply.model_fields[name].metadata
    itself = [mark for mark in marks if isinstance(mark, ReplyField)]
    return next(mark for mark in [*itself, *marks] if isinstance(mark, ReplyField | FieldType))


def read_only(reply: type[Reply]) -> frozenset[str]:
    """Return the fields of the reply that nobody may write."""
    return frozenset(fields_of(reply).keys() - reply.model_fields.keys())


def for_superusers(reply: type[Reply]) -> frozenset[str]:
    """Return the fields that superusers alone see."""
    return frozenset(name for name, field in fields_of(reply).items() if _is_hidden(field))


@functools.cache
def _ordered(
    reply: type[Reply], first: tuple[str, ...], hidden: bool
) -> list[tuple[str, ReplyField | FieldType]]:
    known = fields_of(reply)
    names = dict.fromkeys([*first, *known])
    return [(name, known[name]) for name in names if _is_hidden(known[name]) is hidden]


def _is_hidden(field: ReplyField | FieldType) -> bool:
    return isinstance(field, ReplyField) and field.superusers


def show(
    context: RequestContext, row: Any, reply: type[Reply], first: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the reply that shows the row; it begins with the fields `first`."""
    shown = _ordered(reply, first, hidden=False)
    if context.login.is_superuser:
        shown = [*shown, *_ordered(reply, first, hidden=True)]
    return {name: field.show(context, row, name) for name, field in shown}
