"""Checks of this machine and of Asterisk, for `check-config` and /readyz."""

import asyncio
import errno
import os
import shlex
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web

from telealarm import disk_space, installation_key
from telealarm.api.public import probes
from telealarm.asterisk.ami import Ami, AmiError
from telealarm.asterisk.ari import Client
from telealarm.asterisk.ari.errors import AriError, NotFound, Unauthorized
from telealarm.asterisk.dialplan import CONTEXT, DOORS, EXTENSION
from telealarm.clock import utcnow
from telealarm.config.model import AriConfig, Config
from telealarm.errors import ConfigError, StorageError, unwritable
from telealarm.media_check import SOUNDS, MediaCheck
from telealarm.methods import alarm_methods
from telealarm.store.dialing import workers
from telealarm.store.engine import dialect
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from telealarm.store.survey.audio_files import AudioFolder
from telealarm.survey.tts.prompts import Prompts
from telealarm.survey.tts.speech import Speech

# How long check-config waits for Asterisk to accept its websocket.
CONNECT_SECONDS = 5.0
# What is written into a folder to try it.
PROBE_BYTES = 4096


async def check(config: Config) -> tuple[list[str], list[str]]:
    """Return faults, and remarks worth knowing. Each is a sentence that says what to change."""
    mistakes: list[str] = []
    remarks: list[str] = []
    if unusable := folder("prompts.folder", config.path(config.prompts.folder)):
        mistakes.append(unusable)
    if unusable := folder("recordings.folder", config.path(config.recordings.folder)):
        mistakes.append(unusable)
    file = dialect.configured_file(config)
    if file is not None and (unusable := folder("database", file.parent)):
        mistakes.append(unusable)
    remarks += disk_space.low(disk_space.measure(config), config.disk.warn_megabytes)
    db = None
    try:
        db = await asyncio.to_thread(open_database, config)
        await asyncio.to_thread(db.run, _nothing)
    except (StorageError, ConfigError) as error:
        mistakes.append(str(error))
    for language, line in config.speech.engines.items():
        program = shlex.split(line)[0]
        if shutil.which(program) is None:
            remarks.append(
                f"speech.engines.{language}: {program} is not installed; until it is, callees"
                " hear a stock message instead of the texts"
            )
    if unusable := await _listening(config, db):
        mistakes.append(unusable)
    _cdr(config, mistakes, remarks)
    for method in alarm_methods().values():
        remarks += method.remarks(config)
    await _ami(config, mistakes, remarks)
    if not config.asterisk.ari.password:
        mistakes.append(
            "asterisk.ari.password is empty; set it to the password of"
            f" {config.asterisk.ari.user!r} in ari.conf"
        )
    else:
        await _asterisk(config, mistakes, remarks)
    return mistakes, remarks


def _nothing() -> None:
    """Write nothing: the transaction alone shows whether the database lets others write."""


def folder(key: str, path: Path) -> str | None:
    """Return why the folder cannot be created, read or written; None if it can."""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if path.exists() and not path.is_dir():
        return f"{key}: {path} is not a folder; name another"
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        return f"{key}: {existing} cannot be read and written; let this user, or name another"
    try:
        with tempfile.TemporaryFile(dir=existing) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
    except OSError as error:
        return f"{key}: {path} cannot be written: {unwritable(error)}"
    return None


async def trunk(client: Client, name: str) -> str | None:
    """Return why a PJSIP endpoint cannot place calls; None if it can. Raises AriError."""
    try:
        endpoint = await client.endpoints.get("PJSIP", name)
    except NotFound:
        return (
            f"Asterisk knows no PJSIP endpoint {name!r}; define it in pjsip.conf,"
            " or correct asterisk.trunks"
        )
    if endpoint.get("state") == "offline":
        return f"Asterisk finds {name!r} offline; see `pjsip show endpoint {name}`"
    return None


async def dialplan(client: Client, app: str) -> str | None:
    """Return why answered calls cannot reach the service; None if they can. Raises AriError."""
    if await client.channels.dialplan_exists(app, CONTEXT, EXTENSION):
        return None
    return (
        f"Asterisk's dialplan has no context {CONTEXT}; #include telealarm.conf in"
        " extensions.conf, and reload the dialplan"
    )


async def doors(client: Client) -> list[str]:
    """Return a sentence for each inbound door without a context. Raises AriError."""
    missing = [
        context
        for context in DOORS.values()
        if not await client.channels.dialplan_exists(client.app, context, EXTENSION)
    ]
    return [
        f"Asterisk's dialplan has no context {context}; copy dialplan/telealarm.conf once more, and"
        " reload the dialplan"
        for context in missing
    ]


