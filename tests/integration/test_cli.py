"""The command, as an operator types it: what works says so, what is wrong says what to change."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from tests.lab import command
from tests.lab.ari_double import PASSWORD, USER, AriDouble
from tests.lab.key import key_file
from tests.lab.ports import free_tcp_port
from tests.lab.processes import Child
from tests.lab.rest import Rest
from tests.lab.speed import limit
from tests.lab.waiting import until

REPOSITORY = Path(__file__).parents[2]


def write(folder: Path, **parts: Any) -> Path:
    """A configuration in `folder`, on free ports, with nothing of the machine's in it."""
    settings: dict[str, Any] = {
        "database": "sqlite:///data/telealarm.db",
        # A test may name a copy of a database with this key.
        "key_file": key_file(),
        "api": {"port": free_tcp_port()},
        "prompts": {"folder": "prompts"},
        "asterisk": {
            "ari": {"url": f"http://127.0.0.1:{free_tcp_port()}", "password": "x"},
            "cdr": "Master.csv",
        },
        **parts,
    }
    path = folder / "telealarm.yml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return path


def telealarm(
    *words: str, stdin: str = "", cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """A command as it is typed, without the imports; one test below starts it for real."""
    return command.run(*words, stdin=stdin, cwd=cwd, env=env)


class Running:
    """`telealarm serve` in a process of its own, started in `cwd`."""

    def __init__(self, config: Path, cwd: Path, log: Path | None = None, **env: str) -> None:
        self.log = log or config.parent / "serve.log"
        self.config = config
        self._checker = False
        port = yaml.safe_load(config.read_text())["api"]["port"]
        self.url = f"http://127.0.0.1:{port}"
        argv: list[str | Path] = [sys.executable, "-m", "telealarm", "serve", "--config", config]
        if env:
            argv = ["env", *(f"{name}={value}" for name, value in env.items()), *argv]
        self.child = Child(argv, self.log, cwd=cwd)

    async def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        address = self.url + path
        async with aiohttp.ClientSession() as http, http.get(address, headers=headers) as reply:
            return reply.status, await reply.json()

    async def up(self) -> "Running":
        async def healthy() -> bool:
            assert self.child.running, self.child.tail()
            try:
                return (await self.get("/healthz"))[0] == 200
            except aiohttp.ClientError:
                return False

        await until(healthy, 20, "telealarm serve is up")
        return self

    async def check(self, name: str) -> str:
        """What /readyz says of a part to a superuser."""
        if not self._checker:
            words = ("user", "add", "checker", "--superuser", "--password-stdin", "--config")
            done = await asyncio.to_thread(
                telealarm, *words, str(self.config), stdin="a long secret"
            )
            self._checker = done.returncode == 0
        login = aiohttp.encode_basic_auth("checker", "a long secret")
        status, body = await self.get("/readyz", {"Authorization": login})
        assert body["ready"] is (status == 200)
        said: str = {**body["checks"], **body["remarks"]}[name]
        return said


@pytest_asyncio.fixture
async def children() -> AsyncIterator[list[Running]]:
    started: list[Running] = []
    yield started
    for running in started:
        await running.child.terminate(10)


# Users and databases


def test_whichever_command_comes_first_makes_the_database(tmp_path: Path) -> None:
    config = write(tmp_path)
    done = telealarm(
        "user", "add", "ann", "--superuser", "--password-stdin", "--config", str(config),
        stdin="a long secret\n",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "superuser ann added\n"), done.stderr
    assert (tmp_path / "data" / "telealarm.db").exists()
    argv = [sys.executable, "-m", "telealarm", "migrate", "--config", str(config)]
    again = subprocess.run(argv, capture_output=True, text=True, timeout=limit(60))
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stdout


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [("ann", "", "password"), ("ann", "\n", "password"), ("a b\n", "a long secret", "username")],
)
def test_a_login_that_is_none_is_refused(
    tmp_path: Path, name: str, password: str, said: str
) -> None:
    config = write(tmp_path)
    done = telealarm(
        "user", "add", name, "--password-stdin", "--config", str(config), stdin=password
    )
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_login_is_added_once(tmp_path: Path) -> None:
    words = ("user", "add", "ann", "--password-stdin", "--config", str(write(tmp_path)))
    assert telealarm(*words, stdin="a long secret").returncode == 0
    again = telealarm(*words, stdin="a long secret")
    assert again.returncode == 1
    assert "username" in again.stderr


# Configuration


