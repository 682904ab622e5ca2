"""Peer of benchmarks.rest_create: bare aiohttp with sqlite3 or psycopg, no ORM, a commit a request.

Usage: python -m benchmarks.peers.rest_aiohttp PORT sqlite:///FILE|postgresql://...
"""

import sqlite3
import sys
from datetime import datetime
from typing import Any

import psycopg
from aiohttp import web

TABLES = (
    "CREATE TABLE event (id {key}, owner INTEGER, title TEXT, start TIMESTAMP, stop TIMESTAMP,"
    " calendar INTEGER, creator INTEGER, status INTEGER, data TEXT)",
    "CREATE TABLE alarm (id {key}, owner INTEGER, event_id INTEGER REFERENCES event(id),"
    " number TEXT, method INTEGER, advance INTEGER, maxretry INTEGER, due TIMESTAMP,"
    " status INTEGER)",
    "CREATE INDEX e1 ON event (owner, id)",
    "CREATE INDEX e2 ON event (start)",
    "CREATE INDEX a1 ON alarm (owner, id)",
    "CREATE INDEX a2 ON alarm (status, due)",
)
EVENT = (
    "INSERT INTO event (owner, title, start, stop, calendar, creator, status, data)"
    " VALUES ({marks}) RETURNING id"
)
ALARM = (
    "INSERT INTO alarm (owner, event_id, number, method, advance, maxretry, due, status)"
    " VALUES ({marks}) RETURNING id"
)


class Server:
    """Writes events and alarms on one connection."""

    def __init__(self, database: str) -> None:
        self._logins: set[str] = set()
        if database.startswith("sqlite"):
            self._db: Any = sqlite3.connect(database.removeprefix("sqlite:///"))
            for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=1"):
                self._db.execute(f"PRAGMA {pragma}")
            self._mark, key = "?", "INTEGER PRIMARY KEY"
        else:
            self._db = psycopg.connect(database)
            self._mark, key = "%s", "SERIAL PRIMARY KEY"
        for table in TABLES:
            self._db.execute(table.format(key=key))
        self._db.commit()

    async def event(self, request: web.Request) -> web.Response:
        self._check(request)
        body = await request.json()
        start, end = datetime.fromisoformat(body["start"]), datetime.fromisoformat(body["end"])
        values = (1, body["title"], start.isoformat(), end.isoformat(), 1, 1)
        row_id = self._insert(EVENT, (*values, int(body["status"]), str(body["data"])))
        return self._created(request, "event", row_id, body)

    async def alarm(self, request: web.Request) -> web.Response:
        self._check(request)
        body = await request.json()
        event_id = int(body["event"].rstrip("/").rsplit("/", 1)[1])
        query = f"SELECT start FROM event WHERE id = {self._mark}"
        (start,) = self._db.execute(query, (event_id,)).fetchone()
        values = (1, event_id, body["alarm_phonenumber"], int(body["method"]))
        values += (body["advance_notice"], body["maxretry"], start, 1)
        return self._created(request, "alarm", self._insert(ALARM, values), body)

    async def health(self, request: web.Request) -> web.Response:
        return web.Response()

    def _insert(self, sql: str, values: tuple[Any, ...]) -> int:
        marks = ", ".join([self._mark] * len(values))
        (row_id,) = self._db.execute(sql.format(marks=marks), values).fetchone()
        self._db.commit()
        return int(row_id)

    def _check(self, request: web.Request) -> None:
        """Stands for a login that is remembered."""
        login = request.headers.get("Authorization", "")
        if login not in self._logins:
            self._logins.add(login)

    def _created(self, request: web.Request, kind: str, row_id: int, body: Any) -> web.Response:
        url = f"http://{request.host}/{kind}/{row_id}/"
        return web.json_response({**body, "url": url}, status=201, headers={"Location": url})


def main() -> None:
    server = Server(sys.argv[2])
    app = web.Application()
    app.router.add_post("/event/", server.event)
    app.router.add_post("/alarm/", server.alarm)
    app.router.add_get("/healthz", server.health)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
