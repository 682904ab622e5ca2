"""Tries what Asterisk plays and records, without a phone: for /readyz and `check-config`."""

import asyncio
from collections.abc import Awaitable, Callable

from telealarm.asterisk.ari import Client
from telealarm.asterisk.ari.errors import AriError, RequestRefused
from telealarm.asterisk.loopback import Loopback
from telealarm.errors import SpeechError
from telealarm.i18n import ENGLISH
from telealarm.installing.recordings import NAME
from telealarm.survey.commands import GOODBYE, NOT_SAVED, ONE_MOMENT
from telealarm.survey.tts.prompts import NO_SPEECH, Prompts

# The names of the checks, as /readyz has them.
RECORDINGS, PROMPTS, SOUNDS = "recordings", "prompts", "sounds"
# What the dialplan plays while the service is away, and how long it takes (seconds).
DIALPLAN_SOUND, DIALPLAN_SECONDS = "sound:telealarm/please-hold", 4.0


class MediaCheck:
    """Lets Asterisk record a second, and play a prompt and a sound, on a bridge of its own.

    `read_files`: Asterisk reads prompts from their folder, and fetches what it cannot read.
    """

    def __init__(self, client: Client, prompts: Prompts, *, read_files: bool) -> None:
        self._client = client
        self._prompts = prompts
        self._read_files = read_files
        self._loopback = Loopback(client)

    async def __call__(self) -> dict[str, str]:
        """Return for each check "ok", or a sentence that says what to change."""
        tries = {
            RECORDINGS: self.recordings,
            PROMPTS: self.prompts,
            SOUNDS: self.sounds,
        }
        results = await asyncio.gather(*map(_tried, tries.values()))
        return dict(zip(tries, results, strict=True))

    async def recordings(self) -> str | None:
        """Return why Asterisk cannot record, None if it can. Raises AriError."""
        folder = f"{await self._client.asterisk.variable('ASTSPOOLDIR')}/{NAME}"
        try:
            if await self._loopback.records():
                return None
        except RequestRefused:
            return (
                f"Asterisk cannot record: it has no folder {folder}; make it where Asterisk runs:"
                f" install -d -o asterisk -g asterisk -m 750 {folder}"
            )
        return (
            f"Asterisk cannot record into {folder}: its disk may be full, or its user may not"
            f" write there (chown asterisk: {folder})"
        )

    async def prompts(self) -> str | None:
        """Return why Asterisk can play no prompt, None if it can. Raises AriError."""
        try:
            await self._prompts.keep_ready((ONE_MOMENT, NOT_SAVED, NO_SPEECH))
            prompt = await self._prompts.system(GOODBYE, ENGLISH)
        except SpeechError as error:
            return str(error)
        for media in reversed(prompt.media) if self._read_files else prompt.media:
            if await self._loopback.plays(media, prompt.seconds):
                return None
        return (
            f"Asterisk can play none of {', '.join(prompt.media)}: let it reach prompts.url, or"
            " let its user read prompts.folder"
        )

    async def sounds(self) -> str | None:
        """Return that the dialplan's sounds are missing, None if not. Raises AriError."""
        if await self._loopback.plays(DIALPLAN_SOUND, DIALPLAN_SECONDS):
            return None
        return (
            "Asterisk lacks the sound telealarm/please-hold: copy sounds/en to telealarm/ in its"
            " folder of sounds; until then a callee who is held hears tones"
        )


async def _tried(attempt: Callable[[], Awaitable[str | None]]) -> str:
    try:
        return await attempt() or "ok"
    except AriError as error:
        return f"Asterisk cannot be asked to try it: {error}"
