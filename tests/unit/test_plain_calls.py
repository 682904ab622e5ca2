"""A write or a read names its function and arguments: `db.write(fn, *args)`, no partial."""

import ast
from collections.abc import Iterator
from pathlib import Path

import telealarm

ROOT = Path(telealarm.__file__).parent.parent
FOLDERS = ("telealarm", "tests", "benchmarks")
METHODS = {"write", "read", "run", "look"}


def partials(source: str) -> Iterator[int]:
    """The lines of calls like `db.write(partial(...))`, also through a name: `f = partial(...)`."""
    for scope in ast.walk(ast.parse(source)):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            named = {
                target.id
                for node in ast.walk(scope)
                if isinstance(node, ast.Assign) and is_partial(node.value)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(scope):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in METHODS
                    and node.args
                    and (is_partial(node.args[0]) or is_name_in(node.args[0], named))
                ):
                    yield node.lineno


def is_partial(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "partial"


def is_name_in(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def test_writes_and_reads_are_plain_calls() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in partials(path.read_text())
    ]
    assert not wrong, f"call db.write(fn, *args) without partial: {', '.join(wrong)}"


def test_a_partial_would_be_seen() -> None:
    direct = "async def f(db):\n    await db.write(partial(g, 1))"
    qualified = "async def f(db):\n    await db.read(functools.partial(g, 1))"
    by_name = "async def f(db):\n    work = partial(g, 1)\n    await db.write(work)"
    plain = "async def f(db):\n    await db.write(g, 1)"
    assert [list(partials(source)) for source in (direct, qualified, by_name, plain)] == [
        [2],
        [2],
        [3],
        [],
    ]
