"""Reads a body by a form. Reports every mistake at once, each with its field."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from telealarm import attribute_docs
from telealarm.api.fields.base import Absent, FieldType

REQUIRED = "this field is required"

K = TypeVar("K", bound=FieldType)


class Reply(BaseModel):
    """The read-only fields of a reply: class variables, in the order of the reply."""

    # Most forms are not used soon after the start: their validators are built when they are.
    model_config = ConfigDict(extra="forbid", defer_build=True)


class Form(Reply):
    """The fields that a client may write. Rules across fields are checked on the merged row.

    A reply shows the same fields, and the class variables among them (see reply.py). The string
    below a field is its description in the OpenAPI document.
    """


@dataclass(frozen=True)
class Meaning:
    """Marks a field that another class describes. `find` returns the text for a field's name."""

    find: Callable[[str], str]


def meaning(form: type[Reply], name: str) -> str:
    """Return the description of a field of the form, in one line; empty if it has none."""
    info = form.model_fields.get(name)
    marks = info.metadata if info else ()
    find = next((mark.find for mark in marks if isinstance(mark, Meaning)), None)
    text = find(name) if find else attribute_docs.of(form).get(name, "")
    return " ".join(text.split())


@dataclass
class Sent:
    """The fields that a client sent: values of the right ones, errors of the wrong ones."""

    form: type[Form]
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    # What was sent for read-only fields, as it came.
    read_only: dict[str, Any] = field(default_factory=dict)
    # Whether the slow checks are done already.
    weighed: bool = False

    def copy(self) -> "Sent":
        """Return a copy, whose values can be changed."""
        return replace(self, values={**self.values}, errors={**self.errors})


def read(
    form: type[Form], body: Mapping[str, Any], *, read_only: frozenset[str], partial: bool
) -> Sent:
    """Return the fields of `body`, checked by `form`.

    `partial`: only the fields that were sent. Otherwise missing fields get their defaults.
    """
    sent = Sent(form, read_only={name: body[name] for name in read_only if name in body})
    body = {name: value for name, value in body.items() if name not in read_only}
    try:
        model = (_partial(form) if partial else form).model_validate(body)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            sent.errors.setdefault(str(detail["loc"][0]), []).append(_sentence(form, detail))
        rest = {name: value for name, value in body.items() if name not in sent.errors}
        model, partial = _partial(form).model_validate(rest), True
    names = model.model_fields_set if partial else set(form.model_fields)
    values = {name: getattr(model, name) for name in names}
    sent.values = {name: value for name, value in values.items() if value is not Absent.LEFT_OUT}
    return sent


@functools.cache
def marked(form: type[Form], field_type: type[K]) -> Mapping[str, K]:
    """Return the form's fields of a field type."""
    return {
        name: mark
        for name, info in form.model_fields.items()
        for mark in info.metadata
        if isinstance(mark, field_type)
    }


@functools.cache
def _partial(form: type[Form]) -> type[Form]:
    fields: dict[str, Any] = {
        name: (Annotated[(info.annotation, *info.metadata)], None)
        for name, info in form.model_fields.items()
    }
    return create_model(f"Partial{form.__name__}", __base__=form, **fields)


def _sentence(form: type[Form], detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return REQUIRED
    if detail["type"] == "extra_forbidden":
        return f"there is no such field; it may be one of {', '.join(sorted(form.model_fields))}"
    return detail["msg"].removeprefix("Value error, ")
