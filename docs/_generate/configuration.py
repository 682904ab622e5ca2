"""reference/configuration.md, from the configuration's model."""

import re
import types
from collections.abc import Callable, Iterator
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from docs._generate.markdown import code, prose, table
from telealarm.config.model import Config
from telealarm.config.places import DEFAULT_PATH

INTRODUCTION = f"""\
# Configuration

`telealarm` reads one YAML file: `--config FILE`, else `$TELEALARM_CONFIG`, else
`{DEFAULT_PATH}`. Every key may be left out. `${{NAME}}` is replaced from the
environment, `${{NAME:-something}}` has a default. Relative paths start at the folder of the file.
`telealarm check-config` explains mistakes with the line they are in.
"""

WORDS = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}


def files() -> dict[str, str]:
    """The page, by its path."""
    return {"reference/configuration.md": page()}


def page() -> str:
    """The text of the page: a table of the keys at the top, then a section for each group."""
    parts = [INTRODUCTION, _section("", Config)]
    parts += [_section(name, model) for name, model in groups(Config)]
    return "\n".join(parts)


def groups(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every group of keys below `model`, with its dotted name."""
    for name, info in model.model_fields.items():
        inner = _model(info.annotation)
        if inner and not info.exclude:
            yield prefix + name, inner
            yield from groups(inner, f"{prefix}{name}.")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key that may stand in the file, with its dotted name."""
    for name, info in model.model_fields.items():
        if info.exclude:
            continue
        yield prefix + name
        inner = _model(info.annotation)
        if inner:
            yield from keys(inner, f"{prefix}{name}.")


def _section(name: str, model: type[BaseModel]) -> str:
    rows = [
        (_key(name, key, info), _type(info), _default(info), prose(info.description or ""))
        for key, info in model.model_fields.items()
        if not info.exclude
    ]
    heading = f"## {name} {{#{name.replace('.', '-')}}}" if name else "## The file {#file}"
    about = prose((model.__doc__ or "").strip())
    return f"{heading}\n\n{about}\n\n{table(('key', 'type', 'default', 'meaning'), rows)}"


def _key(group: str, key: str, info: FieldInfo) -> str:
    full = f"{group}.{key}" if group else key
    if _model(info.annotation):
        return f"[{code(full)}](#{full.replace('.', '-')})"
    return code(full)


def _model(annotation: Any) -> type[BaseModel] | None:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _type(info: FieldInfo) -> str:
    if _model(info.annotation):
        optional = type(None) in get_args(info.annotation)
        return "group of keys" + (" or `null`" if optional else "")
    words = _words(info.annotation, info.metadata)
    limits = [_limit(mark) for mark in info.metadata]
    return " ".join([words, *filter(None, limits)])


def _words(annotation: Any, marks: list[Any]) -> str:
    for mark in marks:
        if isinstance(mark, AfterValidator):
            return _validated(mark.func)
    if annotation in WORDS:
        return WORDS[annotation]
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if hasattr(annotation, "__metadata__"):
        words = _words(arguments[0], list(annotation.__metadata__))
        inner = [one for mark in annotation.__metadata__ for one in getattr(mark, "metadata", ())]
        return " ".join([words, *filter(None, map(_limit, inner))])
    if annotation is type(None):
        return "`null`"
    if origin is Literal:
        return ", ".join(code(word) for word in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(part, []) for part in arguments)
    if origin is list:
        return f"list of: {_words(arguments[0], [])}"
    if origin is dict:
        return f"by {_words(arguments[0], [])}: {_words(arguments[1], [])}"
    raise TypeError(f"say in words what {annotation} is")


def _validated(function: Callable[..., Any]) -> str:
    """What a validator takes: the first line of its docstring, as a part of a sentence."""
    line = (function.__doc__ or "").split("\n")[0].rstrip(".")
    if not line:
        raise TypeError(f"say in the docstring of {function.__name__} what it takes")
    return line.split(" ", 1)[1] if line.startswith(("A ", "An ")) else line


def _limit(mark: Any) -> str:
    for kind, sign in ((Ge, "≥"), (Gt, ">"), (Le, "≤"), (Lt, "<")):
        if isinstance(mark, kind):
            return f"{sign} {getattr(mark, kind.__name__.lower()):g}"
    return ""


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return ""
    if value is None:
        return "`null`"
    if isinstance(value, dict):
        return ", ".join(f"{code(key)}: {code(entry)}" for key, entry in value.items())
    if isinstance(value, float):
        return code(f"{value:g}")
    if isinstance(value, str):
        return code(value or '""')
    return code(re.sub("'", "", str(value)))
