"""What Asterisk cannot record or play is told before a callee hears it, on Debian's package."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import yaml

from tests.acceptance.conftest import LOGIN, NewDatabase, Practice, open_practice
from tests.lab import command
from tests.lab.asterisk import Asterisk
from tests.lab.exchange import Exchange
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


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """A file system without a free byte, mounted at `folder` for the time of a block."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=777", "tmpfs", folder], check=True)
    try:
        with pytest.raises(OSError, match="No space left"):
            (folder / "filler").write_bytes(bytes(1_000_000))
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


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

    with full_disk(folder):
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
