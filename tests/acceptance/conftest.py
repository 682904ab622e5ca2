"""The lab for acceptance tests: one Asterisk and one exchange for all, phones for each.

An Asterisk that does not start fails the tests; it never skips them.
"""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour
from tests.lab.clinic import Appointment, Clinic
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.postgres import Postgres
from tests.lab.rest import JSON, Rest
from tests.lab.serve import Serve, add_login, renew_installation
from tests.lab.sms_gateway import SmsGateway
from tests.lab.waiting import until

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def documented_doors() -> str:
    """The lines that the how-to pages have a user add for the doors, word for word but for what is
    theirs: the workers (every service here is `lab`), and what the tests dial beside the number:
    a calendar's id, the port of FastAGI.
    """
    pages = [(HOW_TO / name).read_text() for name in ("inbound-doors.md", "fastagi.md")]
    blocks = re.findall(r"(?ms)^```ini dialplan\n(exten.*?)^```$", "\n".join(pages))
    lines = "\n".join(blocks).splitlines()
    assert [line[:13] for line in lines if line.startswith("exten")] == [
        f"exten => 700{number}" for number in (1, 2, 3)
    ]
    text = "\n".join(lines).replace("telealarm-8000", "absent&lab")
    for theirs, dialled in (
        ("exten => 7002", "exten => _74."),
        ("TELEALARM_CALENDAR=5)  ", "TELEALARM_CALENDAR=${EXTEN:2})  "),
        ("exten => 7003", "exten => _75XXXXX."),
        ("TELEALARM_CALENDAR=5)\n", "TELEALARM_CALENDAR=${EXTEN:7})\n"),
        ("agi://127.0.0.1/", "agi://127.0.0.1:${EXTEN:2:5}/"),
    ):
        assert text.count(theirs) == 1, theirs
        text = text.replace(theirs, dialled)
    return f"\n[from-trunk](+)\n{text}\n"


# Beside them, the wake-up door with what may be left out left out, and a dialplan of one's own.
DOORS = """
exten => _72.,1,Set(TELEALARM_APP=lab)
 same => n,Set(TELEALARM_CALENDAR=${EXTEN:2})
 same => n,Goto(telealarm-wakeup,s,1)
exten => _73.,1,AGI(agi://127.0.0.1:${EXTEN:2}/due)
 same => n,GotoIf($["${TELEALARM_STATUS}" = "ok"]?confirm)
 same => n,Hangup(1)
 same => n(confirm),AGI(agi://127.0.0.1:${EXTEN:2}/confirm,1)
 same => n,Answer()
 same => n,Wait(1)
 same => n,Hangup()
"""

