"""Which ways through a survey are sealed, and which are told of."""

import pytest

from telealarm.rules.key_answers import ListedKeys, Number
from telealarm.rules.survey_graph import Flow, Place, dead_ends

KEYS = ListedKeys.of("12")


def play(place: int, **branches: int | None) -> Place:
    """A message; `on_any=1` is a branching for any."""
    return Place(place, branches=named(branches))


def hang_up(place: int) -> Place:
    return Place(place, Flow.END)


def transfer(place: int, **branches: int | None) -> Place:
    return Place(place, Flow.ACT, branches=named(branches))


def choice(place: int, **branches: int | None) -> Place:
    return Place(place, Flow.ASK, KEYS, named(branches))


def rating(place: int, **branches: int | None) -> Place:
    return Place(place, Flow.ASK, KEYS, named(branches), rates=True)


def number(place: int, **branches: int | None) -> Place:
    return Place(place, Flow.ASK, Number(2), named(branches))


def named(branches: dict[str, int | None]) -> dict[str, int | None]:
    return {name.removeprefix("on_"): goto for name, goto in branches.items()}


@pytest.mark.parametrize(
    "places",
    [
        [],
        [rating(1)],
        [play(1), choice(2), hang_up(3)],
        [play(1, on_0=None, on_any=1)],
        [play(1, on_any=None)],
        [choice(1, on_1=2, on_any=1), play(2)],
        # A rating's key is an answer, whatever follows.
        [rating(1, on_1=2), play(2)],
        # Also if silence leads back: the key 2 has no branching, so the call ends with it.
        [rating(1, on_1=1, on_timeout=1)],
        # Back to the start, but whoever is silent gets away.
        [play(1), choice(2, on_any=1)],
        # A number that has no branching ends the call.
        [number(1, on_12=1, on_timeout=1)],
        # A section of another type may always end.
        [transfer(1, on_0=1)],
    ],
)
def test_fine(places: list[Place]) -> None:
    assert dead_ends(places) == {}


@pytest.mark.parametrize(
    ("places", "wrong"),
    [
        ([play(1, on_timeout=None)], {1}),
        ([choice(1, on_1=None)], {1}),
        ([play(1, on_0=1), hang_up(2)], {1}),
        ([play(1, on_any=1), hang_up(2)], {1}),
        ([play(1), play(2, on_0=1), hang_up(3)], {1, 2}),
        ([rating(1, on_any=2, on_timeout=1), play(2, on_0=1)], {1, 2}),
        # What stands for any other key is never taken if each has a branching of its own.
        ([rating(1, on_1=1, on_2=1, on_any=None, on_timeout=1)], {1}),
        ([number(1, on_any=1, on_timeout=1)], {1}),
        # Nobody is led out by ten wrong keys.
        ([rating(1, on_any=1, on_timeout=1)], {1}),
    ],
)
def test_told(places: list[Place], wrong: set[int]) -> None:
    assert dead_ends(places).keys() == wrong
