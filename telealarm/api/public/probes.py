"""/healthz, /readyz, /metrics, and the prompts that Asterisk fetches. None needs a login.

/readyz says more to a superuser: causes name addresses, versions and folders.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from telealarm import metrics, zone_data
from telealarm.api.core.auth import Logins
from telealarm.api.core.errors import reply
from telealarm.errors import StorageError
from telealarm.rules.audio import PROMPT_DIGITS, SUFFIX, WAV, WIDE_SUFFIX, WIDE_WAV
from telealarm.store.survey.audio_files import AudioFolder


@dataclass(frozen=True)
class Health:
    """The state of the service by name: "ok", or a sentence that says what to change.

    If one of the `checks` fails, the service cannot work. With `remarks` it works, but not fully.
    """

    checks: dict[str, str]
    remarks: dict[str, str]


ReadyCheck = Callable[[], Awaitable[Health]]

# The route of prompts and recordings; a name is a digest.
PROMPTS_PATH = r"/prompts/{name}{suffix:\.wav|\.wav16}"
_PROMPT = re.compile(rf"[0-9a-f]{{{PROMPT_DIGITS}}}", re.ASCII)
_RECORDING = re.compile(r"[0-9a-f]{64}", re.ASCII)


async def healthz(request: web.Request) -> web.Response:
    """Return 200 while the process lives."""
    return reply(200, {"alive": True})


def readyz(
    readiness: ReadyCheck, logins: Logins
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler of /readyz: 200 if all checks are ok, else 503.

    A superuser gets a sentence for each check that fails, and which tz database is in use. Others
    get the check's name.
    """

    async def handler(request: web.Request) -> web.Response:
        may_know = await _is_superuser(request, logins)
        health = await readiness()
        ready = all(message == "ok" for message in health.checks.values())
        checks, remarks = health.checks, health.remarks
        if not may_know:
            checks, remarks = _names(checks, "failing"), _names(remarks, "remark")
        body: dict[str, object] = {"ready": ready, "checks": checks, "remarks": remarks}
        if may_know:
            body["tzdata"] = zone_data.description()
        return reply(200 if ready else 503, body)

    return handler


async def _is_superuser(request: web.Request, logins: Logins) -> bool:
    """Return whether the request has a superuser's login. Raises ApiError for a wrong login."""
    if hdrs.AUTHORIZATION not in request.headers:
        return False
    try:
        return (await logins.login(request)).is_superuser
    except StorageError:
        return False  # the database is away; the reply says so


def _names(messages: dict[str, str], word: str) -> dict[str, str]:
    return {name: "ok" if text == "ok" else word for name, text in messages.items()}


async def metrics_text(request: web.Request) -> web.Response:
    """Return the metrics for Prometheus."""
    return web.Response(text=metrics.text(), content_type="text/plain")


def prompts(
    folder: Path, recordings: AudioFolder
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of rendered prompts and recordings.

    Their names are keyed digests. So the contents never change, and nobody can ask whether a text
    was spoken. The names of earlier versions could be guessed: they are not found.
    """

    async def handler(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        wide = request.match_info["suffix"] == WIDE_SUFFIX
        path = None
        if _PROMPT.fullmatch(name):
            path = folder / f"{name}{SUFFIX}"
        elif _RECORDING.fullmatch(name):
            path = recordings.path(name)
        if path is not None:
            path = path.with_suffix(WIDE_SUFFIX) if wide else path
            if await asyncio.to_thread(path.is_file):
                # Asterisk takes 16 kHz for 8 kHz if the type says WAV.
                kind = WIDE_WAV if wide else WAV
                headers = {"Cache-Control": "max-age=86400", "Content-Type": kind}
                return web.FileResponse(path, headers=headers)
        raise web.HTTPNotFound

    return handler
