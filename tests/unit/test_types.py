"""A value has a type where it comes from: nobody writes it beside the name that gets an Any."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import ForeignKeyField

import telealarm
from telealarm.models import ALL, BaseModel
from telealarm.models.base import Key, OptionalKey

PACKAGE = Path(telealarm.__file__).parent

# What is empty says nothing of what it will hold.
CONTAINERS = {"Counter", "OrderedDict", "defaultdict", "deque", "dict", "frozenset", "list", "set"}


def test_no_name_gives_a_type_to_a_value_that_has_none() -> None:
    places = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.match("migrations/0*")
        for line in untyped(path.read_text())
    ]
    assert places == []


@pytest.mark.parametrize(
    ("statement", "is_found"),
    [
        ("date: Any = request.date", True),
        ("date: Any = None\n    date = request.date", True),
        ("made: list[Any] = rows(event)", True),
        ("event: Event = Event.get_by_id(1)", True),
        ("name: str = row.name", True),
        ("name: str = names[0]", True),
        ("found: Event | None = query.first() or None", True),
        ("reply: dict[str, Any] = await ask()", True),
        ("keys: str = yield ask", True),
        ("taken: set[int] = set()", False),
        ("taken: list[int] = []", False),
        ("owners: Counter[int] = Counter()", False),
        ("found: Event | None = None", False),
        # The wider type is needed: another value follows.
        ("item: Event | Look = Look.PLAIN\n    item = await queue.get()", False),
        ("date = request.date", False),
    ],
)
def test_which_statements_do_so(statement: str, is_found: bool) -> None:
    assert bool(list(untyped(f"async def work():\n    {statement}\n"))) == is_found


def untyped(source: str) -> Iterator[int]:
    """The lines where a local name is declared Any, or gives a type to the one value it gets.

    mypy knows the type of a value that is called for or read, unless that is Any. So a name that
    gets no other value needs no annotation; only an empty container does.
    """
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        own = [node for statement in function.body for node in _own(statement)]
        values = Counter(
            node.id
            for node in own
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
        for node in own:
            if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                continue
            is_any = isinstance(node.annotation, ast.Name) and node.annotation.id == "Any"
            if is_any or (values[node.target.id] == 1 and _comes_from_elsewhere(node.value)):
                yield node.lineno


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function itself, not those of functions and classes in it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _own(child)


def _comes_from_elsewhere(value: ast.expr | None) -> bool:
    match value:
        case ast.Await() | ast.Yield() | ast.YieldFrom() | ast.Attribute() | ast.Subscript():
            return True
        case ast.Call(func=ast.Name(id=name), args=[]):
            return name not in CONTAINERS
        case ast.Call(func=ast.Name(id="defaultdict")):
            return False
        case ast.Call():
            return True
        case ast.BoolOp(values=values):
            return any(_comes_from_elsewhere(one) for one in values)
        case ast.IfExp(body=body, orelse=orelse):
            return _comes_from_elsewhere(body) or _comes_from_elsewhere(orelse)
        case ast.BinOp(left=left, right=right):
            return _comes_from_elsewhere(left) or _comes_from_elsewhere(right)
    return False


@pytest.mark.parametrize("model", ALL)
def test_the_id_of_a_foreign_key_is_declared_beside_it(model: type[BaseModel]) -> None:
    declared = {
        name: kind
        for base in model.__mro__
        for name, kind in vars(base).get("__annotations__", {}).items()
    }
    for name, column in model._meta.fields.items():
        if isinstance(column, ForeignKeyField):
            assert declared.get(f"{name}_id") == (OptionalKey if column.null else Key), name
