"""Databases of version 0.1 open and work, and the API says of them what it said then.

How they were made, and what is in them, stands in tests/data/v0_1/make.py. They and this test stay
as they are: what a migration does must leave it all true.
"""

import gzip
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import pytest_asyncio
import time_machine
from aiohttp.test_utils import TestServer
from playhouse.schema_diff import diff_models

from telealarm import models
from telealarm.api.app import make_app
from telealarm.api.public.probes import Health
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.sections import section_types
from telealarm.sections.base import SectionType
from telealarm.sections.call_transfer import CallTransfer
from telealarm.sections.capture_digits import CaptureDigits
from telealarm.sections.conference import Conference
from telealarm.sections.context import ActionResult
from telealarm.sections.do_not_call import DoNotCall
from telealarm.sections.hang_up import HangUp
from telealarm.sections.multi_choice import MultiChoice
from telealarm.sections.play_message import PlayMessage
from telealarm.sections.rating import Rating
from telealarm.sections.record_message import RecordMessage
from telealarm.sections.sms import Sms
from telealarm.store.dialing import workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from telealarm.store.survey import session_state
from telealarm.store.survey.session_state import Script
from telealarm.survey.commands import Act, Command, EndCall, Enter, Listen
from telealarm.survey.ivr_step import IvrStep
from telealarm.survey.machine import Machine
from tests.integration.api_client import Api, id_of
from tests.lab.postgres import Postgres

DATA = Path(__file__).parent.parent / "data" / "v0_1"
# Where the API was when it was asked; its links say so.
HOST = {"Host": "telealarm.example"}
ZONE = "Europe/Madrid"
SUPERUSER, MANAGER, PASSWORD = "clinic", "reception", "correct horse battery"
# The alarm that was due while dialing was paused.
DUE = "15550100123"


@dataclass
class Old:
    """A copy of an old database, opened by this version at the moment at which it was left."""

    api: Api
    # What the API answered then, by path.
    said: dict[str, Any]

    @property
    def db(self) -> Database:
        return self.api.db

    async def asked(self, path: str, user: str = SUPERUSER) -> Any:
        reply = await self.api.get(path, user=user, password=PASSWORD, headers=HOST)
        assert reply.status == 200, (path, reply.text)
        return reply.body

    @property
    def lists(self) -> list[str]:
        """The paths of the lists of all resources."""
        return [path for path in self.said if path.count("/") == 1 and "?" in path]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a list as they were shown."""
        rows: list[dict[str, Any]] = self.said[f"{name}/?page_size=1000"]["results"]
        return rows


def read(name: str) -> str:
    """The text of one of the files."""
    return gzip.decompress((DATA / f"{name}.gz").read_bytes()).decode()


def copied(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The address of a copy of the old database of this kind."""
    sql = read(f"{kind}.sql")
    if kind == "sqlite":
        with closing(sqlite3.connect(folder / "telealarm.db")) as file:
            file.executescript(sql)
        return f"sqlite:///{folder}/telealarm.db"
    server: Postgres = request.getfixturevalue("postgres")
    address = server.new_database()
    with psycopg.connect(address) as connection:
        connection.execute(sql.encode())
    return address


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest_asyncio.fixture
async def old(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Old]:
    said = json.loads(read(f"{kind}.json"))
    address = copied(kind, request, tmp_path)
    config = Config(database=address, timezone=ZONE, base=tmp_path)
    with time_machine.travel(datetime.fromisoformat(said.pop("at")), tick=False):
        db = open_database(config)
        db.start()

        async def readiness() -> Health:
            return Health({}, {})

        app = make_app(db, config, readiness=readiness, prompts=tmp_path / "prompts")
        try:
            async with TestServer(app) as server_, aiohttp.ClientSession() as session:
                yield Old(Api(session, server_, db), said)
        finally:
            await db.close()


def differences(before: Any, now: Any) -> list[str]:
    """What an answer says otherwise than before. A row may say more than it did; nothing less."""
    if isinstance(before, dict) and isinstance(before.get("results"), list):
        rows, rows_now = before["results"], now["results"]
        found = [f"{len(rows)} rows: {len(rows_now)} now"] if len(rows) != len(rows_now) else []
        pages = {name: value for name, value in before.items() if name != "results"}
        return found + [
            f"{row.get('url', '')} {said}"
            for row, row_now in [(pages, now), *zip(rows, rows_now, strict=False)]
            for said in differences(row, row_now)
        ]
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            f"{name}: {value!r}: {now.get(name)!r} now"
            for name, value in before.items()
            if name not in now or now[name] != value
        ]
    return [] if before == now else [f"{before!r}: {now!r} now"]


async def test_the_api_says_what_it_said(old: Old) -> None:
    wrong = {}
    for path, before in old.said.items():
        found = differences(before, await old.asked(path))
        if found:
            wrong[path] = found
    assert wrong == {}
    listed = {f"{name}/?page_size=1000" for name in await old.asked("")}
    assert listed >= set(old.lists)


async def test_rows_of_every_kind_are_in_it(old: Old) -> None:
    """So that the other tests here look at something."""
    assert len(old.lists) >= 25
    assert [path for path in old.lists if not old.said[path]["results"]] == []
    calls = Counter(row["disposition"] for row in old.rows("callrequest"))
    words = "ANSWER BUSY NOANSWER CANCEL CONGESTION FAILED MACHINE"
    assert set(calls) >= set(words.split())
    assert {row["status"] for row in old.rows("callrequest")} >= {2, 3, 4, 5}
    reasons = {row["status_reason"] for row in old.rows("alarm-request")}
    assert reasons >= {"unknown", "snoozed", "calling_hours", "do_not_call", "no_key", "person"}
    assert {row["status"] for row in old.rows("alarm")} >= {1, 2, 3, 4, 5, 6, 7}
    assert {row["method"] for row in old.rows("alarm")} == {1, 2, 3}
    sections = old.rows("section-template")
    assert {row["type"] for row in sections} == set(section_types())