LOGIN = ("clinic", "correct horse battery")
Plug = Callable[[str, Behaviour], Awaitable[Phone]]
NewDatabase = Callable[[], str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test here on the loop that the exchange lives on."""
    for item in items:
        if pytest_asyncio.is_async_test(item) and "acceptance" in item.path.parts:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def exchange() -> AsyncIterator[Exchange]:
    """The telephone network; it remembers every call of the session."""
    network = Exchange()
    await network.start()
    yield network
    await network.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def asterisk(exchange: Exchange) -> AsyncIterator[Asterisk]:
    """A real Asterisk, whose only trunk leads to the exchange."""
    pbx = Asterisk(exchange.port)
    pbx.configure("extensions.conf", lambda text: text + documented_doors() + DOORS)
    await pbx.start()
    yield pbx
    await pbx.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def own(exchange: Exchange) -> AsyncIterator[Asterisk]:
    """An Asterisk for one test alone, which may kill it."""
    pbx = Asterisk(exchange.port)
    try:
        await pbx.start()
        yield pbx
    finally:
        await pbx.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def plug(exchange: Exchange) -> AsyncIterator[Plug]:
    """`phone = await plug("1001", busy())`; every phone is unplugged after the test."""
    phones: list[Phone] = []

    async def plug_in(number: str, behaviour: Behaviour) -> Phone:
        phone = Phone(number, behaviour, exchange)
        phones.append(phone)
        exchange.forget(number)
        await phone.start()
        return phone

    yield plug_in
    for phone in phones:
        await phone.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def sms_gateway() -> AsyncIterator[SmsGateway]:
    """A provider's HTTP gateway for SMS."""
    gateway = SmsGateway()
    await gateway.start()
    yield gateway
    await gateway.stop()


# The tests so marked run on each kind of database, the others on SQLite alone.
on_both_databases = pytest.mark.parametrize(
    "kind", ["sqlite", "postgresql"], indirect=True, scope="module"
)


@pytest.fixture(scope="module")
def kind(request: pytest.FixtureRequest) -> str:
    """Of the database of the practices."""
    named: str = getattr(request, "param", "sqlite")
    return named


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with the clinic's login and nothing else, to be copied."""
    path = tmp_path_factory.mktemp("prepared") / "telealarm.db"
    add_login(f"sqlite:///{path}", *LOGIN)
    return path


@pytest.fixture(scope="session")
def prepared_url(postgres: Postgres) -> str:
    """The same in PostgreSQL."""
    url = postgres.new_database()
    add_login(url, *LOGIN)
    return url


@pytest.fixture(scope="module")
def new_database(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NewDatabase:
    """The address of a new database of this kind, in which the clinic has its login."""
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        copied = partial(server.new_database, like=request.getfixturevalue("prepared_url"))
    else:
        prepared: Path = request.getfixturevalue("prepared_file")

        def copied() -> str:
            return f"sqlite:///{shutil.copy(prepared, tmp_path_factory.mktemp('clinic'))}"

    def new() -> str:
        address = copied()
        renew_installation(address)
        return address

    return new


@dataclass
class Practice:
    """A clinic on a TeleAlarm of its own, as the tests see it: from outside."""

    serve: Serve
    clinic: Clinic
    sms: SmsGateway

    async def settled(self, appointment: Appointment, seconds: float = 40) -> JSON:
        """The alarm, once it has come to its end."""
        await until(
            lambda: self.clinic.settled(appointment),
            seconds,
            lambda: f"the alarm of {appointment.number} is settled:\n{self.serve.tail()}",
        )
        return await self.clinic.alarm(appointment)

    async def words(self, appointment: Appointment) -> list[str]:
        """What happened, in the timeline's words."""
        return [row["what"] for row in await self.clinic.timeline(appointment)]

    async def originated(self, appointment: Appointment) -> datetime:
        """When its first call was placed; the network may see that a moment later."""
        rows = await self.clinic.timeline(appointment)
        return next(datetime.fromisoformat(row["at"]) for row in rows if row["what"] == "originate")

    async def told(
        self, appointment: Appointment, word: str, seconds: float = 20, *, times: int = 1
    ) -> None:
        """Return when the timeline has this word so many times."""

        async def has_it() -> bool:
            return (await self.words(appointment)).count(word) >= times

        await until(
            has_it,
            seconds,
            lambda: f"{appointment.number}: {word}; TeleAlarm says:\n{self.serve.tail()}",
        )


Practices = Callable[..., Awaitable[Practice]]

# The workers of the practices that are open: their Asterisk, and their settings.
_OPEN: set[tuple[int, str]] = set()


async def open_practice(
    stack: AsyncExitStack,
    asterisk: Asterisk,
    *,
    database: str,
    settings: JSON | None = None,
    **clinic_options: Any,
) -> Practice:
    """TeleAlarm on a `NewDatabase`, with a clinic that is ready to make appointments.

    Two workers of one name would take Asterisk's events from each other for ever, so a file uses
    `practice` or `practices`, not both.
    """
    worker = id(asterisk), str((settings or {}).get("worker"))
    assert worker not in _OPEN, "a practice of the same worker name is open on this Asterisk"
    _OPEN.add(worker)
    stack.callback(_OPEN.discard, worker)
    sms = SmsGateway()
    await sms.start()
    stack.push_async_callback(sms.stop)
    serve = Serve(asterisk, database=database, settings=settings)
    stack.push_async_callback(serve.stop)
    await serve.start()
    clinic = Clinic(await stack.enter_async_context(Rest(serve.url, *LOGIN)))
    await clinic.open(sms_url=sms.url, **clinic_options)
    return Practice(serve, clinic, sms)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def practice(asterisk: Asterisk, new_database: NewDatabase) -> AsyncIterator[Practice]:
    """One clinic for the tests of a file that do it no harm."""
    async with AsyncExitStack() as stack:
        yield await open_practice(stack, asterisk, database=new_database())


@pytest_asyncio.fixture(loop_scope="session")
async def practices(asterisk: Asterisk, new_database: NewDatabase) -> AsyncIterator[Practices]:
    """`await practices(settings=...)`: a clinic of one's own, to be treated badly."""
    async with AsyncExitStack() as stack:

        async def open_one(asterisk: Asterisk = asterisk, **options: Any) -> Practice:
            return await open_practice(stack, asterisk, database=new_database(), **options)

        yield open_one