async def _listening(config: Config, db: Database | None) -> str | None:
    """Return why the API cannot listen where the configuration says, None if it can."""
    host, port = config.api.host, config.api.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return (
                f"api.host, api.port: cannot listen at {host}:{port} ({error.strerror}); name an"
                " address of this machine, and a port that this user may open"
            )
        if db is not None and await asyncio.to_thread(
            db.look, workers.is_alive, config.worker_name, utcnow()
        ):
            return None  # by this service itself
        return f"api.port: {host}:{port} is taken; end what listens there, or name another port"
    return None


def _cdr(config: Config, mistakes: list[str], remarks: list[str]) -> None:
    source = config.asterisk.cdr
    if source is None:
        remarks.append(
            "asterisk.cdr is null: after a crash the fate of a call that has ended is unknown"
        )
    elif "://" not in source:
        path = config.path(source)
        if path.exists() and not os.access(path, os.R_OK):
            mistakes.append(f"asterisk.cdr: {path} cannot be read; let this user read it")
        elif not path.exists():
            remarks.append(
                f"asterisk.cdr: {path} is not there; right, if Asterisk has not ended a call yet"
            )


async def _ami(config: Config, mistakes: list[str], remarks: list[str]) -> None:
    settings = config.asterisk.ami
    if settings is None:
        remarks.append(
            "asterisk.ami is null: calls by a trunk that is down fail; name AMI, and they wait"
        )
        return

    async def ignore(states: object) -> None:
        """Ignore the states: no trunk is polled."""

    ami = Ami(**settings.model_dump(), trunks=[], notify=ignore)
    try:
        await ami.check()
    except AmiError as error:
        mistakes.append(f"asterisk.ami: {error}")
    except (OSError, TimeoutError) as error:
        mistakes.append(
            f"asterisk.ami: {settings.host}:{settings.port} does not answer"
            f" ({error or 'in time'}); start Asterisk, or correct manager.conf or the address"
        )


async def _asterisk(config: Config, mistakes: list[str], remarks: list[str]) -> None:
    ari = config.asterisk.ari
    # A separate application: a running service is not disturbed.
    client = _client(ari, f"check-config-{os.getpid()}")
    connection: asyncio.Task[None] | None = None
    try:
        await client.asterisk.info()
        for name in config.asterisk.trunks:
            if trouble := await trunk(client, name):
                mistakes.append(f"asterisk.trunks: {trouble}")
        if not config.asterisk.trunks:
            remarks.append("asterisk.trunks is empty: no trunk is watched; name your endpoints")
        connected = asyncio.Event()

        async def note() -> None:
            connected.set()

        client.on_connected(note)
        connection = asyncio.create_task(client.run())
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECONDS):
                await connected.wait()
        if trouble := client.trouble or await dialplan(client, client.app):
            mistakes.append(trouble)
        else:
            remarks += await doors(client)
        if client.connected:
            await _media(config, client, mistakes, remarks)
    except Unauthorized:
        mistakes.append(
            "asterisk.ari.user, asterisk.ari.password: Asterisk refuses them; correct them here"
            " or in ari.conf"
        )
    except NotFound:
        mistakes.append(
            f"asterisk.ari.url: no ARI answers at {ari.url}; enable it (ari.conf, http.conf) or"
            " correct the address"
        )
    except AriError as error:
        mistakes.append(
            f"asterisk.ari.url: Asterisk does not answer at {ari.url} ({error}); start it, or"
            " correct http.conf or the address"
        )
    finally:
        if connection is not None:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
        await client.aclose()


async def _media(config: Config, client: Client, mistakes: list[str], remarks: list[str]) -> None:
    """Let Asterisk record and play. It may fetch prompts from here if no service serves them."""
    folder = config.path(config.prompts.folder)
    speech = Speech(config.speech.engines, config.speech.timeout_seconds)
    try:
        key = await asyncio.to_thread(installation_key.read, config.key_path)
    except ConfigError:
        key = None
    if key is None:
        return  # the database could not be opened, which is reported
    prompts = Prompts(folder, config.prompts_url, speech, key=key)
    check = MediaCheck(client, prompts, read_files=config.prompts.url is None)
    async with _served(config, folder):
        results = await check()
    for name, message in results.items():
        if message != "ok":
            (remarks if name == SOUNDS else mistakes).append(f"{name}: {message}")


@asynccontextmanager
async def _served(config: Config, folder: Path) -> AsyncIterator[None]:
    """Serve the prompts at the address of the API, if it is free."""
    app = web.Application()
    app.router.add_get(probes.PROMPTS_PATH, probes.prompts(folder, AudioFolder(folder)))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        with suppress(OSError):
            await web.TCPSite(runner, config.api.host, config.api.port).start()
        yield
    finally:
        await runner.cleanup()


def _client(ari: AriConfig, app: str) -> Client:
    return Client(
        url=ari.url,
        user=ari.user,
        password=ari.password,
        app=app,
        timeout_seconds=ari.timeout_seconds,
    )
