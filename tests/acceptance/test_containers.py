"""docker-compose.yml on a real Docker engine: the lines of docs/how-to/docker.md, and calls.

The engine's network has no way out while the containers run. What they are built from is fetched
before, once for all runs on a machine.
"""

import asyncio
import io
import json
import re
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from secrets import token_hex

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.test_recordings import cycles
from tests.acceptance.test_sections import BEEP, RATES, RECORD, sealed
from tests.lab import engine_images
from tests.lab.behaviours import FOREVER, Behaviour, answers_and_presses, busy, by_hand
from tests.lab.caller import Caller
from tests.lab.clinic import SCRIPT, Appointment, Clinic
from tests.lab.engine import Engine, running
from tests.lab.exchange import Exchange
from tests.lab.listener import understood
from tests.lab.phone import Phone
from tests.lab.recorder import RATE
from tests.lab.registered_phone import RegisteredCaller, RegisteredPhone
from tests.lab.rest import RestError, number_of
from tests.lab.stack import PAGE, REPOSITORY, SERVICES, Stack
from tests.lab.waiting import until

pytestmark = [pytest.mark.long, pytest.mark.together]

LOGIN = ("admin", "a long password")
PUBLIC = "192.0.2.1"
# What a user fills in, beside the trunk's port.
FILLED = {
    "TELEALARM_ARI_PASSWORD": "a-long-random-word",
    "TELEALARM_DB_PASSWORD": "another.long_one",
    "TELEALARM_TRUNK_HOST": "127.0.0.1",
    "TELEALARM_PUBLIC_ADDRESS": PUBLIC,
}
SAID, NOT_SAID = {"tomorrow with", "half past ten"}, "good afternoon"
PHONE, PASSWORD = "105", "a-long-random-password"


def documented(page: str, words: str, *, number: int = 0) -> str:
    """A block of a how-to page, by its first line and how many of those come before it."""
    text = (REPOSITORY / "docs" / "how-to" / page).read_text()
    return str(re.findall(rf"(?ms)^```{words}\n(.*?)^```$", text)[number])


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A Docker engine with stand-ins for the images that the project's files name."""
    with running() as docker:
        engine_images.make(docker, engine_images.named(REPOSITORY))
        yield docker


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def network(engine: Engine) -> AsyncIterator[Exchange]:
    """The provider: a SIP peer on the engine's machine, with phones behind it."""
    provider = Exchange(engine.network)
    await provider.start()
    yield provider
    await provider.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(engine: Engine, network: Exchange) -> AsyncIterator[Stack]:
    """The containers, started by the lines of the page, with a phone and a door added."""
    containers = Stack(engine)
    await asyncio.to_thread(containers.check_out)
    copy, start = re.findall(r"(?ms)^```sh check\n(.*?)^```$", PAGE.read_text())[:2]
    containers.type(copy)
    containers.fill_in({**FILLED, "TELEALARM_TRUNK_PORT": str(network.port)})
    door = documented("inbound-doors.md", "ini dialplan")
    config = containers.folder / "config" / "asterisk"
    dialplan = (config / "extensions.conf").read_text()
    dialplan = dialplan.replace("[from-trunk]\n", f"[from-trunk]\n{door}")
    (config / "extensions.conf").write_text(f"{dialplan}\n[from-phones]\n{door}")
    with (config / "pjsip.conf").open("a") as pjsip:
        pjsip.write("\n" + documented("phones.md", "ini asterisk"))
    # The lab's phones press their keys from another port than the one that they hear on.
    with (containers.folder / "config" / "docker" / "asterisk" / "rtp.conf").open("a") as rtp:
        rtp.write("strictrtp = no\n")
    try:
        await asyncio.to_thread(containers.fetch)
        said = await asyncio.to_thread(containers.type, start)
        assert said.endswith("superuser admin added\n"), said
        await containers.healthy()
        yield containers
    finally:
        await asyncio.to_thread(containers.compose, "down", "--volumes", "--timeout=1")


@pytest_asyncio.fixture(loop_scope="session")
async def parts(stack: Stack) -> AsyncIterator[AsyncExitStack]:
    """Phones and clients of one test."""
    async with AsyncExitStack() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clinic(stack: Stack) -> AsyncIterator[Clinic]:
    """A clinic whose gateway is the trunk."""
    async with stack.rest(*LOGIN) as rest:
        opened = Clinic(rest)
        await opened.open(sms_url="http://127.0.0.1:9/")
        yield opened


