"""Which ways through a survey are sealed, and which are told of."""

import pytest

from telealarm.rules.survey_graph import Place, dead_ends
from telealarm.words import SectionType

PLAY, CHOICE, RATING, HANG_UP = (
    SectionType.PLAY_MESSAGE,
    SectionType.MULTI_CHOICE,
    SectionType.RATING,
    SectionType.HANG_UP,
)
KEYS = frozenset("12")


@pytest.mark.parametrize(
    "places",
    [
        [],
        [Place(1, RATING, KEYS)],
        [Place(1, PLAY), Place(2, CHOICE, KEYS), Place(3, HANG_UP)],
        [Place(1, PLAY, branches={"0": None, "any": 1})],
        [Place(1, PLAY, branches={"any": None})],
        [Place(1, CHOICE, KEYS, {"1": 2, "any": 1}), Place(2, PLAY)],
        # A rating's key is an answer, whatever follows.
        [Place(1, RATING, KEYS, {"1": 2}), Place(2, PLAY)],
        # Back to the start, but whoever is silent gets away.
        [Place(1, PLAY), Place(2, CHOICE, KEYS, {"any": 1})],
        # A section of another type may always end.
        [Place(1, SectionType.CALL_TRANSFER, branches={"0": 1})],
    ],
)
def test_fine(places: list[Place]) -> None:
    assert dead_ends(places) == {}


@pytest.mark.parametrize(
    ("places", "wrong"),
    [
        ([Place(1, PLAY, branches={"timeout": None})], {1}),
        ([Place(1, CHOICE, KEYS, {"1": None})], {1}),
        ([Place(1, PLAY, branches={"0": 1}), Place(2, HANG_UP)], {1}),
        ([Place(1, PLAY, branches={"any": 1}), Place(2, HANG_UP)], {1}),
        ([Place(1, PLAY), Place(2, PLAY, branches={"0": 1}), Place(3, HANG_UP)], {1, 2}),
        (
            [Place(1, RATING, KEYS, {"any": 2, "timeout": 1}), Place(2, PLAY, branches={"0": 1})],
            {1, 2},
        ),
    ],
)
def test_told(places: list[Place], wrong: set[int]) -> None:
    assert dead_ends(places).keys() == wrong
