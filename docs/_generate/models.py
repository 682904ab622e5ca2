"""reference/models.md and its picture, from the tables."""

import inspect
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping

from peewee import Field, ForeignKeyField

from docs._generate.markdown import code, prose, table
from docs._generate.svg import Picture, width_of
from telealarm import models
from telealarm.models import BaseModel, User

Model = type[BaseModel]

PICTURE = "pictures/models.svg"
INTRODUCTION = f"""\
# Models

The tables, one noun a file. An arrow leads from a column to the table that it refers to. Nearly
every table has an `owner`, the manager whose row it is: it refers to `User`, and no arrow is drawn
for it. Times are UTC.

<div class="picture" markdown="0">
--8<-- "reference/{PICTURE}"
</div>
"""
ROW, HEAD, PAD, BETWEEN, COLUMN_GAP, GROUP_GAP = 18, 26, 10, 12, 74, 22


def files() -> dict[str, str]:
    """The page and its picture, by their paths."""
    parts = [INTRODUCTION]
    for noun, tables in groups().items():
        parts.append(f"## {noun.replace('_', ' ')} {{#about-{noun.replace('_', '-')}}}\n")
        about = sys.modules[tables[0].__module__].__doc__ or ""
        parts.append(prose(" ".join(about.split())) + "\n")
        parts += [_table(model) for model in tables]
    return {"reference/models.md": "\n".join(parts), f"reference/{PICTURE}": drawn()}


def groups() -> dict[str, list[Model]]:
    """The tables by their noun, which is the name of their file."""
    result: dict[str, list[Model]] = {}
    for model in models.ALL:
        result.setdefault(model.__module__.rsplit(".", 1)[1], []).append(model)
    return result


def references(model: Model) -> list[ForeignKeyField]:
    """The columns that refer to another table, or to the table itself; not to the owner."""
    columns: list[Field] = model._meta.sorted_fields
    return [
        column
        for column in columns
        if isinstance(column, ForeignKeyField) and column.rel_model is not User
    ]


def comments(model: Model) -> dict[str, str]:
    """What the source says about each column: the comment before it, and the one behind it."""
    result: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if isinstance(cls, type) and issubclass(cls, BaseModel):
            result.update(_comments(inspect.getsource(cls)))
    return result


def _comments(source: str) -> dict[str, str]:
    result: dict[str, str] = {}
    before: list[str] = []
    name = ""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.OP:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(token.string, 0)
        if token.type == tokenize.COMMENT and not name and not depth:
            before.append(token.string.lstrip("# "))
        elif token.type == tokenize.NAME and not name and not depth:
            name = token.string
            if before:
                result[name] = " ".join(before)
            before = []
        elif token.type == tokenize.COMMENT and name:
            result[name] = " ".join(filter(None, [result.get(name), token.string.lstrip("# ")]))
        elif token.type == tokenize.NEWLINE:
            name = ""
    return result


def _table(model: Model) -> str:
    notes = comments(model)
    about = " ".join((model.__dict__.get("__doc__") or "").split())
    rows = []
    columns: list[Field] = model._meta.sorted_fields
    for column in columns:
        note = notes.get(column.name, "")
        rows.append((code(column.name), _type(column), _default(column), prose(note)))
    heading = f"### {model.__name__} {{#{model.__name__.lower()}}}\n"
    words = f"{prose(about)}\n" if about else ""
    return "\n".join(
        filter(None, [heading, words, table(("column", "type", "default", "meaning"), rows)])
    )


def _type(column: Field) -> str:
    if isinstance(column, ForeignKeyField):
        other = column.rel_model.__name__
        words = f"[{code(other)}](#{other.lower()})"
    else:
        kind = type(column).__name__.removesuffix("Field")
        words = {
            "Auto": "id",
            "Boolean": "flag",
            "Char": f"text, at most {getattr(column, 'max_length', 255)}",
            "Float": "number",
            "Integer": "whole number",
            "BigInteger": "whole number",
            "Text": "text",
            "Time": "time of day",
            "Utc": "time, UTC",
        }.get(kind, kind)
    if column.unique:
        words += ", unique"
    return f"{words} or null" if column.null else words


def _default(column: Field) -> str:
    value = column.default
    if value is None:
        return ""
    if callable(value):
        return "now" if getattr(value, "__name__", "") == "utcnow" else "made when it is written"
    if isinstance(value, str):
        return code(value or '""')
    name = getattr(value, "name", None)
    return code(f"{int(value)} {name}" if name else value)


# The picture ---------------------------------------------------------------------------------


