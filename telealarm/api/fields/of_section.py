"""Form fields for the fields of section types. pydantic's limits become our field types' limits."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from telealarm import sections
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema, plain
from telealarm.api.fields.choices import OneOf
from telealarm.api.fields.form import Meaning
from telealarm.api.fields.numbers import LARGEST, SMALLEST, Flag, Real, Whole
from telealarm.api.fields.reply import ReplyField
from telealarm.api.fields.texts import PlainPhone, Text, Word
from telealarm.models import BaseModel
from telealarm.sections.base import IsPhoneNumber, Lines, Pattern

T = TypeVar("T")

# The limit of a text if its type names none.
_LONGEST = 10_000
MEANING = Meaning(sections.meaning)


@dataclass(frozen=True)
class Setting(ReplyField):
    """A field among the settings of a section's row. If it is missing: the default of its type."""

    field: FieldType

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return plain(row.settings.get(name, sections.default(name)))

    def schema(self, model: type[BaseModel], name: str) -> Schema:
        shown = self.field.shown()
        return json_schema.nullable(shown) if sections.default(name) is None else shown


def form_fields(fields: Mapping[str, FieldInfo], *, taken: Container[str]) -> dict[str, Any]:
    """Return each field's annotation and default, for pydantic's create_model.

    Raises TypeError with the field's name if no field type fits, or if the name is `taken`.
    """
    if clash := [name for name in fields if name in taken]:
        raise TypeError(f"{clash[0]}: every section has such a field; take another name")
    return {
        name: (
            Annotated[info.annotation, kind := _field_type(name, info), Setting(kind), MEANING],
            info.default,
        )
        for name, info in fields.items()
    }


def _field_type(name: str, info: FieldInfo) -> FieldType:
    if info.is_required():
        raise TypeError(f"{name}: a field of a section type needs a default")
    annotation = info.annotation
    if NoneType in (parts := get_args(annotation)) and len(parts) == 2:
        (annotation,) = (part for part in parts if part is not NoneType)
    least, most = _mark(info, Ge), _mark(info, Le)
    if get_origin(annotation) is Literal:
        return OneOf(get_args(annotation))
    if annotation is bool:
        return Flag()
    if annotation is int:
        return Whole(_limit(least, "ge", SMALLEST), _limit(most, "le", LARGEST))
    if annotation is float:
        return Real(_limit(least, "ge", float(SMALLEST)), _limit(most, "le", float(LARGEST)))
    if annotation is str:
        return _text(info)
    raise TypeError(f"{name}: a field of a section type is int, float, bool, str or Literal")


def _text(info: FieldInfo) -> Text:
    longest = _limit(_mark(info, MaxLen), "max_length", _LONGEST)
    shortest = _limit(_mark(info, MinLen), "min_length", 0)
    if _mark(info, IsPhoneNumber):
        return PlainPhone(longest, shortest)
    if pattern := _mark(info, Pattern):
        return Word(longest, shortest, pattern=pattern.pattern, right=pattern.right)
    return Text(longest, shortest, lines=_mark(info, Lines) is not None)


def _mark(info: FieldInfo, mark: type[T]) -> T | None:
    return next((each for each in info.metadata if isinstance(each, mark)), None)


def _limit(mark: object | None, name: str, otherwise: T) -> T:
    return otherwise if mark is None else getattr(mark, name)
