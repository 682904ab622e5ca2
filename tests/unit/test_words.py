"""Words that clients see are declared once, each with a sentence; nothing else writes a literal.

A kind declares the words that only it writes as a class of `Words` in its own file.
"""

import ast
import gzip
import importlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import telealarm
from docs._generate import words
from telealarm.words import AmdStatus, Numbers, Reason, Words

PACKAGE = Path(telealarm.__file__).parent
# Frozen, or words of others: of Asterisk, of iCalendar, and what a command prints.
ELSEWHERE = ("migrations/0", "asterisk/", "importing/ics.py", "cli/")
# What these columns and arguments hold is declared. A webhook's `status_reason` alone is a sentence
# for its manager.
COLUMNS = {"status_reason", "what", "purpose", "disposition", "delivery", "outcome", "trunk_state"}
ARGUMENTS = COLUMNS | {"reason", "response"}
SENTENCES = {"store/webhooks/deliveries.py"}
# The field `result` of an alarm, as its description is filed.
FIELDS = {("api/rest/body_schemas.py", "alarm.result")}
OLD = Path(__file__).parent.parent / "data/v0_1/sqlite.sql.gz"


@cache
def trees() -> dict[str, ast.Module]:
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {
        name: ast.parse(path.read_text())
        for name, path in paths.items()
        if not name.startswith(ELSEWHERE)
    }


@cache
def declared() -> dict[str, list[type[Words] | type[Numbers]]]:
    """The sets of words by the file that declares them."""
    found: dict[str, list[type[Words] | type[Numbers]]] = {}
    for name, tree in trees().items():
        classes = [
            node.name
            for node in tree.body
            if isinstance(node, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id in _BASES for base in node.bases)
        ]
        if classes:
            dotted_name = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            module = importlib.import_module(f"telealarm.{dotted_name}")
            found[name] = [getattr(module, each) for each in classes]
    return found


_BASES = {"Words", "Numbers"}


def texts() -> set[str]:
    """Every declared text, and the words of timelines that AMD has numbers for."""
    return {
        str(member.value)
        for sets in declared().values()
        for each in sets
        if issubclass(each, Words)
        for member in each
    } | {status.word for status in AmdStatus}


# A word; a sentence is none.
_WORD = re.compile(r"_?[A-Za-z]+([._][A-Za-z]+)*_?")