def drawn() -> str:
    """The picture: a panel for each noun, in the column after those that it refers to."""
    nouns = groups()
    home = {model: noun for noun, tables in nouns.items() for model in tables}
    links = [(model, column) for model in home for column in references(model)]
    column_of = _columns(nouns, home)
    picture = Picture("The tables of TeleAlarm", _sentence(links))
    width = {
        number: max(
            _width(model) for noun, at in column_of.items() if at == number for model in nouns[noun]
        )
        for number in set(column_of.values())
    }
    x = {0: 12.0}
    for number in sorted(width)[:-1]:
        x[number + 1] = x[number] + width[number] + 2 * PAD + COLUMN_GAP
    top: dict[Model, float] = {}
    panels: dict[str, tuple[float, float]] = {}
    for number in sorted(width):
        y = 12.0
        mine = [noun for noun, at in column_of.items() if at == number]
        for noun, wanted in sorted(
            ((noun, _wanted(nouns[noun], top)) for noun in mine), key=lambda pair: pair[1]
        ):
            y = max(y, wanted - HEAD - 24)
            start = y
            y += 24
            for model in nouns[noun]:
                top[model] = y
                y += _height(model) + BETWEEN
            panels[noun] = (start, y - start - BETWEEN + PAD)
            y += PAD + GROUP_GAP - BETWEEN
    for noun, (y, height) in panels.items():
        at = column_of[noun]
        picture.box(x[at], y, width[at] + 2 * PAD, height, "panel", 8)
        picture.text(x[at] + PAD, y + 16, noun.replace("_", " "), "small")
    for model, column in links:
        _draw_link(picture, model, column, home, column_of, x, width, top)
    for model, noun in home.items():
        at = column_of[noun]
        _draw_table(picture, model, x[at] + PAD, top[model], width[at])
    return picture.svg()


def _columns(nouns: Mapping[str, list[Model]], home: Mapping[Model, str]) -> dict[str, int]:
    """The column of each noun: behind the last of those that its tables refer to."""
    needs = {
        noun: {home[column.rel_model] for model in tables for column in references(model)} - {noun}
        for noun, tables in nouns.items()
    }
    result: dict[str, int] = {}
    while len(result) < len(needs):
        for noun, others in needs.items():
            if noun not in result and others <= result.keys():
                result[noun] = max((result[other] + 1 for other in others), default=0)
    return result


def _wanted(tables: Iterable[Model], top: Mapping[Model, float]) -> float:
    """Where a panel would stand best: level with what it refers to."""
    levels = [
        top[column.rel_model]
        for model in tables
        for column in references(model)
        if column.rel_model in top
    ]
    return sum(levels) / len(levels) if levels else 0.0


def _width(model: Model) -> float:
    rows = [width_of(_row(column), 12) for column in references(model)]
    return max(90, width_of(model.__name__, 14), *rows) + 20


def _height(model: Model) -> float:
    rows = len(references(model))
    return HEAD + rows * ROW + (6 if rows else 0)


def _row(column: ForeignKeyField) -> str:
    if column.rel_model is column.model:
        return f"{column.name} (itself)"
    return f"{column.name}: {column.rel_model.__name__}" if _says_more(column) else str(column.name)


def _says_more(column: ForeignKeyField) -> bool:
    """Whether the column's name does not already tell the table."""
    table_name: str = column.rel_model.__name__.lower()
    return str(column.name).replace("_", "") != table_name


def _draw_table(picture: Picture, model: Model, x: float, y: float, width: float) -> None:
    picture.box(x, y, width, _height(model))
    picture.text(x + 10, y + 18, model.__name__, "title")
    for index, column in enumerate(references(model)):
        picture.text(x + 10, y + HEAD + 13 + index * ROW, _row(column), "row")


def _draw_link(
    picture: Picture,
    model: Model,
    column: ForeignKeyField,
    home: Mapping[Model, str],
    column_of: Mapping[str, int],
    x: Mapping[int, float],
    width: Mapping[int, float],
    top: Mapping[Model, float],
) -> None:
    other = column.rel_model
    if other is model:
        return
    here, there = column_of[home[model]], column_of[home[other]]
    # Not list.index: comparing two columns of peewee makes an expression, which is true.
    index = [one.name for one in references(model)].index(column.name)
    y1 = top[model] + HEAD + 9 + index * ROW
    y2 = top[other] + 13
    x1 = x[here] + PAD
    if here == there:
        # A neighbour in the same panel: around its left side.
        bend = x1 - 16
        picture.line(f"M{x1:g} {y1:g}C{bend:g} {y1:g} {bend:g} {y2:g} {x1 - 7:g} {y2:g}")
        picture.tip(x1, y2, left=False)
        return
    x2 = x[there] + PAD + width[there]
    reach = (x1 - x2) * 0.45
    picture.line(f"M{x1:g} {y1:g}C{x1 - reach:g} {y1:g} {x2 + reach:g} {y2:g} {x2 + 7:g} {y2:g}")
    picture.tip(x2, y2, left=True)


def _sentence(links: Iterable[tuple[Model, ForeignKeyField]]) -> str:
    def words() -> Iterator[str]:
        for model, column in links:
            yield f"{model.__name__}.{column.name} refers to {column.rel_model.__name__}"

    return "; ".join(words())
