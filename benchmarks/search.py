"""How long `?search=` takes among a million events, alarms and calls, each of another person.

Usage: python -m benchmarks.search [--rows N] [--questions N] [--database sqlite|postgresql|URL]

Without Asterisk. The names are as unequal as names are: the most frequent first name is that of one
person in six. Prints how long migration 0014 takes to build the index of these rows, and of each
list the milliseconds of the questions that people ask, one request after another: the median, p95
and the longest. The first page is asked for, of 100 rows.
"""

import argparse
import asyncio
import importlib
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp.test_utils import TestServer
from peewee import ForeignKeyField, PostgresqlDatabase

from benchmarks.lab import databases
from benchmarks.lab.book import PASSWORD, fill
from telealarm.api.app import make_app
from telealarm.config.model import Config
from telealarm.models import (
    Alarm,
    AlarmRequest,
    BaseModel,
    CallRequest,
    Event,
    Gateway,
    Survey,
    User,
)
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from tests.lab.key import key_file

OWNER = "large"
FIRST_NAMES, LAST_NAMES = 200, 1000
# So many names are drawn, each event has one of them: a prime.
DRAWN = 9973
LISTS = ("event", "alarm", "callrequest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each of the three lists")
    parser.add_argument("--questions", type=int, default=40, help="of each kind, to each list")
    databases.add_option(parser)
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    async with databases.databases(given.database) as storage:
        config = Config(database=storage.new(), key_file=key_file())
        db = open_database(config)
        # The service's own writer takes a statement of 40 seconds for a database that is away.
        with db.peewee.connection_context(), db.peewee.atomic():
            started = time.perf_counter()
            people(given.rows)
            print(f"{given.rows} of each, written in {time.perf_counter() - started:.0f} s")
            started = time.perf_counter()
            index()
            print(f"migration 0014: the index is built in {time.perf_counter() - started:.0f} s")
        db.start()
        try:
            await measure(db, config, given)
        finally:
            await db.close()


def names() -> tuple[list[str], list[str]]:
    """Return first and last names, the most frequent first; the same in each run."""
    chance = random.Random(11)
    syllables = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "an", "el")]

    def name() -> str:
        return "".join(chance.choices(syllables, k=chance.choice((2, 3, 3, 4)))).title()

    found = list(dict.fromkeys(name() for _ in range(3 * LAST_NAMES)))
    return found[:FIRST_NAMES], found[FIRST_NAMES : FIRST_NAMES + LAST_NAMES]


def unequal(values: list[str], rows: int) -> list[str]:
    """Return `rows` of these: the second half as often as the first, and so on (Zipf)."""
    weights = [1 / (place + 1) for place in range(len(values))]
    return random.Random(12).choices(values, weights, k=rows)


def people(rows: int) -> None:
    """Write an owner with so many events, alarms, attempts and calls. Within a transaction."""
    database = Event._meta.database
    if isinstance(database, PostgresqlDatabase):
        database.execute_sql("SET LOCAL statement_timeout = 0")
    fill(OWNER, rows)
    for table, values in zip(("first_names", "last_names"), names(), strict=True):
        database.execute_sql(f"CREATE TEMPORARY TABLE {table} (k INTEGER PRIMARY KEY, name TEXT)")
        named = ", ".join(f"({k}, '{name}')" for k, name in enumerate(unequal(values, DRAWN)))
        database.execute_sql(f"INSERT INTO {table} VALUES {named}")
    database.execute_sql(
        f"UPDATE event SET title = (SELECT name FROM first_names WHERE k = {mod('event.id * 31')})"
        f" || ' ' || (SELECT name FROM last_names WHERE k = {mod('event.id / 13')})"
        " || ' ' || CAST(id AS TEXT)"
    )
    owner = User.get(User.username == OWNER)
    number = "'+346' || CAST(10000000 + id * 7 AS TEXT)"
    of_owner = {"owner_id": str(owner.id)}
    insert(Alarm, of_owner | {"event_id": "id", "alarm_phonenumber": number, "alarm_e164": number})
    gateway = Gateway.create(name="benchmark", gateways="PJSIP/{number}@benchmark")
    survey = Survey.create(owner=owner, name="benchmark")
    dated = {"date": "start", "expires": "start"}
    insert(AlarmRequest, of_owner | dated | {"alarm_id": "id"})
    insert(
        CallRequest,
        of_owner
        | {"alarm_id": "id", "request_id": "id", "aleg_uuid": "CAST(id AS TEXT)"}
        | {"phone_number": number, "endpoint": "''", "request_uuid": "''"}
        | {"gateway_id": str(gateway.id), "survey_id": str(survey.id)},
    )
    database.execute_sql("ANALYZE")