def test_the_configuration_is_found_by_option_variable_or_place(tmp_path: Path) -> None:
    config = write(tmp_path)
    by_variable = telealarm("migrate", TELEALARM_CONFIG=str(config))
    assert by_variable.returncode == 0, by_variable.stderr
    (tmp_path / "config").mkdir()
    config.rename(tmp_path / "config" / "telealarm.yml")
    by_place = telealarm("migrate", cwd=tmp_path)
    assert by_place.returncode == 0, by_place.stderr
    nowhere = telealarm("migrate", cwd=tmp_path / "data")
    assert nowhere.returncode == 1
    assert "config/telealarm.yml" in nowhere.stderr
    assert "--config" in nowhere.stderr


def test_the_shipped_configuration_works_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    shipped = (REPOSITORY / "config" / "telealarm.yml").read_text()
    (tmp_path / "config" / "telealarm.yml").write_text(shipped)
    done = telealarm("migrate", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "var" / "telealarm.db").exists()


def test_each_mistake_is_named_with_its_line_and_what_to_change(tmp_path: Path) -> None:
    config = tmp_path / "telealarm.yml"
    config.write_text(
        "timezone: Mars/Olympus\n"
        "api:\n"
        "  port: 99999\n"
        "  prot: 3\n"
        "asterisk:\n"
        "  ari: {url: localhost, password: '${NOT_SET_ANYWHERE}'}\n"
        "  ami: {prot: 1}\n"
        "webhooks:\n"
        "  allow: [10.0.0.1/8]\n"
        "log:\n"
        "  level: info\n"
        "  level: debug\n"
    )
    done = telealarm("check-config", "--config", str(config))
    assert done.returncode == 1
    for said in (
        ":1: timezone: 'Mars/Olympus' is no IANA time zone",
        ":3: api.port",
        ":4: api.prot: there is no such key; it may be one of host, port",
        ":6: asterisk.ari.url: must be an address like",
        ":6: asterisk.ari.password: the environment variable NOT_SET_ANYWHERE is not set",
        ":7: asterisk.ami.prot: there is no such key; it may be one of host, password, port",
        ":9: webhooks.allow.0: '10.0.0.1/8' is no network; one is 10.0.0.0/8",
        ":12: log.level: stands in line 11 too; keep one",
    ):
        assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list\n", "\x00", "api: 3", "1: 2"])
def test_what_is_no_configuration_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    config = tmp_path / "telealarm.yml"
    config.write_text(text)
    done = telealarm("check-config", "--config", str(config))
    assert done.returncode == 1
    assert str(config) in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unusable_prompts_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("a file in the way")
    done = telealarm("check-config", "--config", str(write(tmp_path)))
    assert done.returncode == 1
    assert "prompts.folder" in done.stderr


def test_an_address_that_cannot_be_listened_at_is_named(tmp_path: Path) -> None:
    # An address for documentation, which no machine has.
    foreign = write(tmp_path, api={"host": "203.0.113.1", "port": free_tcp_port()})
    done = telealarm("check-config", "--config", str(foreign))
    assert done.returncode == 1
    assert "api.host, api.port: cannot listen at 203.0.113.1" in done.stderr
    with socket.create_server(("127.0.0.1", free_tcp_port())) as other:
        port = other.getsockname()[1]
        taken = write(tmp_path, api={"port": port})
        done = telealarm("check-config", "--config", str(taken))
    assert done.returncode == 1
    assert f"wrong: api.port: 127.0.0.1:{port} is taken" in done.stderr
    # Nobody listens where Asterisk is said to be.
    assert "wrong: asterisk.ari.url: Asterisk does not answer at http://127.0.0.1" in done.stderr


def test_a_speech_engine_that_is_not_installed_is_named(tmp_path: Path) -> None:
    engines = {"en": "flite -f {text_file} -o {wav}", "es": "no-such-engine {text_file} {wav}"}
    config = write(tmp_path, speech={"engines": engines})
    done = telealarm("check-config", "--config", str(config))
    assert "speech.engines.es: no-such-engine is not installed" in done.stdout
    assert "speech.engines.en" not in done.stdout


async def test_check_config_asks_asterisk(tmp_path: Path) -> None:
    async with AriDouble() as double:
        ari = {"url": double.url, "user": USER, "password": PASSWORD}
        config = write(tmp_path, asterisk={"ari": ari, "trunks": ["nowhere"]})
        done = await asyncio.to_thread(telealarm, "check-config", "--config", str(config))
        assert done.returncode == 1
        assert "Asterisk knows no PJSIP endpoint 'nowhere'" in done.stderr
        config = write(tmp_path, asterisk={"ari": {**ari, "password": "wrong"}})
        done = await asyncio.to_thread(telealarm, "check-config", "--config", str(config))
        assert done.returncode == 1
        assert "asterisk.ari.password" in done.stderr
        assert "wrong" not in done.stderr.replace("wrong:", "")


# Events from elsewhere


