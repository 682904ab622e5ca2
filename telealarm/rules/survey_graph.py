"""The graph of a survey: where each section leads, and from which sections a call never ends.

1. A section without branchings leads to the next by `order`. The last section ends the call.
2. A section with branchings leads where they say. If none of them fits, the call ends.
3. `any` stands for each answer without a branching. In a section that asks for nothing it stands
   for what follows.

The survey machine uses these rules during a call. Sealing uses them to find dead ends.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import Generic, TypeVar

from telealarm.rules.key_answers import KeyAnswers

# The keys of branchings that are not answers.
HEARD, TIMEOUT, INVALID, ANY = "0", "timeout", "invalid", "any"


class Flow(Enum):
    """What happens in a section, from its beginning to where the survey goes on."""

    SAY = "it is said"
    ASK = "it is said, and an answer is waited for"
    ACT = "it is said, which a key may cut, and then its action is done"
    # Callees who hang up while it is said have decided already.
    ACT_FIRST = "its action is done, and then it is said"
    END = "it is said, and the call ends"


@dataclass(frozen=True)
class Place:
    """A section. `branches` maps what happens there to the id of the next section.

    None is the end of the call. `answers`: what an asking section accepts. `rates`: its answer is
    the alarm's result.
    """

    id: int
    flow: Flow = Flow.SAY
    answers: KeyAnswers | None = None
    branches: Mapping[str, int | None] = field(default_factory=dict)
    rates: bool = False

    def __post_init__(self) -> None:
        if (self.flow is Flow.ASK) != (self.answers is not None):
            raise ValueError("a section takes answers if its flow is ASK, and only then")


P = TypeVar("P", bound=Place)


class SurveyGraph(Generic[P]):
    """A survey's sections, in their order."""

    def __init__(self, places: Iterable[P]) -> None:
        self._places = {place.id: place for place in places}
        self._next = {one.id: after.id for one, after in pairwise(self._places.values())}

    def __getitem__(self, place_id: int) -> P:
        return self._places[place_id]

    def __iter__(self) -> Iterator[P]:
        return iter(self._places.values())

    def after_answer(self, place: P, answer: str) -> int | None:
        """Return where an answer leads. None: to the end of the call."""
        return self._following(place, answer, ANY)

    def after(self, place: P, *hows: str) -> int | None:
        """Return where a section leads without an answer. None: to the end of the call.

        `hows` is TIMEOUT if no key came, INVALID if only wrong keys came, else empty.
        """
        return self._following(place, *hows, *((HEARD, ANY) if place.answers is None else ()))

    def leads_to(self, place: P) -> set[int | None]:
        """Return the sections that may follow this one. None: the end of the call."""
        if place.flow is Flow.END:
            return {None}
        if place.answers is not None:
            answers = {self.after_answer(place, answer) for answer in place.answers.listed}
            if not place.answers.listed:
                answers = {goto for keys, goto in place.branches.items() if keys.isdigit()}
                answers.add(self._following(place, ANY))
            wrong = {place.branches[INVALID]} if INVALID in place.branches else set()
            return {*answers, *wrong, self.after(place, TIMEOUT)}
        if place.flow is Flow.SAY or not place.branches:
            return {self.after(place)}
        # The result of an action is not known. It may always end the call.
        return {*place.branches.values(), None}

    def _following(self, place: P, *hows: str) -> int | None:
        for how in hows:
            if how in place.branches:
                return place.branches[how]
        return None if place.branches else self._next.get(place.id)


def dead_ends(places: Sequence[Place]) -> dict[int, list[str]]:
    """Return the faults in the branches of each section. `places` are in the survey's order."""
    wrong: dict[int, list[str]] = {place.id: _forgotten(place) for place in places}
    ending = _ending(SurveyGraph(places))
    for place in places:
        if place.id not in ending:
            wrong[place.id].append(
                "no branch leads from here to the end of the call; make one (goto null ends it)"
            )
    return {section: sentences for section, sentences in wrong.items() if sentences}


def _forgotten(place: Place) -> list[str]:
    """Return what can happen in a section and has no branching, although others have.

    A rating's key is an answer by itself, so the call may end with it.
    """
    if not place.branches or ANY in place.branches:
        return []
    if place.flow is Flow.SAY and HEARD not in place.branches:
        return ["nothing follows when it was heard; make a branching for 0 (goto null: the end)"]
    if place.answers is None or place.rates:
        return []
    return [
        f"the key {key} leads nowhere; make a branching for it, or for any (goto null: the end)"
        for key in sorted(place.answers.listed - set(place.branches))
    ]


def _ending(graph: SurveyGraph[Place]) -> set[int]:
    """Return the sections from which a call can reach its end."""
    leads_to = {place.id: graph.leads_to(place) for place in graph}
    ending: set[int] = set()
    while True:
        reached = {
            place
            for place, following in leads_to.items()
            if None in following or not ending.isdisjoint(following)
        }
        if reached == ending:
            return ending
        ending = reached
