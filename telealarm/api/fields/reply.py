"""How a reply shows a row. It is derived from the form, so that a field is declared once.

A FieldType says how a reply shows the field. A form may name a ReplyField beside it, which then
decides. A read-only field is a class variable of the form, at its place in the reply:
`seconds: ClassVar = COLUMN`. A read-only resource has a Reply with only such variables.
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
from telealarm.api.fields.numbers import Instruction
from telealarm.api.fields.texts import Credential, Secret
from telealarm.models import BaseModel


@dataclass(frozen=True)
class ReplyField:
    """A field in a reply. `meaning` is its description in the OpenAPI document.

    `superusers`: only superusers see it, after all other fields.
    """

    _: KW_ONLY
    meaning: str = ""
    superusers: bool = False

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        """Return the value in the reply."""
        raise NotImplementedError

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        """Return the schema of the value in the reply."""
        raise NotImplementedError


@dataclass(frozen=True)
class Column(ReplyField):
    """A column without changes. A moment is in UTC.

    `of` is the attribute of the row, if the field has another name.
    """

    of: str = ""
    shape: Schema | None = None

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return plain(getattr(row, self.of or name))

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        if self.shape is not None:
            return self.shape
        return json_schema.of_column(model._meta.fields[self.of or name])


_NEVER_SHOWN = (Secret, Credential, Instruction)
COLUMN = Column()
CREATED = Column(meaning="When the row was written.")
UPDATED = Column(meaning="When the row was last changed.")


@dataclass(frozen=True)
class LocalTime(Column):
    """A moment in local time, in the event's time zone."""

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return context.local(getattr(row, self.of or name), row.zone)


LOCAL = LocalTime()


@dataclass(frozen=True)
class RowLink(ReplyField):
    """The link to a row of `resource`. The attribute `of` holds its id.

    `null`: the link may be null.
    """

    resource: str
    of: str = "id"
    _: KW_ONLY
    null: bool = False

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return context.links.maybe(self.resource, getattr(row, self.of))

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        return json_schema.MAYBE_LINK if self.null else json_schema.LINK


@dataclass(frozen=True)
class SelfLink(RowLink):
    """The link to the row itself."""

    _: KW_ONLY
    meaning: str = "The link to this row."


@dataclass(frozen=True)
class Computed(ReplyField):
    """A value that a function computes from the row."""

    value: Callable[[RequestContext, Any], Any]
    shape: Schema

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return self.value(context, row)

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        return self.shape


@functools.cache
def fields_of(reply: type[Reply]) -> Mapping[str, ReplyField | FieldType]:
    """Return how a reply shows each field, in the order of the class. It never shows passwords."""
    names = [name for part in reversed(reply.__mro__) for name in inspect.get_annotations(part)]
    by_name = {name: _field(reply, name) for name in names}
    return {
        name: field
        for name, field in by_name.items()
        if isinstance(field, ReplyField | FieldType) and not isinstance(field, _NEVER_SHOWN)
    }


def _field(reply: type[Reply], name: str) -> object:
    """Return a class variable, or how to show a form field: its ReplyField, else its FieldType."""
    if name not in reply.model_fields:
        return getattr(reply, name, None)
    marks = reply.model_fields[name].metadata
    replies = [mark for mark in marks if isinstance(mark, ReplyField)]
    return next(mark for mark in [*replies, *marks] if isinstance(mark, ReplyField | FieldType))


def read_only(reply: type[Reply]) -> frozenset[str]:
    """Return the read-only fields of the reply."""
    return frozenset(fields_of(reply).keys() - reply.model_fields.keys())


def for_superusers(reply: type[Reply]) -> frozenset[str]:
    """Return the fields that only superusers see."""
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
    """Return the reply for the row. It begins with the fields `first`."""
    shown = _ordered(reply, first, hidden=False)
    if context.login.is_superuser:
        shown = [*shown, *_ordered(reply, first, hidden=True)]
    return {name: field.show(context, row, name) for name, field in shown}
