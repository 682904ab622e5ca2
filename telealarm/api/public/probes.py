"""/healthz, /readyz, /metrics, and the prompts that Asterisk fetches. None asks for a login."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from telealarm import metrics
from telealarm.api.core.errors import reply
from telealarm.rules.audio import WAV
from telealarm.store.survey.audio_files import AudioFolder


@dataclass(frozen=True)
class Health:
    """By name "ok", or a sentence that says what to change.

    Without its `checks` the service cannot do its work; it can with a `remark`, but not as well.
    """

    checks: dict[str, str]
    remarks: dict[str, str]


ReadyCheck = Callable[[], Awaitable[Health]]

_PROMPT = re.compile(r"[0-9a-f]{64}", re.ASCII)


async def healthz(request: web.Request) -> web.Response:
    """200 while the process lives."""
    return reply(200, {"alive": True})


def readyz(readiness: ReadyCheck) -> Callable[[web.Request], Awaitable[web.Response]]:
    """200 where all checks are ok, else 503; the body says which."""

    async def handler(request: web.Request) -> web.Response:
        health = await readiness()
        ready = all(said == "ok" for said in health.checks.values())
        body = {"ready": ready, "checks": health.checks, "remarks": health.remarks}
        return reply(200 if ready else 503, body)

    return handler


async def metrics_text(request: web.Request) -> web.Response:
    """What Prometheus reads."""
    return web.Response(text=metrics.text(), content_type="text/plain")


def prompts(
    folder: Path, recordings: AudioFolder
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Rendered prompts and recordings. Their names are digests, so they never change."""

    async def handler(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if _PROMPT.fullmatch(name):
            for path in (folder / f"{name}.wav", recordings.path(name)):
                if await asyncio.to_thread(path.is_file):
                    headers = {"Cache-Control": "max-age=86400", "Content-Type": WAV}
                    return web.FileResponse(path, headers=headers)
        raise web.HTTPNotFound

    return handler
