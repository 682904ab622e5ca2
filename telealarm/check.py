"""`telealarm check-config`: what only a look at this machine and at Asterisk can tell."""

import os
import shlex
import shutil
from pathlib import Path

from telealarm.asterisk.ari import Client
from telealarm.asterisk.ari.errors import AriError, NotFound, Unauthorized
from telealarm.config import Config
from telealarm.errors import StorageError
from telealarm.store.schema import open_database


async def check(config: Config) -> tuple[list[str], list[str]]:
    """What is wrong, and what is worth knowing; each a sentence that says what to change."""
    mistakes: list[str] = []
    remarks: list[str] = []
    mistakes += folder("prompts.folder", config.path(config.prompts.folder))
    try:
        open_database(config)
    except StorageError as error:
        mistakes.append(str(error))
    for language, line in config.speech.engines.items():
        program = shlex.split(line)[0]
        if shutil.which(program) is None:
            remarks.append(
                f"speech.engines.{language}: {program} is not installed; until it is, callees"
                " hear a stock message instead of the texts"
            )
    if config.asterisk.cdr is None:
        remarks.append(
            "asterisk.cdr is not set: after a crash the fate of a call that has ended is unknown"
        )
    elif "://" not in config.asterisk.cdr:
        path = config.path(config.asterisk.cdr)
        if path.exists() and not os.access(path, os.R_OK):
            mistakes.append(f"asterisk.cdr: {path} cannot be read; let this user read it")
    if not config.asterisk.ari.password:
        mistakes.append(
            "asterisk.ari.password is empty; set it to the password of"
            f" {config.asterisk.ari.user!r} in ari.conf"
        )
    else:
        await _asterisk(config, mistakes, remarks)
    return mistakes, remarks


async def _asterisk(config: Config, mistakes: list[str], remarks: list[str]) -> None:
    ari = config.asterisk.ari
    client = Client(
        url=ari.url,
        user=ari.user,
        password=ari.password,
        app=config.worker_name,
        timeout_seconds=ari.timeout_seconds,
    )
    try:
        await client.asterisk.info()
        for trunk in config.asterisk.trunks:
            try:
                await client.endpoints.get("PJSIP", trunk)
            except NotFound:
                mistakes.append(
                    f"asterisk.trunks: Asterisk knows no PJSIP endpoint {trunk!r}; define it in"
                    " pjsip.conf, or correct the name"
                )
        if not config.asterisk.trunks:
            remarks.append("asterisk.trunks is empty: no trunk is watched")
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
        remarks.append(f"Asterisk cannot be asked now ({error}); it may not be running")
    finally:
        await client.aclose()


def folder(key: str, path: Path) -> list[str]:
    """Whether the folder exists, or can be made, and can be written."""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if path.exists() and not path.is_dir():
        return [f"{key}: {path} is not a folder; name another"]
    if not os.access(existing, os.R_OK | os.W_OK | os.X_OK):
        return [f"{key}: {existing} cannot be read and written; let this user, or name another"]
    return []
