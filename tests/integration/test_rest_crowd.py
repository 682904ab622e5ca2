"""Clients that write at the same moment: few statements, and each gets its own answer."""

import asyncio
from typing import Any

import peewee
import pytest

from telealarm.models import AuditEntry, SearchTerm, Timeline
from telealarm.store.engine.database import Database
from tests.integration.api_client import Api, Reply, clinic

CROWD = 20


class Hold:
    """Keeps the writer busy until it is released, so that what is sent meanwhile waits together."""

    def __init__(self, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self._db = db
        self.statements: list[str] = []
        self._counts = False
        execute = peewee.Database.execute_sql

        def counted(database: Any, sql: str, *rest: Any, **options: Any) -> Any:
            if self._counts:
                self.statements.append(sql)
            return execute(database, sql, *rest, **options)

        monkeypatch.setattr(peewee.Database, "execute_sql", counted)

    async def together(self, api: Api, path: str, bodies: list[dict[str, Any]]) -> list[Reply]:
        jobs = self._db._jobs
        put, waiting = jobs.put_nowait, []

        def keep(job: Any) -> None:
            waiting.append(job)
            if len(waiting) == len(bodies):
                self._counts = True
                with jobs.mutex:
                    jobs.queue.extend(waiting)
                    jobs.unfinished_tasks += len(waiting)
                    jobs.not_empty.notify()

        jobs.put_nowait = keep  # type: ignore[method-assign]
        try:
            return list(await asyncio.gather(*(api.post(path, body) for body in bodies)))
        finally:
            self._counts = False
            jobs.put_nowait = put  # type: ignore[method-assign]


async def test_a_crowd_of_events_and_alarms_costs_few_statements(
    api: Api, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    links, hold = await clinic(api), Hold(db, monkeypatch)
    events = [
        {"title": f"Visit {n}", "calendar": links.calendar, "start": f"2040-01-09 10:{n:02}"}
        for n in range(CROWD)
    ]
    made = await hold.together(api, "event/", events)
    assert {reply.status for reply in made} == {201}
    assert [reply.body["title"] for reply in made] == [event["title"] for event in events]
    alarms = [
        {"event": reply.body["url"], "alarm_phonenumber": f"6001002{n:02}"}
        for n, reply in enumerate(made)
    ]
    set_up = await hold.together(api, "alarm/", alarms)
    assert {reply.status for reply in set_up} == {201}
    for sent, reply in zip([*events, *alarms], [*made, *set_up], strict=True):
        shown = (await api.get(reply.body["url"])).body
        assert shown == reply.body
        assert sent.items() <= {**shown, "start": sent.get("start")}.items()
    assert len(hold.statements) < 2 * CROWD, "statements of both crowds"

    def rows() -> list[int]:
        audited = AuditEntry.select().where(AuditEntry.resource.in_(["event", "alarm"]))
        return [table.count() for table in (audited, Timeline.select(), SearchTerm.select())]

    assert await db.read(rows) == [2 * CROWD, CROWD, 3 * CROWD]


async def test_in_a_crowd_a_mistake_is_told_to_its_sender_only(
    api: Api, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    links, hold = await clinic(api), Hold(db, monkeypatch)
    event = await api.made("event/", {"title": "Visit", "calendar": links.calendar})
    body = {"event": event["url"], "alarm_phonenumber": "600100200"}
    wrong = [{**body, "event": 99}, {**body, "status": 5}, {**body, "alarm_phonenumber": ""}]
    right = [{**body, "alarm_phonenumber": f"60010020{n}"} for n in range(3)]
    replies = await hold.together(api, "alarm/", [*wrong, *right])
    assert [reply.status for reply in replies] == [400, 400, 400, 201, 201, 201]
    fields = [set(reply.body) for reply in replies[:3]]
    assert fields == [{"event"}, {"status"}, {"alarm_phonenumber"}]
    numbers = [reply.body["alarm_phonenumber"] for reply in replies[3:]]
    assert numbers == [alarm["alarm_phonenumber"] for alarm in right]
    assert (await api.get("alarm/")).body["count"] == 3
