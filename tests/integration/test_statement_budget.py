"""How many statements a call costs, alone and in a crowd: a figure, so it cannot creep back.

All stages of a call that is answered with a key run here as the service runs them, but the phone.
"""

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

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        self.stage = stage
        yield
        self.stage = ""

    def count(self, number: int = 1) -> None:
        if self.stage:
            self.counts[self.stage] += number


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    counted = Statements()

    def before(kind: Any, name: str, number: int) -> None:
        original = getattr(kind, name)

        def wrapped(self: Any, *args: Any, **options: Any) -> Any:
            counted.count(number)
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