def test_a_file_is_imported_and_each_refused_row_is_named(tmp_path: Path) -> None:
    config = write(tmp_path)
    sheet = tmp_path / "events.csv"
    sheet.write_text("title,start,calendar\nA,2030-01-02 10:30,nowhere\nB,,nowhere\n")
    done = telealarm("import", str(sheet), "--dry-run", "--config", str(config))
    assert done.returncode == 1
    assert f"{sheet}:2: calendar: there is none of the name or id 'nowhere'" in done.stderr
    assert f"{sheet}:3: start: this field is required" in done.stderr
    assert done.stdout == f"{sheet}: 2 refused; nothing was written (dry run)\n"
    missing = telealarm("import", str(tmp_path / "x.csv"), "--config", str(config))
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "x.csv cannot be read: No such file" in missing.stderr


def test_an_example_says_what_it_needs(tmp_path: Path) -> None:
    config = write(tmp_path)
    words = ("example", "personal", "--number", "100", "--user", "ann", "--config", str(config))
    assert "there is no user 'ann'" in telealarm(*words).stderr
    telealarm("user", "add", "ann", "--password-stdin", "--config", str(config), stdin="a secret")
    done = telealarm(*words, "--dry-run")
    assert done.returncode == 1
    assert "there is no active gateway; a superuser makes one" in done.stderr
    assert "Traceback" not in done.stderr


# Serving


async def test_serve_needs_neither_asterisk_nor_speech_nor_a_certain_folder(
    tmp_path: Path, children: list[Running]
) -> None:
    config = write(tmp_path)
    running = Running(config, Path("/"), PATH="/nowhere")
    children.append(await running.up())

    async def tried() -> bool:
        return "not connected to Asterisk yet" not in await running.check("asterisk")

    await until(tried, 10, "Asterisk is looked for")
    assert "asterisk.ari.url" in await running.check("asterisk")
    assert "flite" in await running.check("speech")
    added = telealarm(
        "user", "add", "ann", "--superuser", "--password-stdin", "--config", str(config),
        stdin="a long secret",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    async with Rest(running.url, "ann", "a long secret") as rest:
        assert (await rest.get("calendar/"))["count"] == 0


async def test_a_wrong_password_is_told_while_it_keeps_trying(
    tmp_path: Path, children: list[Running]
) -> None:
    async with AriDouble() as double:
        ari = {"url": double.url, "user": USER, "password": "wrong-secret"}
        running = Running(write(tmp_path, asterisk={"ari": ari}), tmp_path)
        children.append(await running.up())

        async def told() -> bool:
            return "asterisk.ari.password" in await running.check("asterisk")

        await until(told, 10, "the wrong password is told")
        assert "wrong-secret" not in running.log.read_text()


async def test_a_port_that_is_taken_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = write(tmp_path, api={"port": port})
        done = await asyncio.to_thread(telealarm, "serve", "--config", str(config))
    assert done.returncode == 1
    assert f"127.0.0.1:{port} is taken" in done.stderr
    assert "api.port" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_second_start_of_the_same_service_disturbs_nothing(
    tmp_path: Path, children: list[Running]
) -> None:
    config = write(tmp_path, worker={"lease_seconds": limit(5)})
    first = Running(config, tmp_path)
    children.append(await first.up())
    second = await asyncio.to_thread(telealarm, "serve", "--config", str(config))
    assert second.returncode == 1
    assert "is taken" in second.stderr
    await asyncio.sleep(3)  # longer than between two renewals of the lease
    assert first.child.running
    assert (await first.get("/healthz"))[0] == 200


async def test_the_second_process_of_one_worker_name_fences_off_the_first(
    tmp_path: Path, children: list[Running]
) -> None:
    worker = {"name": "same", "lease_seconds": limit(5)}
    first = Running(write(tmp_path, worker=worker), tmp_path)
    children.append(await first.up())
    database = f"sqlite:///{tmp_path}/data/telealarm.db"
    (tmp_path / "second").mkdir()
    second = Running(write(tmp_path / "second", worker=worker, database=database), tmp_path)
    children.append(await second.up())
    await until(lambda: not first.child.running, 15, "the first ends")
    assert "worker.name" in first.child.tail()
    assert second.child.running


def test_plan_prints_its_three_parts_and_refuses_days_that_are_none(tmp_path: Path) -> None:
    config = write(tmp_path)
    done = telealarm("plan", "--days", "7", "--config", str(config))
    assert done.returncode == 0, done.stderr
    heads = [part.splitlines()[0] for part in done.stdout.split("\n\n")]
    assert heads == [
        "at\taction\tnumber\talarm\tevent\twhy\tuntil",
        "load (hours in UTC)",
        "clock changes",
    ]
    for days in ("0", "367", "soon", "-1"):
        done = telealarm("plan", "--days", days, "--config", str(config))
        assert done.returncode == 2
        assert "a whole number of days from 1 to 366" in done.stderr
