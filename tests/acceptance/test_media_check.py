"""What Asterisk cannot record or play is told before a callee hears it, on Debian's package."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from tests.acceptance.conftest import (
    LOGIN,
    NewDatabase,
    Plug,
    Practice,
    Practices,
    open_practice,
)
from tests.acceptance.test_sections import RECORD, sealed
from tests.lab import command
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import by_hand
from tests.lab.exchange import Exchange
from tests.lab.small_disk import mounted
from tests.lab.waiting import until


@pytest_asyncio.fixture(loop_scope="session")
async def package(exchange: Exchange) -> AsyncIterator[Asterisk]:
    """An Asterisk with the folders of Debian's package, which lacks the one for recordings."""
    pbx = Asterisk(exchange.port, recording_folder=False)
    try:
        await pbx.start()
        yield pbx
    finally:
        await pbx.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def clinic(package: Asterisk, new_database: NewDatabase) -> AsyncIterator[Practice]:
    async with AsyncExitStack() as stack:
        yield await open_practice(stack, package, database=new_database())


async def readyz(practice: Practice) -> dict[str, Any]:
    """What a superuser reads there."""
    login = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
    address = f"{practice.serve.url}/readyz"
    async with aiohttp.ClientSession() as http, http.get(address, headers=login) as reply:
        body: dict[str, Any] = await reply.json()
        assert body["ready"] is (reply.status == 200)
        return body


async def told(practice: Practice, name: str, words: str) -> None:
    """Return when the check of this name says so."""

    async def said() -> bool:
        body = await readyz(practice)
        return words in {**body["checks"], **body["remarks"]}.get(name, "")

    await until(said, 40, lambda: f"{name}: {words}; TeleAlarm says:\n{practice.serve.tail()}")


async def check_config(config: Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(command.run, "check-config", "--config", config)


def changed(config: Path, change: dict[str, Any]) -> Path:
    """A copy of a configuration with some sections replaced."""
    copy = config.with_name("changed.yml")
    copy.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), **change}))
    return copy


async def test_a_missing_folder_of_recordings_is_named_until_it_is_there(
    clinic: Practice, package: Asterisk
) -> None:
    folder = package.recordings_dir
    assert not folder.exists()
    install = f"install -d -o asterisk -g asterisk -m 750 {package.inside(folder)}"
    await told(clinic, "recordings", install)
    done = await check_config(clinic.serve.config)
    assert done.returncode == 1
    assert (
        f"wrong: recordings: Asterisk cannot record: it has no folder {package.inside(folder)}"
        in (done.stderr)
    )
    package.make_recordings_dir()
    await told(clinic, "recordings", "ok")
    assert (await readyz(clinic))["ready"] is True
    # The same cause is logged once, however often it is found.
    log = clinic.serve.log.read_text()
    assert log.count("ERROR telealarm.health recordings: Asterisk cannot record") == 1, log
    assert log.count("ERROR") == 1, log
    # The port is taken by this service itself: that is as it should be.
    done = await check_config(clinic.serve.config)
    assert (done.returncode, done.stderr) == (0, "")
    # Nothing of the tries stays.
    assert list(folder.iterdir()) == []
    assert "0 active channels" in await package.cli("core show channels")

    with mounted(folder, 64) as disk:
        disk.fill()
        done = await check_config(clinic.serve.config)
    assert done.returncode == 1
    assert f"Asterisk cannot record into {package.inside(folder)}: its disk may be full" in (
        done.stderr
    )

    # Prompts: neither read nor fetched.
    private = clinic.serve.folder / "private"
    private.mkdir(mode=0o700)
    nowhere = {"folder": str(private), "url": "http://127.0.0.1:9"}
    done = await check_config(changed(clinic.serve.config, {"prompts": nowhere}))
    assert done.returncode == 1
    assert "wrong: prompts: Asterisk can play none of sound:http://127.0.0.1:9" in done.stderr

    # The sounds of the dialplan.
    (package.sounds_dir / "telealarm").rename(package.sounds_dir / "elsewhere")
    done = await check_config(clinic.serve.config)
    assert done.returncode == 0, done.stderr
    assert "remark: sounds: Asterisk lacks the sound telealarm/please-hold" in done.stdout


@pytest.mark.long
async def test_a_message_that_finds_the_disk_full_is_kept_when_there_is_room(
    practices: Practices, plug: Plug, asterisk: Asterisk, tmp_path: Path
) -> None:
    with mounted(tmp_path / "disk", 1024) as disk:
        practice = await practices(settings={"recordings": {"folder": str(disk.folder)}})
        speaks_up = {"type": RECORD, "script": "Speak.", "timeout": 10, "completed": True}
        survey = await sealed(practice.clinic.rest, speaks_up)
        phone = await plug("541", by_hand(voice=5.0))
        disk.fill()
        appointment = await practice.clinic.appointment("541", survey=survey)
        await phone.until("answered", 30)

        def recorded() -> int:
            files = asterisk.recordings_dir.glob("ta-*")
            return sum(path.stat().st_size for path in files)

        before = recorded()
        await until(lambda: recorded() > before, 30, "Asterisk records")
        await phone.speak()
        await until(lambda: recorded() > before + 50_000, 30, "some seconds are recorded")
        await phone.hang_up()
        await until(
            lambda: (
                "recordings.folder cannot be written: the disk is full" in practice.serve.tail()
            ),
            30,
            practice.serve.tail,
        )
        assert "recorded" not in await practice.words(appointment)
        disk.free()
        await practice.told(appointment, "recorded", 90)
        assert len(list(disk.folder.glob("*.wav"))) == 1
        await until(lambda: recorded() <= before, 30, "it does not stay in Asterisk")
        assert "Traceback" not in practice.serve.log.read_text()
