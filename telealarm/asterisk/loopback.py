"""A bridge without people: Asterisk plays into it and records it, so that both can be tried."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from telealarm.asterisk.ari import AriEvent, Client
from telealarm.asterisk.ari.errors import AriError, NotFound
from telealarm.asterisk.ari.events import CHECK

# A tone without an end: something to record.
TONE = "tone:425/1000"
RECORD_SECONDS = 1
# How long Asterisk may take to fetch a sound, or to end a recording.
MARGIN_SECONDS = 10.0
# The pauses between tries to fetch a recording that has ended.
STORED_PAUSES_SECONDS = (0.0, 0.1, 0.2, 0.4, 0.8)
MOST_BYTES = 1_000_000
# What a wav file has before its first sample.
HEADER_BYTES = 44


class Loopback:
    """Tries Asterisk's files without a phone. Its client must be connected."""

    def __init__(self, client: Client) -> None:
        self._client = client
        # What is awaited: playbacks by id, recordings by name. The result: whether it went well.
        self._awaited: dict[str, asyncio.Future[bool]] = {}
        client.on_event("PlaybackFinished", self._playback_ended)
        client.on_event("RecordingFinished", self._recording_ended)
        client.on_event("RecordingFailed", self._recording_ended)

    async def plays(self, media: str, seconds: float) -> bool:
        """Return whether Asterisk plays `media`, which takes some `seconds`. Raises AriError."""
        playback_id = f"{CHECK}{secrets.token_hex(8)}"
        async with self._bridge() as bridge_id:
            with self._waiting(playback_id) as ended:
                await self._client.bridges.play(bridge_id, media, playback_id)
                return await _within(ended, seconds + MARGIN_SECONDS)

    async def records(self) -> bool:
        """Return whether Asterisk records: a second of a tone, which is deleted. Raises AriError.

        Asterisk refuses to begin (RequestRefused) if its folder of recordings is missing. If its
        user may not write there, or the disk is full, the recording is missing or empty.
        """
        name = f"{CHECK}{secrets.token_hex(8)}"
        async with self._bridge() as bridge_id:
            try:
                with self._waiting(name) as ended:
                    await self._client.bridges.record(bridge_id, name, RECORD_SECONDS)
                    await self._client.bridges.play(bridge_id, TONE, name)
                    await _within(ended, RECORD_SECONDS + MARGIN_SECONDS)
                await self._client.recordings.stop(name)
                wav = await self._stored(name)
                # On a full disk the file is a hole: it has its length, and nothing but zeros.
                return wav.startswith(b"RIFF") and any(wav[HEADER_BYTES:])
            finally:
                with suppress(AriError):
                    await self._client.recordings.delete(name)

    @asynccontextmanager
    async def _bridge(self) -> AsyncIterator[str]:
        bridge_id = f"{CHECK}{secrets.token_hex(8)}"
        source = f"bridge:{bridge_id}"
        client = self._client
        await client.bridges.create(bridge_id)
        try:
            await client.applications.subscribe(client.app, source)
            yield bridge_id
        finally:
            with suppress(AriError):
                await client.applications.unsubscribe(client.app, source)
            with suppress(AriError):
                await client.bridges.destroy(bridge_id)

    @contextmanager
    def _waiting(self, key: str) -> Iterator[asyncio.Future[bool]]:
        """Provide the future of the end of a playback or recording."""
        self._awaited[key] = asyncio.get_running_loop().create_future()
        try:
            yield self._awaited[key]
        finally:
            del self._awaited[key]

    async def _stored(self, name: str) -> bytes:
        for pause in STORED_PAUSES_SECONDS:
            await asyncio.sleep(pause)
            with suppress(NotFound):
                return await self._client.recordings.fetch(name, MOST_BYTES)
        return b""

    def _playback_ended(self, event: AriEvent) -> None:
        self._ended(event.playback_id, well=event.playback_state != "failed")

    def _recording_ended(self, event: AriEvent) -> None:
        self._ended(event.recording_name, well=event.type == "RecordingFinished")

    def _ended(self, key: str | None, *, well: bool) -> None:
        future = self._awaited.get(key or "")
        if future is not None and not future.done():
            future.set_result(well)


async def _within(ended: asyncio.Future[bool], seconds: float) -> bool:
    """Return the result, or False if it does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            return await ended
    except TimeoutError:
        return False
