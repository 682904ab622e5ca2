"""The renewer: whoever has an invitation is told when its event was moved or cancelled.

It looks at what invitations say and what their events say, so it does not matter who changed the
event, or how.
"""

import asyncio
import logging

from telealarm.clock import utcnow
from telealarm.errors import StorageError
from telealarm.store.engine.database import Database
from telealarm.store.messages import invitations
from telealarm.store.messages.compose import Composer

log = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0


class InvitationUpdater:
    def __init__(self, db: Database, composer: Composer) -> None:
        self._db = db
        self._composer = composer

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                await self.step()
            except StorageError as error:
                log.error("invitations: %s; trying again", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> None:
        """Renew what is wrong now."""
        now = utcnow()
        for message_id in await self._db.read(invitations.outdated, now):
            await self._db.write(invitations.renew, message_id, self._composer, now)
