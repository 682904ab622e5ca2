"""Cleans up after surveys: agents without a callee, messages left in Asterisk."""

import asyncio
import logging

from telealarm.clock import monotonic, utcnow
from telealarm.errors import TeleAlarmError
from telealarm.log import Trouble
from telealarm.store.engine.claim import Holder
from telealarm.store.survey import transfers, voice_messages
from telealarm.survey.recording import keep
from telealarm.survey.section_context import SessionServices

log = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
FETCH_SECONDS = 30.0


class Cleanup:
    """Cleans up after the surveys of this worker."""

    def __init__(self, services: SessionServices, holder: Holder) -> None:
        self._services = services
        self._holder = holder
        self._fetch_next = 0.0
        self._trouble = Trouble(log, "cleaning up")

    async def run(self) -> None:
        """Clean up until cancelled."""
        while True:
            try:
                await self.step()
                self._trouble.note(None)
            except (TeleAlarmError, OSError) as error:
                self._trouble.note(f"{error}; trying again")
            await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> None:
        """Clean up once.

        1. Hang up agents whose callee is gone.
        2. Save messages that were being recorded during a crash.
        """
        if self._services.ari.connected:
            for agent in await self._services.db.read(transfers.orphans, self._holder):
                log.warning("an agent's callee is gone", extra={"channel": agent.channel_id})
                await self._services.ari.open(agent.channel_id).hangup()
                self._services.ari.close(agent.channel_id)
                await self._services.ari.bridges.destroy(f"{agent.channel_id}-bridge")
                await self._services.db.write(transfers.orphan_ended, agent, utcnow())
            if monotonic() >= self._fetch_next:
                self._fetch_next = monotonic() + FETCH_SECONDS
                await self._fetch()

    async def _fetch(self) -> None:
        names = await self._services.ari.recordings.stored()
        for name, call, section, most_seconds in await self._services.db.read(
            voice_messages.left, names, self._holder
        ):
            log.warning("a message was left in Asterisk", extra={"channel": name})
            await keep(self._services, call, section, name, most_seconds)
