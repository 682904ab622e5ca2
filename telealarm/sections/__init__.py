"""Section types. A new type is one new file here with a `SECTION`. Nothing else changes."""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic.fields import FieldInfo

from telealarm import attribute_docs
from telealarm.errors import TeleAlarmError
from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import SectionType


@cache
def section_types() -> Mapping[int, type[SectionType]]:
    """Return all section types by number. A section's row holds the number."""
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
    """Return the fields of all types by name. Types may share a field if it is the same in each."""
    fields: dict[str, FieldInfo] = {}
    for kind in section_types().values():
        for name, info in kind.model_fields.items():
            if repr(fields.setdefault(name, info)) != repr(info):
                raise ValueError(f"{kind.__name__}: another section type has another field {name}")
    return fields


def meaning(name: str) -> str:
    """Return what a field of the types means, as the first of them that has it says."""
    kinds = (kind for kind in section_types().values() if name in kind.model_fields)
    return next((attribute_docs.of(kind).get(name, "") for kind in kinds), "")


def of(number: int, settings: Mapping[str, Any]) -> SectionType:
    """Return a section of type `number` with the settings of its row.

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
    """Return the value of a field that a section's row does not hold."""
    return fields()[name].default


@cache
def asking() -> Sequence[int]:
    """Return the numbers of the types that ask for keys."""
    return [number for number, kind in section_types().items() if kind.flow is Flow.ASK]


@cache
def counting() -> Mapping[int, Sequence[str]]:
    """Return, by type, the survey results of its action that count as an answer of the callee."""
    return {number: sorted(kind.counts) for number, kind in section_types().items() if kind.counts}