def literals(node: ast.AST | None) -> Iterator[str]:
    """The words that are written out within an expression; `said["id"]` is a key, no word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _WORD.fullmatch(node.value):
            yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (text for part in node.values for text in literals(part))
    elif isinstance(node, ast.BoolOp | ast.IfExp | ast.Tuple | ast.List | ast.Set | ast.BinOp):
        yield from (text for part in ast.iter_child_nodes(node) for text in literals(part))


def arguments(tree: ast.Module) -> dict[str, list[list[str]]]:
    """The parameters of the functions and methods, by name; several may share one."""
    found: dict[str, list[list[str]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
            found.setdefault(node.name, []).append([n for n in names if n not in ("self", "cls")])
        elif isinstance(node, ast.ClassDef):
            fields = [
                n.target.id
                for n in node.body
                if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
            ]
            found.setdefault(node.name, []).append(fields)
    return found


@cache
def functions() -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for tree in trees().values():
        for name, lists in arguments(tree).items():
            found.setdefault(name, []).extend(lists)
    return found


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def written_out(tree: ast.Module, sentences: bool = False) -> Iterator[tuple[int, str]]:
    """The literals where a declared word must stand."""
    columns = COLUMNS - ({"status_reason"} if sentences else set())
    for node in ast.walk(tree):
        values: list[ast.expr | None] = []
        if isinstance(node, ast.Call):
            if name_of(node.func) in ("CharField", "TextField"):
                continue
            values += [key.value for key in node.keywords if key.arg in ARGUMENTS]
            for names in functions().get(name_of(node.func), ()):
                values += [
                    value
                    for name, value in zip(names, node.args, strict=False)
                    if name in ARGUMENTS
                ]
        elif isinstance(node, ast.Dict):
            values += [
                value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
                and key.value in columns
                and not isinstance(value, ast.Dict)
            ]
        elif isinstance(node, ast.Assign):
            if any(name_of(target) in COLUMNS for target in node.targets):
                values.append(node.value)
        elif isinstance(node, ast.Compare):
            for left, right in pairwise([node.left, *node.comparators]):
                for side, other in ((left, right), (right, left)):
                    if isinstance(side, ast.Attribute) and side.attr in columns | {"reason"}:
                        values.append(other)
        for value in values:
            for text in literals(value):
                yield node.lineno, text


def test_no_word_is_written_out() -> None:
    wrong = [
        f"telealarm/{name}:{line}: {text!r}"
        for name, tree in trees().items()
        for line, text in written_out(tree, name in SENTENCES)
    ]
    assert not wrong, "\n".join(["declare these words, with a sentence each:", *wrong, "", __doc__])


WRITTEN_OUT = (
    'record(alarm.id, "due", at=now)',
    'record(alarm.id, "paused" if it else WORD)',
    'record(alarm.id, f"{kind}_sent")',
    'record_each(requests, what="due", why="", at=now)',
    'Timeline.insert_many({"what": "due"} for _ in rows)',
    'move(alarm, AlarmStatus.MISSED, status_reason="past")',
    'row.status_reason = "past"',
    'x = row.status_reason == "past"',
    'x = row.status_reason in ("past", "late")',
    'cancel(alarms, "deleted", now)',
    'defer(request, until, "trunk_down", why)',
    'Decision(Eligibility.MISS, "late")',
    'x = decision.reason != "late"',
)


@pytest.mark.parametrize("line", WRITTEN_OUT)
def test_a_word_that_is_written_out_is_seen(line: str) -> None:
    assert list(written_out(ast.parse(line)))


def test_no_declared_word_of_several_parts_is_written_out_anywhere() -> None:
    """Such a word is nothing else but itself, wherever it stands."""
    several = {text for text in texts() if "_" in text or "." in text}
    wrong = []
    for name, tree in trees().items():
        if name in declared() or name.startswith("i18n/"):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and node.value in several
                and (name, node.value) not in FIELDS
            ):
                wrong.append(f"telealarm/{name}:{node.lineno}: {node.value!r}")
    assert not wrong, "\n".join(["these are declared words:", *wrong, "", __doc__])


def test_every_word_that_is_used_is_declared_and_the_other_way_round() -> None:
    sets = {(name, each.__name__): each for name, all_ in declared().items() for each in all_}
    used: set[tuple[str, str]] = set()
    for name, tree in trees().items():
        own = {each.__name__: each for each in declared().get(name, ())}
        known = own | imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and (each := known.get(dotted(node.value))):
                assert hasattr(each, node.attr), f"telealarm/{name}:{node.lineno}: {node.attr}"
                used.add((each.__module__ + each.__name__, node.attr))
    unused = [
        f"telealarm/{name}: {each.__name__}.{member.name}"
        for (name, _), each in sets.items()
        for member in each
        if (each.__module__ + each.__name__, member.name) not in used
    ]
    assert not unused, "\n".join(["nothing uses these words:", *unused])


def imported(tree: ast.Module) -> dict[str, type[Words] | type[Numbers]]:
    """The sets of words that a file imports, by the names there: `Reason`, `sms.TimelineWord`."""
    by_module = {each[0].__module__: each for each in declared().values()}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                for each in by_module.get(node.module or "", ()):
                    if each.__name__ == alias.name:
                        found[name] = each
                for each in by_module.get(f"{node.module}.{alias.name}", ()):
                    found[f"{name}.{each.__name__}"] = each
    return found


def dotted(node: ast.expr) -> str:
    """`sms.TimelineWord` of such an expression; empty for any other."""
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def test_every_word_has_a_sentence() -> None:
    sets = [each for all_ in declared().values() for each in all_]
    assert sum(map(len, sets)) > 150
    for each in sets:
        assert each.__doc__ and each.__doc__.split("\n")[0].endswith("."), each
        for member in each:
            sentence = re.fullmatch(r"[A-Z].{8,120}\.", member.meaning)
            assert sentence, f"{member!r}: a sentence, from a capital letter to a full stop"


def test_a_word_is_the_text_or_the_number_that_it_is_on_the_wire() -> None:
    assert Reason.BUSY == "busy" and Reason("busy") is Reason.BUSY
    assert f"{Reason.BUSY}" == str(Reason.BUSY) == "busy"
    assert json.dumps([Reason.BUSY, AmdStatus.PERSON]) == '["busy", 1]'
    assert AmdStatus(1) is AmdStatus.PERSON and AmdStatus.PERSON.word == "person"
    assert isinstance(Reason.BUSY, str) and isinstance(AmdStatus.PERSON, int)
    with pytest.raises(ValueError, match="nothing"):
        Reason("nothing")


def test_every_word_in_an_old_database_is_declared() -> None:
    known = texts()
    with closing(sqlite3.connect(":memory:")) as database:
        with gzip.open(OLD, "rt") as dump:
            database.executescript(dump.read())
        for table, column in (
            ("timeline", "what"),
            ("alarm", "status_reason"),
            ("alarm_request", "status_reason"),
            ("call_request", "disposition"),
            ("transfer", "disposition"),
            ("message", "purpose"),
            ("message", "delivery"),
            ("webhook_delivery", "type"),
            ("inbound_sms", "outcome"),
            ("trunk", "state"),
        ):
            rows = database.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
            found = {text for (text,) in rows} - {""}
            assert found <= known, (table, column, found - known)


def test_the_page_has_every_word() -> None:
    found = {each for all_ in declared().values() for each in all_}
    assert set(words.sets()) == found
    page = words.page()
    plain = re.sub(r"[\\`]", "", page)
    for each in found:
        for member in each:
            assert f"| `{member.value}` |" in page, member
            assert member.meaning.replace("`", "") in plain, member
