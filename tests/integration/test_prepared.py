"""Queries that are compiled once, and writes that are made for many at once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter

import pytest

from telealarm.errors import Stale
from telealarm.models import Trunk, User
from telealarm.store.engine.database import Database
from telealarm.store.engine.prepared import Each, Given, Prepared, given_rows, insertion
from telealarm.store.engine.together import together
from telealarm.words import TrunkState

THEN = datetime(2026, 3, 29, 1, 30, 0, 123456, UTC)
MANY = 70_000  # more than a statement may have parameters
COLUMNS = (Trunk.worker, Trunk.name, Trunk.state, Trunk.why, Trunk.since)

_INSERT = Prepared(Trunk, lambda: insertion("rows", *COLUMNS))
_NAMED = Prepared(
    Trunk,
    lambda: Trunk.select().where(
        Trunk.worker == Given("worker", Trunk.worker), Each("names", Trunk.name)
    ),
)


def _move() -> object:
    rows = given_rows("rows", Trunk.id, Trunk.state, Trunk.since)
    update = Trunk.update(state=rows.c.state, since=rows.c.since).from_(rows).with_cte(rows)
    return update.where(Trunk.id == rows.c.id, Trunk.state != rows.c.state).returning(Trunk.id)


_MOVE = Prepared(Trunk, _move)


def trunk(number: int, worker: str = "one") -> tuple[object, ...]:
    return worker, f"trunk-{number}", "up", "", THEN


async def test_it_inserts_finds_and_changes_each_row_with_its_own_values(db: Database) -> None:
    def work() -> list[tuple[str, datetime]]:
        assert _INSERT.run(rows=[trunk(1), trunk(2), trunk(3), trunk(1, "two")]) == 4
        found = _NAMED.rows(worker="one", names=["trunk-1", "trunk-3", "none"])
        assert sorted(row.name for row in found) == ["trunk-1", "trunk-3"]
        assert {row.since for row in found} == {THEN}
        first, third = sorted(row.id for row in found)
        later = THEN.replace(year=2027)
        moved = _MOVE.rows(rows=[(first, "down", later), (third, "up", later), (999, "up", later)])
        assert [row.id for row in moved] == [first]
        return [(row.state, row.since) for row in Trunk.select().order_by(Trunk.id)]

    later = THEN.replace(year=2027)
    assert await db.write(work) == [("down", later), *[("up", THEN)] * 3]


async def test_a_list_may_be_empty_or_longer_than_the_parameters_of_a_statement(
    db: Database,
) -> None:
    def work() -> int:
        assert _INSERT.run(rows=[]) == 0
        assert _NAMED.rows(worker="one", names=[]) == []
        assert _INSERT.run(rows=[trunk(number) for number in range(MANY)]) == MANY
        return len(_NAMED.tuples(worker="one", names=[f"trunk-{n}" for n in range(MANY)]))

    assert await db.write(work) == MANY


async def test_a_text_is_written_as_it_is(db: Database) -> None:
    """Also one that JSON, SQL or an array would write in another way."""
    odd = ["", "007", "null", "é \N{SNOWMAN} \U0001f600", "\"quotes' \\ {1,2}", "%s ? :a", "[1]"]

    def work() -> list[str]:
        rows = [("one", f"t{at}", TrunkState.UP, why, THEN) for at, why in enumerate(odd)]
        _INSERT.run(rows=rows)
        names = [f"t{at}" for at in range(len(odd))]
        found = _NAMED.rows(worker="one", names=names)
        assert {row.state for row in found} == {"up"}
        return [row.why for row in sorted(found, key=attrgetter("id"))]

    assert await db.write(work) == odd


async def test_a_row_by_its_id_is_found_or_missed_as_ever(db: Database) -> None:
    def work() -> None:
        user = User.get(User.username == "root")
        assert User.get_by_id(user.id).username == "root"
        assert User.get(User.id == user.id, User.username == "root").id == user.id
        assert User.get_or_none(User.id == 10**9) is None
        with pytest.raises(User.DoesNotExist):  # type: ignore[attr-defined]
            User.get_by_id(10**9)

    await db.write(work)


sizes: list[int] = []


@together
def move_to(steps: Sequence[tuple[str, str]]) -> Sequence[str]:
    """Give users a region. It fails as a whole if one of them is nobody."""
    sizes.append(len(steps))
    for name, region in steps:
        if User.update(region=region).where(User.username == name).execute() != 1:
            raise Stale(name)
    return [region for _, region in steps]


def regions() -> dict[str, str | None]:
    return {user.username: user.region for user in User.select()}


async def test_steps_of_a_kind_that_wait_are_one_step(db: Database) -> None:
    sizes.clear()
    wanted = [f"{number:02d}" for number in range(30)]
    assert await asyncio.gather(*(db.write(move_to, "root", one) for one in wanted)) == wanted
    assert sum(sizes) == len(wanted)
    assert len(sizes) < len(wanted), "no two of them were one step"
    assert (await db.read(regions))["root"] == wanted[-1]


async def test_a_step_that_fails_stops_no_other(db: Database) -> None:
    names = ["root", "nobody", "manager", "other"]
    results = await asyncio.gather(
        *(db.write(move_to, name, "ES") for name in names), return_exceptions=True
    )
    assert [type(result) for result in results] == [str, Stale, str, str]
    assert await db.read(regions) == dict.fromkeys(["root", "manager", "other"], "ES")


async def test_the_only_write_of_a_transaction_is_undone_if_it_fails(db: Database) -> None:
    def work() -> None:
        User.update(region="ES").execute()
        raise Stale("no")

    with pytest.raises(Stale):
        await db.write(work)
    assert set((await db.read(regions)).values()) == {None}
    assert await db.write(lambda: User.update(region="ES").execute()) == 3
