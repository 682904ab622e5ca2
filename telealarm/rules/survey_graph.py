"""Where the ways through a survey lead: which end by accident, and which never end.

As the survey machine walks them: a section without branchings goes on to the next, the last one
ends the call; in one that has branchings, what none of them fits ends the call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from telealarm.words import SectionType

_HEARD, _ANY = "0", "any"
_TAKES_KEYS = {SectionType.MULTI_CHOICE, SectionType.RATING}


@dataclass(frozen=True)
class Place:
    """A section. `branches` leads from what happens there to the id of another, or to None, the
    end of the call.
    """

    id: int
    type: int
    keys: frozenset[str] = frozenset()
    branches: Mapping[str, int | None] = field(default_factory=dict)


def dead_ends(places: Sequence[Place]) -> dict[int, list[str]]:
    """By section, what is wrong with its ways. `places` are in the survey's order."""
    found: dict[int, list[str]] = {place.id: _forgotten(place) for place in places}
    ending = _ending(places)
    for place in places:
        if place.id not in ending:
            found[place.id].append(
                "no way leads from here to the end of the call; make one (goto null ends it)"
            )
    return {section: said for section, said in found.items() if said}


def _forgotten(place: Place) -> list[str]:
    """What happens here, and leads nowhere although other branchings say where to go.

    A rating's key is an answer in itself, so the call may well end with it.
    """
    if not place.branches:
        return []
    if place.type == SectionType.PLAY_MESSAGE and not {_HEARD, _ANY} & place.branches.keys():
        return ["nothing follows when it was heard; make a branching for 0 (goto null: the end)"]
    if place.type != SectionType.MULTI_CHOICE or _ANY in place.branches:
        return []
    return [
        f"the key {key} leads nowhere; make a branching for it, or for any (goto null: the end)"
        for key in sorted(place.keys - set(place.branches))
    ]


def _ending(places: Sequence[Place]) -> set[int]:
    """The sections from which a call can come to its end by what is said and keyed."""
    following = {one.id: after.id for one, after in pairwise(places)}
    ending: set[int] = set()
    grown = True
    while grown:
        reached = {
            place.id
            for place in places
            if any(to is None or to in ending for to in _goes_to(place, following.get(place.id)))
        }
        grown = reached != ending
        ending = reached
    return ending


def _goes_to(place: Place, following: int | None) -> Iterable[int | None]:
    if place.type == SectionType.HANG_UP:
        return [None]
    if not place.branches:
        return [following]
    if place.type == SectionType.PLAY_MESSAGE:
        return [place.branches.get(_HEARD, place.branches.get(_ANY))]
    # Without a branching for it, silence ends the call; so may the others, in their own ways.
    silent = place.type in _TAKES_KEYS and "timeout" in place.branches
    return [*place.branches.values(), *([] if silent else [None])]
