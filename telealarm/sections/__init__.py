"""Section types. A new type is one new file here, with a `SECTION`; nothing else changes."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic.fields import FieldInfo

from telealarm.errors import TeleAlarmError
from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import SectionType


@cache
def section_types() -> Mapping[int, type[SectionType]]:
    """Every type, by the number that a section's row has."""
    types: dict[int, type[SectionType]] = {}
    for module in pkgutil.iter_modules(__path__):
        kind = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SECTION", None)
        if kind is None:
            continue
        if kind.number in types:
            raise ValueError(f"{types[kind.number].__name__} has the number {kind.number} already")
        types[kind.number] = kind
    return dict(sorted(types.items()))


@cache
def fields() -> Mapping[str, FieldInfo]:
    """The fields of all types, by name. Types may share a field that is the same in each."""
    fields: dict[str, FieldInfo] = {}
    for kind in section_types().values():
        for name, info in kind.model_fields.items():
            if repr(fields.setdefault(name, info)) != repr(info):
                raise ValueError(f"{kind.__name__}: another section type has another field {name}")
    return fields


def of(number: int, settings: Mapping[str, Any]) -> SectionType:
    """A section of this type, with what its row holds.

    Raises TeleAlarmError if there is no such type.
    """
    try:
        kind = section_types()[number]
    except KeyError:
        raise TeleAlarmError(
            f"there is no section type {number}; put its file back into telealarm/sections"
        ) from None
    return kind.model_validate(settings)


def default(name: str) -> Any:
    """What a field is if a section's row does not hold it."""
    return fields()[name].default


@cache
def asking() -> Sequence[int]:
    """The numbers of the types that ask for keys."""
    return [number for number, kind in section_types().items() if kind.flow is Flow.ASK]


@cache
def counting() -> Mapping[int, Sequence[str]]:
    """By type, the survey results of its action that are an answer of the callee."""
    return {number: sorted(kind.counts) for number, kind in section_types().items() if kind.counts}
