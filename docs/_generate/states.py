"""reference/states.md and its pictures, from the transition tables."""

import inspect
import re
from collections.abc import Mapping
from enum import IntEnum

from docs._generate.markdown import code, prose, table
from docs._generate.svg import Picture, width_of
from telealarm.rules import transitions

Table = Mapping[IntEnum, frozenset[IntEnum]]

INTRODUCTION = """\
# States

Which change of a status is allowed. A change that is not in these tables is an error in the code,
and is refused. Solid arrows lead down, dashed ones back up. A green state is an end.
"""
BOX_HEIGHT, GAP, LANE, PORT = 46, 34, 16, 9


def files() -> dict[str, str]:
    """The page and its pictures, by their paths."""
    result = {}
    parts = [INTRODUCTION]
    for name, changes in tables().items():
        slug = name.lower().replace("_", "-")
        title = name.replace("_", " ").capitalize()
        picture = f"pictures/states-{slug}.svg"
        result[f"reference/{picture}"] = drawn(title, changes)
        parts.append(f"## {title} {{#{slug}}}\n")
        parts.append(f'<div class="picture" markdown="0">\n--8<-- "reference/{picture}"\n</div>\n')
        rows = [
            (
                code(f"{state.value} {state.name}"),
                ", ".join(code(n.name) for n in _after(changes, state)),
            )
            for state in order(changes)
        ]
        parts.append(table(("from", "to"), rows))
        parts += [prose(note) + "\n" for note in notes(name)]
    return {**result, "reference/states.md": "\n".join(parts)}


def tables() -> dict[str, Table]:
    """The transition tables, by their names, in the order in which they are written."""
    return {
        name: value
        for name, value in vars(transitions).items()
        if isinstance(value, Mapping) and name.isupper() and value
    }


def order(changes: Table) -> list[IntEnum]:
    """The states, the first one first, the ones without a way out last."""
    states = {*changes, *(state for after in changes.values() for state in after)}
    found: list[IntEnum] = []
    waiting = [next(iter(changes))]
    while waiting:
        state = waiting.pop(0)
        if state not in found:
            found.append(state)
            waiting += _after(changes, state)
    found += sorted(states - set(found))
    return sorted(found, key=lambda state: not changes.get(state))


def notes(name: str) -> list[str]:
    """The comments within a table's source."""
    source = inspect.getsource(transitions)
    body = re.search(rf"^{name}:.*?^}}", source, re.MULTILINE | re.DOTALL)
    result: list[str] = []
    joined = False
    for line in (body[0] if body else "").splitlines():
        comment = re.fullmatch(r"\s*# (.*)", line)
        if comment and joined:
            result[-1] += " " + comment[1]
        elif comment:
            result.append(comment[1])
        joined = comment is not None
    return result


def drawn(title: str, changes: Table) -> str:
    """The picture: the states below each other, ways down on the right, ways up on the left."""
    states = order(changes)
    place = {state: index for index, state in enumerate(states)}
    ways = [(old, new) for old in states for new in _after(changes, old)]
    down = sorted((w for w in ways if place[w[0]] < place[w[1]]), key=lambda w: _span(place, w))
    up = sorted((w for w in ways if place[w[0]] > place[w[1]]), key=lambda w: _span(place, w))
    width = max(width_of(f"{state.value} {state.name}") for state in states) + 36
    picture = Picture(f"{title}: changes of its status", _sentence(changes))
    left = 30 + LANE * len(up)
    for state, index in place.items():
        kind = "box" if changes.get(state) else "end"
        y = 12 + index * (BOX_HEIGHT + GAP)
        picture.box(left, y, width, BOX_HEIGHT, kind, 10)
        label = f"{state.value} {state.name}"
        picture.text(left + width / 2, y + BOX_HEIGHT / 2 + 5, label, "title", "middle")
    _draw_side(picture, place, down, left + width, 1)
    _draw_side(picture, place, up, left, -1)
    return picture.svg()


def _draw_side(
    picture: Picture,
    place: Mapping[IntEnum, int],
    ways: list[tuple[IntEnum, IntEnum]],
    edge: float,
    sign: int,
) -> None:
    """The ways of one side, the short ones nearest to the boxes, each with a lane of its own."""
    ports: dict[IntEnum, list[tuple[float, int, bool]]] = {state: [] for state in place}
    for number, (old, new) in enumerate(ways):
        # From top to bottom: what goes to or comes from above, far ones last, then below.
        ports[old].append((place[new] - place[old], number, True))
        ports[new].append((place[old] - place[new], number, False))
    at: dict[tuple[int, bool], float] = {}
    for state, ends in ports.items():
        above = sorted((e for e in ends if e[0] < 0), key=lambda e: -e[1])
        below = sorted((e for e in ends if e[0] > 0), key=lambda e: -e[1])
        # Towards above the farthest lane is the lowest port, towards below the highest.
        row = [*reversed(above), *below]
        step = min(PORT, (BOX_HEIGHT - 8) / max(1, len(row)))
        middle = 12 + place[state] * (BOX_HEIGHT + GAP) + BOX_HEIGHT / 2
        for index, (_, number, leaves) in enumerate(row):
            at[number, leaves] = middle + (index - (len(row) - 1) / 2) * step
    kind, tip = ("line", "tip") if sign > 0 else ("back", "backtip")
    for number in range(len(ways)):
        lane = edge + sign * (22 + number * LANE)
        start, end = at[number, True], at[number, False]
        turn = 6 if end > start else -6
        picture.line(
            f"M{edge:g} {start:g}H{lane - sign * 6:g}"
            f"Q{lane:g} {start:g} {lane:g} {start + turn:g}V{end - turn:g}"
            f"Q{lane:g} {end:g} {lane - sign * 6:g} {end:g}H{edge + sign * 7:g}",
            kind,
        )
        picture.tip(edge, end, left=sign > 0, kind=tip)
        picture.reach(lane, max(start, end))


def _after(changes: Table, state: IntEnum) -> list[IntEnum]:
    return sorted(changes.get(state, ()))


def _span(place: Mapping[IntEnum, int], way: tuple[IntEnum, IntEnum]) -> tuple[int, int]:
    return abs(place[way[0]] - place[way[1]]), place[way[0]]


def _sentence(changes: Table) -> str:
    ways = (
        f"{old.name} to {', '.join(new.name for new in _after(changes, old))}" for old in changes
    )
    return "; ".join(ways)
