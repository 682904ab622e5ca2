"""The invitation updater: notifies recipients if the event of their invitation was changed.

A change is a new time or a cancellation. The updater compares invitations with their events. So it
finds every change, whatever its cause.
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
        """Check the invitations until cancelled."""
        while True:
            try:
                await self.step()
            except StorageError as error:
                log.error("invitations: %s; trying again", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> None:
        """Renew the invitations that are wrong now."""
        now = utcnow()
        for message_id in await self._db.read(invitations.outdated, now):
            await self._db.write(invitations.renew, message_id, self._composer, now)
