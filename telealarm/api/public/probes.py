"""/healthz, /readyz, /metrics, and the prompts that Asterisk fetches. None needs a login."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from telealarm import metrics
from telealarm.api.core.errors import reply
from telealarm.rules.audio import SUFFIX, WAV, WIDE_SUFFIX, WIDE_WAV
from telealarm.store.survey.audio_files import AudioFolder


@dataclass(frozen=True)
class Health:
    """The state of the service by name: "ok", or a sentence that says what to change.

    If one of the `checks` fails, the service cannot work. With `remarks` it works, but not fully.
    """

    checks: dict[str, str]
    remarks: dict[str, str]


ReadyCheck = Callable[[], Awaitable[Health]]

_PROMPT = re.compile(r"[0-9a-f]{64}", re.ASCII)


async def healthz(request: web.Request) -> web.Response:
    """Return 200 while the process lives."""
    return reply(200, {"alive": True})


def readyz(readiness: ReadyCheck) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler of /readyz: 200 if all checks are ok, else 503, with all checks."""

    async def handler(request: web.Request) -> web.Response:
        health = await readiness()
        ready = all(message == "ok" for message in health.checks.values())
        body = {"ready": ready, "checks": health.checks, "remarks": health.remarks}
        return reply(200 if ready else 503, body)

    return handler


async def metrics_text(request: web.Request) -> web.Response:
    """Return the metrics for Prometheus."""
    return web.Response(text=metrics.text(), content_type="text/plain")


def prompts(
    folder: Path, recordings: AudioFolder
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of rendered prompts and recordings.

    Their names are digests, so the contents never change.
    """

    async def handler(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        wide = request.match_info["suffix"] == WIDE_SUFFIX
        if _PROMPT.fullmatch(name):
            narrow = (folder / f"{name}{SUFFIX}", recordings.path(name))
            for path in (path.with_suffix(WIDE_SUFFIX) if wide else path for path in narrow):
                if await asyncio.to_thread(path.is_file):
                    # Asterisk takes 16 kHz for 8 kHz if the type says WAV.
                    kind = WIDE_WAV if wide else WAV
                    headers = {"Cache-Control": "max-age=86400", "Content-Type": kind}
                    return web.FileResponse(path, headers=headers)
        raise web.HTTPNotFound

    return handler