async def settled(stack: Stack, clinic: Clinic, appointment: Appointment, result: int) -> None:
    """Return when the alarm has succeeded with this result."""
    await until(
        lambda: clinic.settled(appointment),
        60,
        lambda: f"the alarm of {appointment.number} is settled:\n{stack.logs()}",
    )
    alarm = await clinic.alarm(appointment)
    assert (alarm["status"], alarm["result"]) == (5, result), await clinic.timeline(appointment)


def test_all_are_well_and_keep_to_themselves(stack: Stack) -> None:
    assert stack.health() == dict.fromkeys(SERVICES, "healthy")
    for name in SERVICES:
        container = stack.inspect(name)
        # The secrets are files.
        shown = json.dumps([container["Config"], container["HostConfig"]])
        assert not any(FILLED[secret] in shown for secret in FILLED if "PASSWORD" in secret)
        log = container["HostConfig"]["LogConfig"]["Config"]
        assert log == {"max-size": "10m", "max-file": "5"}
        assert container["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    # A client's proxy is in the environment, and disturbs nobody.
    assert "http_proxy=http://127.0.0.1:9" in stack.exec("telealarm", "env")
    # One process hands on a port: PostgreSQL's.
    assert stack.engine.run("ps", "-e", "-o", "comm=").split().count("docker-proxy") == 1
    listening = stack.engine.run("ss", "--tcp", "--listening", "--numeric", "--no-header")
    addresses = {line.split()[3] for line in listening.splitlines()}
    assert addresses == {f"127.0.0.1:{port}" for port in (8000, 8088, 5038, 15432)}


def test_the_programs_and_sounds_are_in_the_images(stack: Stack) -> None:
    assert re.match(r"Asterisk 22\.", stack.exec("asterisk", "asterisk", "-V"))
    assert stack.exec("telealarm", "telealarm", "--version").startswith("telealarm ")
    for engine in ("flite -voice slt -t yes -o /tmp/a.wav", "espeak-ng -v es -w /tmp/b.wav sí"):
        stack.exec("telealarm", *engine.split())
    sounds = "/usr/share/asterisk/sounds"
    found = stack.exec("asterisk", "sh", "-c", f"ls {sounds}/telealarm {sounds}/*/telealarm")
    inside = [line for line in found.splitlines() if ".wav" in line]
    shipped = [path.name for path in (REPOSITORY / "sounds").glob("*/*.wav*")]
    assert sorted(inside) == sorted(shipped) and shipped
    # Asterisk records, plays a prompt and plays a sound for it.
    stack.exec("telealarm", "telealarm", "check-config")
    rtp = stack.exec("asterisk", "asterisk", "-rx", "rtp show settings")
    assert re.search(r"Port start: +10000\s+Port end: +10099", rtp)


async def test_a_message_left_in_a_call_outlives_down_and_up(
    stack: Stack, clinic: Clinic, network: Exchange, parts: AsyncExitStack
) -> None:
    speaks_up = {"type": RECORD, "script": SCRIPT, "timeout": 3}
    survey = await sealed(clinic.rest, speaks_up, {**RATES, "script": "Press 1 to confirm."})
    # When it has spoken, one key ends the message, and the next one answers the question.
    speaks = Behaviour(voice=2.0, voice_after=FOREVER, keys="51", first_key=1.0, between=4.0)
    phone = await parts.enter_async_context(Phone("301", speaks, network))
    appointment = await clinic.appointment("301", survey=survey)

    async def beeps() -> bool:
        return cycles(phone.heard, BEEP) > 0.1

    await until(beeps, 60, lambda: f"301 hears the beep:\n{stack.logs()}")
    await phone.speak()
    await settled(stack, clinic, appointment, 1)
    assert understood(phone.heard.samples(), [*SAID, NOT_SAID]) == SAID
    (invite,) = network.calls_to("301")
    assert invite.host == PUBLIC

    (call,) = await clinic.calls(appointment)
    results = await clinic.rest.results(f"result/?callrequest={number_of(call['url'])}")
    (link,) = [result["record_file"] for result in results if result["record_file"]]
    message = await fetched(stack, link)
    assert 1.5 < seconds_of_tone(message) < 2.5
    # The secrets are files from now on.
    await asyncio.to_thread(stack.type, "docker compose down\n")
    secrets = stack.engine.work / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    for name in ("TELEALARM_ARI_PASSWORD", "TELEALARM_DB_PASSWORD"):
        (secrets / name).write_text(FILLED[name] + "\n")
        (secrets / name).chmod(0o644)
        stack.fill_in({name: str(secrets / name)})
    with (stack.folder / ".env").open("a") as env:
        env.write("COMPOSE_FILE=docker-compose.yml:config/docker/secret-files.yml\n")
    await asyncio.to_thread(stack.type, "docker compose up -d --build\n")
    await stack.healthy()
    assert await fetched(stack, link) == message
    await called(stack, clinic, network, "302")


async def called(stack: Stack, clinic: Clinic, network: Exchange, number: str) -> None:
    """A call goes out and its key is heard."""
    async with Phone(number, answers_and_presses("2", first_key=2.0), network):
        await settled(stack, clinic, await clinic.appointment(number), 2)


async def fetched(stack: Stack, link: str) -> bytes:
    """The sound of a message."""
    headers = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
    connector = aiohttp.TCPConnector(socket_factory=stack.engine.network.socket_for)
    async with (
        aiohttp.ClientSession(headers=headers, connector=connector) as http,
        http.get(link) as reply,
    ):
        assert reply.status == 200, await reply.text()
        return await reply.read()


def seconds_of_tone(message: bytes) -> float:
    """How much of a message is the tone of 400 Hz that a phone of the lab speaks with."""
    with wave.open(io.BytesIO(message)) as wav:
        assert wav.getframerate() == RATE
        frames = memoryview(wav.readframes(wav.getnframes())).cast("h")
    rising = sum(a < 0 <= b for a, b in pairwise(frames))
    return rising / 400


async def test_a_registered_phone_and_the_trunk_are_called_and_call_back(
    stack: Stack, clinic: Clinic, network: Exchange, parts: AsyncExitStack
) -> None:
    rooms = Clinic(clinic.rest)
    await rooms.open(sms_url="http://127.0.0.1:9/", endpoint="PJSIP/{number}", name="rooms")
    # On a slow machine the question comes late: they press on.
    presses = answers_and_presses("2" * 20, first_key=6.0, between=3.0)
    # Neither is reached: the retry is an hour away, and they call before it.
    missed = {"maxretry": 2, "retry_delay": 3600}
    async with Phone("303", busy(), network):
        room = await rooms.appointment(PHONE, **missed)
        outside = await clinic.appointment("303", **missed)

        async def are_missed() -> bool:
            return await told(clinic, room, "retry") and await told(clinic, outside, "retry")

        await until(are_missed, 30, lambda: f"both have missed a call:\n{stack.logs()}")
    async with (
        RegisteredCaller(PHONE, PASSWORD, "7001", presses, network, stack),
        Caller("303", "7001", presses, network, stack),
    ):
        await settled(stack, rooms, room, 2)
        await settled(stack, clinic, outside, 2)

    phone = RegisteredPhone(PHONE, PASSWORD, presses, network, stack)
    async with phone:
        await settled(stack, rooms, await rooms.appointment(PHONE), 2)
        assert understood(phone.heard.samples(), [*SAID, NOT_SAID]) == SAID


async def told(clinic: Clinic, appointment: Appointment, word: str) -> bool:
    return word in [row["what"] for row in await clinic.timeline(appointment)]


@pytest.mark.parametrize(("service", "calls"), [("telealarm", 1), ("postgres", 1), ("asterisk", 2)])
async def test_a_call_outlives_a_container_that_dies(
    service: str,
    calls: int,
    stack: Stack,
    clinic: Clinic,
    network: Exchange,
    parts: AsyncExitStack,
) -> None:
    number = f"31{SERVICES.index(service)}"
    phone = await parts.enter_async_context(Phone(number, by_hand(), network))
    survey = await sealed(clinic.rest, {**RATES, "retries": 5})
    appointment = await clinic.appointment(number, survey=survey, maxretry=3, retry_delay=1)
    await phone.until("answered", 30)
    await phone.hears(0.5)
    before = stack.inspect(service)
    await asyncio.to_thread(stack.kill9, service)

    async def presses_and_is_settled() -> bool:
        """A key that is pressed while nobody listens is lost, so it is pressed again."""
        await phone.press("3")
        try:
            return await clinic.settled(appointment)
        except (aiohttp.ClientError, OSError, RestError):
            return False  # while a part is away

    await until(presses_and_is_settled, 90, lambda: f"{number} is asked again:\n{stack.logs()}")
    await settled(stack, clinic, appointment, 3)
    after = stack.inspect(service)
    assert after["Id"] == before["Id"] and after["RestartCount"] > before["RestartCount"]
    assert len(network.calls_to(number)) == calls
    await stack.healthy()


async def test_the_outside_is_told_the_public_address(stack: Stack) -> None:
    """An INVITE to somebody who is not on this machine."""
    address = "192.0.2.10"
    stack.engine.run("ip", "address", "replace", f"{address}/32", "dev", "lo")
    with stack.engine.network.udp_socket(address) as provider:
        uri = f"sip:1@{address}:{provider.getsockname()[1]}"
        originate = f"channel originate PJSIP/trunk/{uri} application Wait 1"
        await asyncio.to_thread(stack.exec, "asterisk", "asterisk", "-rx", originate)
        loop = asyncio.get_running_loop()
        invite = (await asyncio.wait_for(loop.sock_recv(provider, 65536), 30)).decode()
    for line in (rf"From: .*@{PUBLIC}", rf"Contact: .*@{PUBLIC}:5060", rf"c=IN IP4 {PUBLIC}"):
        assert re.search(f"(?m)^{line}", invite), invite


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        *(
            (
                f"TELEALARM_TRUNK_PORT=5060 TELEALARM_TRUNK_HOST={own}",
                rf"TELEALARM_TRUNK_HOST and .* say {re.escape(own)}:5060, .* Asterisk itself; .*",
            )
            for own in ("127.0.0.1", "localhost", "172.17.0.1", PUBLIC)
        ),
        ("TELEALARM_PUBLIC_ADDRESS=a;b", r"TELEALARM_PUBLIC_ADDRESS may hold .* in \.env"),
        ("TELEALARM_PUBLIC_ADDRESS=", r"TELEALARM_PUBLIC_ADDRESS is not set; set it in \.env"),
        ("TELEALARM_ARI_PASSWORD_FILE=/nowhere", r"TELEALARM_ARI_PASSWORD_FILE names /nowhere, .*"),
    ],
)
def test_asterisk_says_what_is_wrong_in_the_environment(
    stack: Stack, changed: str, message: str
) -> None:
    """172.17.0.1 is the address of Docker's own bridge on the engine's machine."""
    values = [f"--env={value}" for value in changed.split(" ")]
    run = ("docker", "compose", "run", "--rm", "--no-deps", "-T", *values, "asterisk", "true")
    done = stack.engine.done(*run, cwd=stack.folder)
    assert done.returncode == 1
    assert re.search(rf"(?m)^asterisk: {message}$", done.stderr), done.stderr


def test_a_change_of_the_code_downloads_nothing(stack: Stack) -> None:
    """The engine has no way out here."""
    module = stack.folder / "telealarm" / "__init__.py"
    word = token_hex()
    module.write_text(f"{module.read_text()}\n# {word}\n")
    stack.compose("build")
    changed = f"grep {word} /opt/telealarm/lib/python3*/site-packages/telealarm/__init__.py"
    stack.compose("run", "--rm", "--no-deps", "-T", "telealarm", "sh", "-c", changed)


def test_docker_gets_the_sources_and_nothing_else(stack: Stack) -> None:
    cached = stack.folder / "telealarm" / "__pycache__"
    cached.mkdir(exist_ok=True)
    (cached / "left.pyc").write_text("")
    target = stack.engine.work / "context"
    build = ["docker", "build", "--file=-", f"--output=type=local,dest={target}", "."]
    stack.engine.run(*build, cwd=stack.folder, stdin="FROM scratch\nCOPY . /\n")
    sent = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    assert {Path("setup.py"), Path("telealarm/__main__.py"), Path("dialplan/telealarm.conf")} < sent
    assert not {path for path in sent if path.parts[0] in (".env", ".git", "tests", "docs")}
    assert not {path for path in sent if "__pycache__" in path.parts}