def mod(number: str) -> str:
    """Return the rest of a division in SQL. The sign for it is one of psycopg's."""
    return f"({number}) - ({number}) / {DRAWN} * {DRAWN}"


def insert(model: type[BaseModel], given: dict[str, str]) -> None:
    """Insert one row for each event, with the model's defaults. Its id is that of the event."""
    columns = {"id": "id", **given}
    for field in model._meta.sorted_fields:
        if field.column_name not in columns and not field.null:
            columns[field.column_name] = literal(field)
    names = ", ".join(f'"{name}"' for name in columns)
    model._meta.database.execute_sql(
        f"INSERT INTO {model._meta.table_name} ({names})"
        f" SELECT {', '.join(columns.values())} FROM event"
    )


def literal(field: Any) -> str:
    """Return the default of a field in SQL."""
    assert not isinstance(field, ForeignKeyField), field
    value = field.default() if callable(field.default) else field.default
    if isinstance(value, list | dict):
        return f"'{json.dumps(value)}'"
    value = field.db_value(value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return str(value)
    return "'" + (value if isinstance(value, str) else str(value)) + "'"


def index() -> None:
    """Build the index anew, as the migration does. Within a transaction."""
    database = Event._meta.database
    database.execute_sql("DROP TABLE search_term")
    importlib.import_module("telealarm.migrations.0014_search_terms").up(None, database)


def questions(count: int, rows: int) -> dict[str, list[str]]:
    """Return what people type, by kind."""
    chance = random.Random(13)
    first, last = (unequal(values, 5000) for values in names())

    def begun(values: list[str], least: int) -> str:
        name = chance.choice(values)
        return name[: chance.randint(least, len(name))]

    def number() -> str:
        return f"6{10_000_000 + (chance.randrange(rows) + 1) * 7}"

    kinds: dict[str, Callable[[], str]] = {
        "a word's two letters": lambda: chance.choice(last)[:2],
        "a first name, or its beginning": lambda: begun(first, 3),
        "a last name, or its beginning": lambda: begun(last, 3),
        "first and last name": lambda: f"{chance.choice(first)} {chance.choice(last)}",
        "both, begun": lambda: f"{begun(first, 2)} {begun(last, 2)}",
        "a whole number": lambda: f"+34{number()}",
        "a number in groups": lambda: " ".join([(n := number())[:3], n[3:6], n[6:]]),
        "the last six digits": lambda: number()[-6:],
        "a name that nobody has": lambda: f"{chance.choice(first)} zzz",
    }
    return {kind: [make() for _ in range(count)] for kind, make in kinds.items()}


async def measure(db: Database, config: Config, given: argparse.Namespace) -> None:
    async def ready() -> dict[str, str]:
        return {}

    app = make_app(db, config, readiness=ready, prompts=Path())
    headers = {"Authorization": aiohttp.encode_basic_auth(OWNER, PASSWORD)}
    print(
        f"{'milliseconds':44}"
        + "".join(f"{name + ' median':>20}{'p95':>8}{'max':>8}" for name in LISTS)
    )
    everything: dict[str, list[float]] = {name: [] for name in LISTS}
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        base = str(server.make_url("/rest-api/"))
        await timed(session, f"{base}users/1/", headers)
        line = f"{'a page without a search, for comparison':44}"
        for name in LISTS:
            plain = [f"{base}{name}/?page={page % 5 + 1}" for page in range(given.questions)]
            line += shown([await timed(session, address, headers) for address in plain])
        print(line, flush=True)
        for kind, asked in questions(given.questions, given.rows).items():
            line = f"{kind:44}"
            for name in LISTS:
                times = [
                    await timed(session, f"{base}{name}/?search={quote(text)}", headers)
                    for text in asked
                ]
                everything[name] += times
                line += shown(times)
            print(line, flush=True)
    print(f"{'all':44}" + "".join(shown(times) for times in everything.values()))


async def timed(session: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> float:
    """Return the milliseconds of one request."""
    started = time.perf_counter()
    async with session.get(address, headers=headers) as reply:
        await reply.read()
    return (time.perf_counter() - started) * 1000


def shown(times: list[float]) -> str:
    p95 = sorted(times)[int(len(times) * 0.95)]
    return f"{statistics.median(times):20.1f}{p95:8.1f}{max(times):8.1f}"


if __name__ == "__main__":
    main()
