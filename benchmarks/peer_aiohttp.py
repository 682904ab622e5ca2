"""Peer of P6: bare aiohttp with sqlite3 (or psycopg), no ORM, one commit a request.

Usage: python peer_aiohttp.py PORT sqlite:///file | postgresql://...   (POST /event/, POST /alarm/)
"""

import sys
from datetime import datetime

from aiohttp import web

port, where = int(sys.argv[1]), sys.argv[2]
if where.startswith("sqlite"):
    import sqlite3

    db = sqlite3.connect(where.removeprefix("sqlite:///"))
    db.execute("PRAGMA journal_mode=wal")
    db.execute("PRAGMA synchronous=full")
    db.execute("PRAGMA foreign_keys=1")
    mark, key = "?", "INTEGER PRIMARY KEY"
else:
    import psycopg

    db = psycopg.connect(where)
    mark, key = "%s", "SERIAL PRIMARY KEY"
for sql in (
    f"CREATE TABLE event (id {key}, owner INTEGER, title TEXT, start TIMESTAMP, stop TIMESTAMP, calendar INTEGER, creator INTEGER, status INTEGER, data TEXT)",
    f"CREATE TABLE alarm (id {key}, owner INTEGER, event_id INTEGER REFERENCES event(id), number TEXT, method INTEGER, advance INTEGER, maxretry INTEGER, due TIMESTAMP, status INTEGER)",
    "CREATE INDEX e1 ON event (owner, id)",
    "CREATE INDEX e2 ON event (start)",
    "CREATE INDEX a1 ON alarm (owner, id)",
    "CREATE INDEX a2 ON alarm (status, due)",
):
    db.execute(sql)
db.commit()
known: set[str] = set()


def check(request: web.Request) -> None:
    if request.headers.get("Authorization") not in known:
        known.add(request.headers.get("Authorization", ""))  # stands for the remembered login


async def event(request: web.Request) -> web.Response:
    check(request)
    body = await request.json()
    start, stop = datetime.fromisoformat(body["start"]), datetime.fromisoformat(body["end"])
    (row,) = db.execute(
        "INSERT INTO event (owner, title, start, stop, calendar, creator, status, data)"
        f" VALUES ({', '.join([mark] * 8)}) RETURNING id",
        (
            1,
            body["title"],
            start.isoformat(),
            stop.isoformat(),
            1,
            1,
            int(body["status"]),
            str(body["data"]),
        ),
    ).fetchone()
    db.commit()
    url = f"http://{request.host}/event/{row}/"
    return web.json_response({**body, "url": url}, status=201, headers={"Location": url})


async def alarm(request: web.Request) -> web.Response:
    check(request)
    body = await request.json()
    event_id = int(body["event"].rstrip("/").rsplit("/", 1)[1])
    start = db.execute(f"SELECT start FROM event WHERE id = {mark}", (event_id,)).fetchone()[0]
    (row,) = db.execute(
        "INSERT INTO alarm (owner, event_id, number, method, advance, maxretry, due, status)"
        f" VALUES ({', '.join([mark] * 8)}) RETURNING id",
        (
            1,
            event_id,
            body["alarm_phonenumber"],
            int(body["method"]),
            body["advance_notice"],
            body["maxretry"],
            start,
            1,
        ),
    ).fetchone()
    db.commit()
    url = f"http://{request.host}/alarm/{row}/"
    return web.json_response({**body, "url": url}, status=201, headers={"Location": url})


async def health(request: web.Request) -> web.Response:
    return web.Response()


app = web.Application()
app.add_routes(
    [web.post("/event/", event), web.post("/alarm/", alarm), web.get("/healthz", health)]
)
web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)
