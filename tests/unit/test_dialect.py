"""Which database it is, SQLite or PostgreSQL, is asked in one module of the store."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import telealarm
from telealarm.asterisk import cdr
from telealarm.config import model
from telealarm.store.engine import dialect, failures, notify

PACKAGE = Path(telealarm.__file__).parent
# Names that only the one database has, or that tell it from the other.
NAMES = {"PostgresqlDatabase", "SqliteDatabase", "sqlite_path", "for_update", "psycopg"}
WORDS = re.compile(
    r"postgres|sqlite|\bpg_|\bfor (update|share)\b|(?-i:\bLISTEN\b)|ilike", re.IGNORECASE
)
ALLOWED = {
    dialect: "the one place",
    model: "checks the URL of the database",
    failures: "reads the errors of both drivers",
    notify: "LISTEN and NOTIFY, started if dialect says that they are there",
    cdr: "opens Asterisk's own database, which may be the other kind",
}
# Frozen as they were generated.
MIGRATIONS = PACKAGE / "migrations"


def questions(source: str) -> Iterator[tuple[int, str]]:
    """Line and word of whatever depends on the kind of database; docstrings say what they like."""
    tree = ast.parse(source)
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word):
                if word in NAMES:
                    yield getattr(node, "lineno", 0), word
            case ast.Constant(value=str(word)):
                # A clause that dialect takes as an argument is no question.
                if id(node) not in prose and WORDS.search(word) and not word.startswith("FOR "):
                    yield node.lineno, word


def test_only_one_module_asks_which_database_it_is() -> None:
    allowed = {Path(str(module.__file__)) for module in ALLOWED}
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line} ({word})"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path not in allowed and MIGRATIONS not in path.parents
        for line, word in questions(path.read_text())
    ]
    assert not wrong, f"ask it in {dialect.__name__}: {', '.join(wrong)}"


def test_a_question_would_be_seen() -> None:
    asked = [
        "isinstance(model._meta.database, PostgresqlDatabase)",
        "isinstance(model._meta.database, peewee.SqliteDatabase)",
        "from peewee import PostgresqlDatabase",
        "if config.database.startswith('postgresql://'): pass",
        "if type(database).__name__ == 'SqliteDatabase': pass",
        "query.for_update(skip_locked=True)",
        "database.execute_sql('SELECT pg_advisory_xact_lock(1)')",
    ]
    assert [bool(list(questions(source))) for source in asked] == [True] * len(asked)
    assert not list(questions('def f():\n    """On PostgreSQL, rows are locked."""'))
