"""Reading a body by a form: every mistake at once, each by its field."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import ErrorDetails

from telealarm.api.fields.base import Absent, FieldType

REQUIRED = "this field is required"

K = TypeVar("K", bound=FieldType)


class Reply(BaseModel):
    """What a reply shows that nobody may write: class variables, in the order of the reply."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Form(Reply):
    """What may be written to a resource. Rules across fields are checked on the merged row.

    It is what a reply shows as well, with the class variables among its fields (see reply.py). The
    string below a field is its description in the OpenAPI document.
    """


@dataclass
class Sent:
    """What a client sent: the fields that were right, and what is wrong with the others."""

    form: type[Form]
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    # Whether what takes long to check was checked already.
    weighed: bool = False


def read(
    form: type[Form], body: Mapping[str, Any], *, read_only: frozenset[str], partial: bool
) -> Sent:
    """Check `body` by `form`. `partial`: only what was sent; else defaults stand in."""
    sent = Sent(form)
    body = {name: value for name, value in body.items() if name not in read_only}
    try:
        found = (_partial(form) if partial else form).model_validate(body)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            sent.errors.setdefault(str(detail["loc"][0]), []).append(_sentence(form, detail))
        rest = {name: value for name, value in body.items() if name not in sent.errors}
        found, partial = _partial(form).model_validate(rest), True
    names = found.model_fields_set if partial else set(form.model_fields)
    values = {name: getattr(found, name) for name in names}
    sent.values = {name: value for name, value in values.items() if value is not Absent.LEFT_OUT}
    return sent


@functools.cache
def marked(form: type[Form], kind: type[K]) -> Mapping[str, K]:
    """The form's fields of a kind."""
    return {
        name: mark
        for name, info in form.model_fields.items()
        for mark in info.metadata
        if isinstance(mark, kind)
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
