"""What a section's action works with: the section, the callee's channel, and the services."""

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

# Between the tries to keep a step in a database that is in trouble.
PAUSES_SECONDS = (0.1, 0.3, 1.0, 2.0)


@dataclass(frozen=True)
class SessionServices:
    """What every session works with."""

    db: Database
    ari: Client
    prompts: Prompts
    voice_messages: VoiceMessages
    files: Files

    async def write(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Keep a step, and try again while the database is in trouble: a key must not be lost.

        Raises Fenced where another worker has the call, StorageError after the last try.
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
    """A section whose action is being done on a call. `ahead` is told the keys that are pressed
    and have no use here.
    """

    means: SessionServices
    call: Call
    script: Script
    section: ScriptSection
    line: ChannelIO
    ahead: Callable[[str], object]
