"""What a section's action uses: the section, the callee's channel, and the services."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

from telealarm.asterisk.ari import Client
from telealarm.errors import Stale, StorageError
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.store.survey.session_state import Script, ScriptSection
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.survey.channel_io import ChannelIO, Files
from telealarm.survey.tts.prompts import Prompts

log = logging.getLogger(__name__)

P = ParamSpec("P")

# The pauses between tries to save a step, if the database has trouble.
PAUSES_SECONDS = (0.1, 0.3, 1.0, 2.0)


@dataclass(frozen=True)
class SessionServices:
    """The services that every session uses."""

    db: Database
    ari: Client
    prompts: Prompts
    voice_messages: VoiceMessages
    files: Files

    async def write(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Save a step. Try again if the database has trouble: a key must not be lost.

        Raises Fenced if another worker has the call, StorageError after the last try.
        """
        for pause in PAUSES_SECONDS:
            try:
                await self.db.write(fn, *args, **kwargs)
                return
            except Stale:
                raise
            except StorageError as error:
                log.error("%s; trying again", error)
                await asyncio.sleep(pause)
        await self.db.write(fn, *args, **kwargs)


@dataclass(frozen=True)
class ActiveSection:
    """A section whose action runs on a call.

    `ahead` gets the keys that the action does not use; they are kept for later sections.
    """

    services: SessionServices
    call: Call
    script: Script
    section: ScriptSection
    channel_io: ChannelIO
    ahead: Callable[[str], object]
