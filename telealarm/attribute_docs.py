"""The strings below the attributes of a class, which say what they mean.

They are read from the source when they are asked for. pydantic's `use_attribute_docstrings` reads
them while each class is made, which takes a quarter of the time that the service needs to start.
"""

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path


@cache
def of(kind: type) -> Mapping[str, str]:
    """Return the strings of a class and its bases, by attribute. Without a source there is none."""
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        docs |= _by_class(base.__module__).get(base.__qualname__, {})
    return docs


@cache
def _by_class(module: str) -> Mapping[str, Mapping[str, str]]:
    path = getattr(sys.modules.get(module), "__file__", None)
    if path is None or not path.endswith(".py") or not Path(path).exists():
        return {}
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {node.name: _docs(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _docs(node: ast.ClassDef) -> Mapping[str, str]:
    docs = {}
    for before, after in zip(node.body, node.body[1:], strict=False):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                docs[name] = inspect.cleandoc(text)
    return docs