async def test_its_tables_are_those_of_the_models(old: Old) -> None:
    assert await old.db.read(lambda: str(diff_models(old.db.peewee, models.ALL))) == ""


async def test_a_manager_logs_in_and_sees_what_is_theirs(old: Old) -> None:
    path = "alarm/?page_size=1000"
    rows = (await old.asked(path, MANAGER))["results"]
    assert [row["alarm_phonenumber"] for row in rows] == ["15550100111"]
    urls = {row["url"] for row in rows}
    before = {"results": [row for row in old.rows("alarm") if row["url"] in urls]}
    assert differences(before, {"results": rows}) == []
    answers = await old.asked("result/?page_size=1000", MANAGER)
    assert answers["count"] == 0


async def test_a_post_that_was_carried_out_is_not_carried_out_again(old: Old) -> None:
    reply = await old.api.post(
        "dnc-list/",
        {"name": "by a program"},
        user=SUPERUSER,
        password=PASSWORD,
        headers={**HOST, "Idempotency-Key": "order-1"},
    )
    assert reply.status == 201
    assert reply.headers["Idempotent-Replayed"] == "true"
    before = [row for row in old.rows("dnc-list") if row["name"] == "by a program"]
    assert [{**row, "url": None} for row in before] == [{**reply.body, "url": None}]


async def claimed(old: Old) -> Call:
    """The call of the alarm that was due, once dialing goes on."""
    reply = await old.api.post("dialing/resume/", {}, user=SUPERUSER, password=PASSWORD)
    assert (reply.status, reply.body["paused"]) == (200, False)
    holder = await old.db.write(workers.enter, "lab", utcnow(), timedelta(seconds=30))
    found = await old.db.write(Admission(holder).claim, utcnow(), 50)
    (call,) = [call for call in found.calls if call.number == DUE]
    return call


async def test_an_alarm_that_is_due_is_called(old: Old) -> None:
    call = await claimed(old)
    assert call.endpoint == f"PJSIP/{DUE}@trunk"
    (row,) = (await old.asked(f"callrequest/?phone_number={DUE}"))["results"]
    (alarm,) = [row for row in old.rows("alarm") if row["alarm_phonenumber"] == DUE]
    requests = await old.asked(f"alarm-request/?alarm={id_of(alarm['url'])}")
    assert [(one["status"], one["callrequest"]) for one in requests["results"]] == [(2, row["url"])]
    assert (row["status"], row["num_attempt"]) == (1, 1)


class Callee:
    """Goes through a survey, and presses these keys."""

    def __init__(self, script: Script, keys: str) -> None:
        self._machine = Machine(map(IvrStep.of, script.sections), script.at)
        self._types = {one.id: type(one.kind) for one in script.sections}
        self._keys = list(keys)

    def way(self) -> list[type[SectionType]]:
        """The sections that are entered, to the end of the call."""
        entered: list[type[SectionType]] = []
        commands = self._machine.begin()
        while True:
            places = [one.section for one in commands if isinstance(one, Enter)]
            entered += [self._types[place] for place in places if place is not None]
            if isinstance(commands[-1], EndCall):
                return entered
            commands = self._react(commands[-1])

    def _react(self, last: Command) -> list[Command]:
        if isinstance(last, Act):
            transfers = self._types[last.section] is CallTransfer
            return self._machine.done(ActionResult(ends_call=transfers))
        if isinstance(last, Listen):
            return self._machine.keyed(self._keys.pop(0)) if self._keys else self._timed_out()
        return self._machine.heard()

    def _timed_out(self) -> list[Command]:
        return self._machine.timed_out()


async def test_a_sealed_survey_leads_where_it_led(old: Old) -> None:
    call = await claimed(old)
    script = await old.db.write(session_state.load, call)
    is_said = [one.text for one in script.sections]
    assert is_said[0] == "Good morning Doctor Smith."
    choice, agent, room = script.sections[1], script.sections[5], script.sections[7]
    assert choice.kind.labels() == {str(key): f"choice {key}" for key in range(10)}
    assert choice.recording is not None and choice.wrong_key is not None
    assert choice.recording != choice.wrong_key
    assert (choice.retries, choice.timeout_seconds) == (1, 4)
    assert agent.scripts == ("A patient wants to talk with you. Press 5 to take the call.",)
    assert isinstance(agent.kind, CallTransfer) and agent.kind.confirm_key == "5"
    assert isinstance(room.kind, Conference) and room.kind.conference == "Board"
    assert [one.id for one in script.sections if one.completes] == [script.sections[2].id]
    begin = [PlayMessage, MultiChoice]
    ways = {
        "0": [HangUp],
        "112": [Rating, HangUp],
        "1": [Rating],
        "21234": [CaptureDigits, Rating],
        "21500": [CaptureDigits, HangUp],
        "20999": [CaptureDigits],
        "3": [RecordMessage, HangUp],
        "4": [CallTransfer],
        "5": [Conference, HangUp],
        "6": [DoNotCall, HangUp],
        "7": [Sms, HangUp],
        "812345678": [CaptureDigits, HangUp],
        "9": [],
        # The choice is said once more; then it is given up.
        "": [MultiChoice, HangUp],
    }
    found = {keys: Callee(script, keys).way() for keys in ways}
    assert found == {keys: begin + way for keys, way in ways.items()}
