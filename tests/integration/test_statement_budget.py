"""How many statements a call costs, alone and in a crowd: a figure, so it cannot creep back.

All stages of a call that is answered with a key run here as the service runs them, but the phone.
None of their statements reads a table from end to end that grows with the years.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import peewee
import pytest

from telealarm.clock import utcnow
from telealarm.models import Alarm
from telealarm.store.dialing import call_progress, calls
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.store.engine.together import Together
from telealarm.store.outcome import ended_calls
from telealarm.store.survey import session_progress, session_state
from telealarm.words import AlarmStatus, Disposition
from tests.integration.stages import Stages

T = TypeVar("T")
CROWD = 100
# Statements a completed call, savepoints and transactions included.
IN_A_CROWD, ALONE = 2, 60
# The same by stage, for the whole crowd: of a stage that reads or writes row by row it is 100.
STAGE = 50


class Statements:
    """Counts statements by stage."""

    def __init__(self) -> None:
        self.stage = ""
        self.counts: Counter[str] = Counter()
        self.texts: dict[str, Any] = {}

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        self.stage = stage
        yield
        self.stage = ""

    def count(self, number: int, text: str = "", parameters: Any = ()) -> None:
        if self.stage:
            self.counts[self.stage] += number
            self.texts[text] = parameters


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    counted = Statements()

    def before(kind: Any, name: str, number: int) -> None:
        original = getattr(kind, name)

        def wrapped(self: Any, *args: Any, **options: Any) -> Any:
            counted.count(number, *args)
            return original(self, *args, **options)

        monkeypatch.setattr(kind, name, wrapped)

    before(peewee.Database, "execute_sql", 1)
    # The beginning and the end. Those of a savepoint are statements of the above.
    before(peewee._transaction, "__enter__", 2)
    return counted


async def go(stages: Stages, statements: Statements, number: int) -> None:
    """Dial `number` alarms that are due at once; each is answered, and confirmed with a key.

    The key is pressed while the callee hears the first prompt, and is the last one of the survey.
    """
    db = stages.db
    alarm_ids = [await stages.alarm(str(6000 + index)) for index in range(number)]
    now = utcnow()

    async def all_at_once(
        step: "Together[*tuple[Any, ...], T]", steps: Sequence[tuple[Any, ...]]
    ) -> Sequence[T]:
        with statements.of(step.__name__):
            many: Callable[[Sequence[tuple[Any, ...]]], Sequence[T]] = step.many
            return await db.write(many, steps)

    with statements.of("plan"):
        await stages.planner.step()
    placed: list[Call] = []
    while len(placed) < number:
        with statements.of("claim"):
            claimed = await db.write(stages.admission.claim, utcnow(), 50)
        assert claimed.calls
        placed += claimed.calls
    each = [(call,) for call in placed]
    await all_at_once(session_state.load, each)
    started = await all_at_once(calls.start, [(call, utcnow()) for call in placed])
    assert list(started) == [True] * number
    await all_at_once(call_progress.ringing, each)
    await all_at_once(call_progress.answered, [(call, utcnow()) for call in placed])
    answer = session_progress.Answer(stages.section.id, "1", True, None)
    await all_at_once(session_progress.keep, [(call, answer) for call in placed])
    end = call_progress.End(Disposition.ANSWER, 16, "", at=utcnow(), finished=True)
    await all_at_once(call_progress.end, [(call, end) for call in placed])
    with statements.of("outcome"):
        ended = await db.query(ended_calls.unsettled, 200, [])
    settled = await all_at_once(ended_calls.settle, [(call_id, now) for call_id in ended])
    assert len([one for one in settled if one is not None]) == number
    rows = await db.read(lambda: list(Alarm.select().where(Alarm.id.in_(alarm_ids))))
    assert {(row.status, row.result) for row in rows} == {(AlarmStatus.SUCCESS, 1)}


async def test_a_call_in_a_crowd_costs_few_statements(db: Database, statements: Statements) -> None:
    await go(await Stages.build(db), statements, CROWD)
    assert statements.counts.total() / CROWD <= IN_A_CROWD, statements.counts
    assert not {k: n for k, n in statements.counts.items() if n > STAGE}, statements.counts


async def test_a_call_alone_costs_few_statements(db: Database, statements: Statements) -> None:
    stages = await Stages.build(db)
    await go(stages, statements, 1)
    statements.counts.clear()  # from the second call on, the survey is known
    await go(stages, statements, 1)
    assert statements.counts.total() <= ALONE, statements.counts


# The tables that have a row, or several, for each event, call or message that ever was.
GROWING = {
    *("event", "alarm", "alarm_request", "call_request", "survey_result", "timeline", "message"),
    *("webhook_delivery", "transfer"),
}
READS = ("SELECT", "WITH", "UPDATE", "(")


async def test_no_statement_of_a_call_reads_a_growing_table_from_end_to_end(
    db: Database, statements: Statements
) -> None:
    await go(await Stages.build(db), statements, 3)
    texts = {text: values for text, values in statements.texts.items() if text.startswith(READS)}
    assert len(texts) > 20
    assert await db.write(scanned, "SELECT COUNT(*) FROM alarm WHERE language = ''", ())

    def scans() -> list[str]:
        return [
            f"{line}: {text}" for text, values in texts.items() for line in scanned(text, values)
        ]

    assert not await db.write(scans)


def scanned(text: str, parameters: Any) -> list[str]:
    """The growing tables that the statement reads whole, be it by an index (SQLite)."""
    database = Alarm._meta.database
    if isinstance(database, peewee.PostgresqlDatabase):
        # So that the tables of a test, which are small, are read as large ones are.
        database.execute_sql("SET LOCAL enable_seqscan = off")
        plan = database.execute_sql(f"EXPLAIN {text}", parameters).fetchall()
        found = [re.search(r"Seq Scan on (\w+)", row[0]) for row in plan]
        return [one[1] for one in found if one and one[1] in GROWING]
    plan = database.execute_sql(f"EXPLAIN QUERY PLAN {text}", parameters).fetchall()
    aliases = {alias: table for table, alias in re.findall(r'"(\w+)" AS "(\w+)"', text)}
    found = [re.match(r"SCAN (\w+)", row[-1]) for row in plan]
    return [one[1] for one in found if one and aliases.get(one[1], one[1]) in GROWING]
