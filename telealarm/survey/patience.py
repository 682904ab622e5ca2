"""The patience of somebody on the telephone while the database is away.

After two seconds they hear "one moment, please". After ten seconds the call ends with some words:
whoever waits says which.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from telealarm.clock import monotonic
from telealarm.errors import SpeechError, Stale, StorageError
from telealarm.survey.channel_io import ChannelIO
from telealarm.survey.commands import ONE_MOMENT
from telealarm.survey.tts.prompts import Prompts

log = logging.getLogger(__name__)

T = TypeVar("T")

MOMENT_SECONDS, TOO_LONG_SECONDS = 2.0, 10.0
# Between two tries to reach the database.
PAUSE_SECONDS = 0.3


class Patience:
    """Waits for the database in one call. `language` is that of its prompts."""

    def __init__(self, prompts: Prompts, channel_io: ChannelIO, language: str) -> None:
        self.language = language
        self._prompts = prompts
        self._channel_io = channel_io

    async def done(self, future: "asyncio.Future[Any]") -> bool:
        """Return whether `future` is done within TOO_LONG_SECONDS. Raises HungUp."""
        channel_io, until = self._channel_io, monotonic() + TOO_LONG_SECONDS
        if await channel_io.until_done(future, MOMENT_SECONDS):
            return True
        await channel_io.hold(TOO_LONG_SECONDS)
        with suppress(SpeechError):
            await channel_io.tell(await self._prompts.system(ONE_MOMENT, self.language))
        return await channel_io.until_done(future, until - monotonic())

    async def until_answered(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `attempt`, which is repeated while the database is away.

        Raises HungUp, what `attempt` raised, and StorageError if it takes too long.
        """
        task = asyncio.create_task(self._repeated(attempt))
        try:
            if not await self.done(task):
                raise StorageError(f"The database has not answered for {TOO_LONG_SECONDS:g} s.")
            return task.result()
        finally:
            task.cancel()

    async def _repeated(self, attempt: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await attempt()
            except Stale:
                raise
            except StorageError as error:
                log.error("%s; trying again", error, extra={"channel": self._channel_io.channel.id})
                await asyncio.sleep(PAUSE_SECONDS)
