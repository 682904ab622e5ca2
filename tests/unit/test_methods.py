"""Alarm methods are found, and nothing outside their folder asks which one it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import telealarm
from telealarm import methods
from telealarm.methods.base import Address, MessageMethod, MissingMethod
from telealarm.words import MessageStatus, Reason, Words

PACKAGE = Path(telealarm.__file__).parent
NAMES = {"call", "email", "sms"}


def test_the_methods_that_the_api_has_always_had() -> None:
    found = {number: method.name for number, method in methods.alarm_methods().items()}
    assert found == {1: "call", 2: "sms", 3: "email"}
    assert methods.on_channel() == [1]
    assert methods.by_gateway() == [2]


def test_a_method_is_named_by_its_number_or_its_name() -> None:
    for text, name in (("1", "call"), (" SMS ", "sms"), ("email", "email")):
        found = methods.named(text)
        assert found is not None and found.name == name
    assert methods.named("") is None
    assert methods.named("4") is None


def test_every_message_method_says_what_its_timeline_words_mean() -> None:
    for method in methods.alarm_methods().values():
        if isinstance(method, MessageMethod):
            ends = {MessageStatus.SENT, MessageStatus.FAILED, MessageStatus.UNKNOWN}
            assert set(method.timeline) == ends
            assert all(
                isinstance(word, Words) and word.meaning for word in method.timeline.values()
            )
        assert (type(method).__doc__ or "").endswith(".")


def test_a_method_whose_file_is_gone_refuses() -> None:
    method = methods.of(77)
    assert isinstance(method, MissingMethod)
    assert method.refusal(None) == Reason.NO_METHOD
    assert isinstance(methods.of_message(1), MissingMethod)  # a call is no message


def test_an_address_is_kept_as_its_field_keeps_it() -> None:
    assert Address.PHONE.clean("+34 600-100 200") == "+34600100200"
    assert Address.MAIL.clean("a-b@c.example") == "a-b@c.example"


def test_nobody_asks_which_method_it_is() -> None:
    places = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if PACKAGE / "methods" not in path.parents
        for line in asking(path.read_text())
    ]
    assert places == [], "ask the method for what you need to know, as `uses_channel`"


@pytest.mark.parametrize(
    ("question", "is_found"),
    [
        ("alarm.method == 2", True),
        ("Alarm.method == call.METHOD.number", True),
        ("alarm.method != sms.METHOD.number", True),
        ("alarm.method in (2, 3)", True),
        ("methods.of(alarm.method) is email.METHOD", True),
        ("methods.of(alarm.method).name == 'sms'", True),
        ("isinstance(method, SmsMethod)", True),
        ("'email' in values", False),
        ("alarm.method == before.method", False),
        ("request.method == 'POST'", False),
        ("methods.of(alarm.method).uses_channel", False),
        ("Alarm.create(method=call.METHOD.number)", False),
    ],
)
def test_which_questions_do_so(question: str, is_found: bool) -> None:
    assert bool(list(asking(question))) == is_found


def asking(source: str) -> Iterator[int]:
    """The lines that compare a method with a certain one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            equal = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
            if (
                any(map(_is_certain, sides))
                or (equal and any(map(_is_name, sides)))
                or (any(map(_is_method, sides)) and any(map(_is_number, sides)))
            ):
                yield node.lineno
        elif isinstance(node, ast.Name) and node.id in {"CallMethod", "SmsMethod", "EmailMethod"}:
            yield node.lineno


def _is_certain(side: ast.expr) -> bool:
    """Whether it is `sms.METHOD`, or something of it."""
    texts = {node.attr for node in ast.walk(side) if isinstance(node, ast.Attribute)}
    texts |= {node.id for node in ast.walk(side) if isinstance(node, ast.Name)}
    return "METHOD" in texts


def _is_name(side: ast.expr) -> bool:
    return isinstance(side, ast.Constant) and side.value in NAMES


def _is_method(side: ast.expr) -> bool:
    return isinstance(side, ast.Attribute) and side.attr == "method"


def _is_number(side: ast.expr) -> bool:
    values = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
    return all(isinstance(one, ast.Constant) and isinstance(one.value, int) for one in values)
