"""docker-compose.yml and the images, as far as they can be proven where no Docker engine runs.

The file is read by the real Compose (Debian's docker-compose, which needs no engine to check one).
The Dockerfiles are carried out line by line in plain root folders, and what they start is started.
Not proven here: Docker's own building, its networks and volumes, and voice through its ports.
"""

import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml

from telealarm.config.file import load
from tests.lab.dockerfile import Dockerfile
from tests.lab.ports import HOST, free_tcp_port, free_udp_port
from tests.lab.postgres import Postgres
from tests.lab.processes import Child
from tests.lab.root_folder import root_folder
from tests.lab.speed import limit
from tests.lab.waiting import until

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parents[2]
COMPOSE = REPOSITORY / "docker-compose.yml"
DOCKER = REPOSITORY / "config" / "docker"
SERVICES = ("asterisk", "telealarm")
# What a user fills in.
FILLED = {
    "TELEALARM_ARI_PASSWORD": "a-long-random-word",
    "TELEALARM_DB_PASSWORD": "another.long_one",
    "TELEALARM_TRUNK_HOST": "127.0.0.1",
    "TELEALARM_PUBLIC_ADDRESS": "192.0.2.7",
}
PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")


def compose(values: Mapping[str, str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    """What `docker compose config` says of our file, or of `text`, with `values` in .env."""
    root = root_folder("compose-trixie", "trixie", ["docker-compose"])
    command = [
        "/usr/sbin/chroot",
        str(root),
        "docker-compose",
        "-f",
        "-",
        "config",
        "--format=json",
    ]
    return subprocess.run(
        command,
        input=COMPOSE.read_text() if text is None else text,
        env={"PATH": os.defpath, **values},
        capture_output=True,
        text=True,
    )


def example() -> dict[str, str]:
    """The variables of env.example, with what stands there."""
    lines = (DOCKER / "env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def environment(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What each service finds in its environment, as Compose has it."""
    done = compose(values)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    return {name: services[name].get("environment", {}) for name in services}


def test_compose_takes_the_file() -> None:
    done = compose({**example(), **FILLED})
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"postgres", *SERVICES}
    assert all(service["restart"] == "unless-stopped" for service in services.values())
    assert all(service["healthcheck"]["test"] for service in services.values())
    (api,) = services["telealarm"]["ports"]
    assert (api["host_ip"], api["target"]) == (HOST, 8000)
    assert not any(port["target"] == 8088 for port in services["asterisk"]["ports"])


def test_compose_would_refuse_a_wrong_key() -> None:
    done = compose({**example(), **FILLED}, COMPOSE.read_text().replace("restart:", "restrt:"))
    assert done.returncode != 0
    assert "restrt" in done.stderr


@pytest.mark.parametrize("missing", FILLED)
def test_compose_says_what_to_set(missing: str) -> None:
    done = compose({**example(), **FILLED, missing: ""})
    assert done.returncode != 0
    assert f"{missing} is missing a value: set it in .env" in done.stderr


def test_every_file_that_is_named_exists() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name in SERVICES:
        build = services[name]["build"]
        image = Dockerfile(REPOSITORY / build["dockerfile"], REPOSITORY / build["context"])
        assert image.path == dockerfile(name).path
        assert list(image.sources())
    named = re.findall(r"(?:config|dialplan|sounds)/[\w./-]*\w", COMPOSE.read_text())
    named += re.findall(r"config/[\w./-]*\w", (DOCKER / "env.example").read_text())
    assert named
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def test_every_variable_is_described_and_used() -> None:
    values = example()
    assert set(PLACEHOLDER.findall(COMPOSE.read_text())) == set(values)
    # No working password in the repository, and nothing to fill in that has a default.
    assert {name for name, value in values.items() if not value} == set(FILLED)

    inside = environment({**values, **FILLED})
    files = [*REPOSITORY.glob("config/asterisk/*.conf"), *DOCKER.glob("asterisk/*.conf")]
    asked = {name for file in files for name in PLACEHOLDER.findall(file.read_text())}
    assert set(inside["asterisk"]) == asked
    assert set(inside["telealarm"]) == set(
        PLACEHOLDER.findall((DOCKER / "telealarm.yml").read_text())
    )
    # The defaults in the two files are the same.
    assert environment(FILLED) == inside


def test_telealarms_configuration_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment({**example(), **FILLED})["telealarm"].items():
        monkeypatch.setenv(name, value)
    config = load(DOCKER / "telealarm.yml")
    password = FILLED["TELEALARM_DB_PASSWORD"]
    assert config.database == f"postgresql://telealarm:{password}@postgres/telealarm"
    assert config.asterisk.ari.password == FILLED["TELEALARM_ARI_PASSWORD"]
    assert config.prompts_url == "http://telealarm:8000"
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    (cdr,) = (v for v in services["telealarm"]["volumes"] if isinstance(v, dict))
    assert f"{cdr['source']}:{cdr['target']}" in services["asterisk"]["volumes"]
    assert config.asterisk.cdr == f"{cdr['target']}/Master.csv"


def dockerfile(name: str) -> Dockerfile:
    return Dockerfile(DOCKER / f"{name}.Dockerfile", REPOSITORY)


@pytest.fixture(scope="module")
def roots() -> Iterator[dict[str, Path]]:
    """The images' root folders, made side by side by the lines of their Dockerfiles."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        before = os.umask(0o022)  # Docker's; that of the process, so not set where threads build
        try:
            images = [dockerfile(name).built() for name in SERVICES]
            building = [pool.submit(stack.enter_context, image) for image in images]
            made = {name: one.result() for name, one in zip(SERVICES, building, strict=True)}
        finally:
            os.umask(before)
        yield made


def run(name: str, root: Path, *command: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Run a command as in the service's container."""
    image = dockerfile(name)
    return subprocess.run(
        command,
        env={**image.environment, **values},
        preexec_fn=image.enter(root),
        capture_output=True,
        text=True,
        timeout=limit(60),
    )


@asynccontextmanager
async def started(
    name: str, root: Path, output: Path, values: Mapping[str, str]
) -> AsyncIterator[Child]:
    """The service's own command, run as in its container until the block ends."""
    image = dockerfile(name)
    env = {**image.environment, **values}
    child = Child(image.command, output, env=env, become=image.enter(root))
    try:
        yield child
    finally:
        await child.terminate(30)


def healthcheck(name: str) -> list[str]:
    """The command by which Compose tells whether the service is well."""
    test: list[str] = yaml.safe_load(COMPOSE.read_text())["services"][name]["healthcheck"]["test"]
    assert test[0] == "CMD"
    return test[1:]


def test_the_programs_are_in_the_images(roots: dict[str, Path]) -> None:
    said = run("asterisk", roots["asterisk"], "asterisk", "-V")
    assert re.match(r"Asterisk 2\d\.", said.stdout), said
    said = run("telealarm", roots["telealarm"], "telealarm", "--version")
    assert said.stdout.startswith("telealarm "), said
    for engine in (["flite", "-voice", "slt", "-t", "yes"], ["espeak-ng", "-v", "es", "sí"]):
        spoken = run("telealarm", roots["telealarm"], *engine, *_into(engine[0]))
        assert spoken.returncode == 0, spoken


def _into(engine: str) -> list[str]:
    return ["-o" if engine == "flite" else "-w", f"/tmp/{engine}.wav"]


async def test_asterisks_image_serves_ari(roots: dict[str, Path], tmp_path: Path) -> None:
    root = roots["asterisk"]
    port, sip = free_tcp_port(), free_udp_port()
    values = environment({**example(), **FILLED})["asterisk"] | {
        "TELEALARM_HTTP_ADDRESS": HOST,
        "TELEALARM_HTTP_PORT": str(port),
        "TELEALARM_AMI_ADDRESS": HOST,
        "TELEALARM_AMI_PORT": str(free_tcp_port()),
        "TELEALARM_SIP_ADDRESS": HOST,
        "TELEALARM_SIP_PORT": str(sip),
    }

    async with started("asterisk", root, tmp_path / "log", values) as asterisk:
        await until(
            lambda: (
                not asterisk.running
                or run("asterisk", root, *healthcheck("asterisk")).returncode == 0
            ),
            60,
            "Asterisk is well",
        )
        assert asterisk.running, asterisk.tail()
        url = f"http://{HOST}:{port}/ari/endpoints/PJSIP/trunk"
        assert await _status(url, FILLED["TELEALARM_ARI_PASSWORD"]) == 200
        assert await _status(url, "another") == 401

        def console(command: str) -> str:
            return run("asterisk", root, "asterisk", "-rx", command).stdout

        assert "Stasis" in console("dialplan show telealarm-out")
        transport = console("pjsip show transport transport-udp")
        assert re.search(r"external_media_address +: 192\.0\.2\.7", transport), transport
        assert re.search(r"Port start: +10000\s+Port end: +10099", console("rtp show settings"))
        assert re.search(r"Data directory: +/usr/share/asterisk\n", console("core show settings"))

        console("channel originate Local/1@from-trunk application Wait 1")
        records = root / "var/log/asterisk/cdr-csv/Master.csv"
        await until(records.exists, 10, "the call has left its record")
        assert records.stat().st_mode & 0o004, "TeleAlarm, another user, cannot read it"


async def _status(url: str, password: str) -> int:
    headers = {"Authorization": aiohttp.encode_basic_auth("telealarm", password)}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as reply:
        return reply.status


def test_asterisks_image_has_the_sounds_of_every_language(roots: dict[str, Path]) -> None:
    sounds = roots["asterisk"] / "usr/share/asterisk/sounds"
    languages = {path.parent.name for path in REPOSITORY.glob("sounds/*/*.wav")}
    assert {"en", "es"} < languages
    for language in languages:
        inside = sounds / ("" if language == "en" else language) / "telealarm"
        shipped = {path.name for path in (REPOSITORY / "sounds" / language).glob("*.wav*")}
        assert {path.name for path in inside.iterdir()} == shipped


@pytest.mark.parametrize("value", ["", "a;b", "a b", "a|b"])
def test_asterisks_image_refuses_what_would_break_its_files(
    roots: dict[str, Path], value: str
) -> None:
    values = environment({**example(), **FILLED})["asterisk"]
    values["TELEALARM_ARI_PASSWORD"] = value
    done = run("asterisk", roots["asterisk"], *dockerfile("asterisk").command, **values)
    assert done.returncode == 1
    assert re.fullmatch(r"asterisk: TELEALARM_ARI_PASSWORD .* in \.env\n", done.stderr), done


async def test_telealarms_image_serves_the_api(
    roots: dict[str, Path], postgres: Postgres, tmp_path: Path
) -> None:
    """The committed configuration, with other ports and no Asterisk to talk to."""
    root, port = roots["telealarm"], free_tcp_port()
    config = yaml.safe_load((DOCKER / "telealarm.yml").read_text())
    config["database"] = postgres.new_database()
    config["api"] = {"host": HOST, "port": port}
    config["asterisk"]["ari"]["url"] = f"http://{HOST}:{free_tcp_port()}"
    (root / "etc/telealarm/telealarm.yml").write_text(yaml.safe_dump(config))
    values = environment({**example(), **FILLED})["telealarm"]
    check = [word.replace(":8000", f":{port}") for word in healthcheck("telealarm")]

    async with started("telealarm", root, tmp_path / "log", values) as telealarm:
        await until(
            lambda: not telealarm.running or run("telealarm", root, *check).returncode == 0,
            30,
            "TeleAlarm is well",
        )
        assert telealarm.running, telealarm.tail()
        assert await _status(f"http://{HOST}:{port}/rest-api/", "nobody's") == 401
    assert telealarm.returncode == 0, telealarm.tail()
    assert "ended: by a signal" in telealarm.tail()
    made = run("telealarm", root, "test", "-w", config["prompts"]["folder"])
    assert made.returncode == 0, "TeleAlarm's user cannot write its prompts"
