"""The invitation updater: notifies recipients if the event of their invitation was changed.

A change is a new time or a cancellation. The updater compares invitations with their events. So it
finds every change, whatever its cause.
"""

import logging

from telealarm.clock import utcnow
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.messages import invitations
from telealarm.store.messages.compose import Composer

log = logging.getLogger(__name__)


class InvitationUpdater:
    def __init__(self, db: Database, composer: Composer) -> None:
        self._db = db
        self._composer = composer

    async def run(self) -> None:
        """Check the invitations until cancelled. Nobody tells of a change: a poll finds it."""
        await run_stage(self._db, "invitations", self.step, log)

    async def step(self) -> None:
        """Renew the invitations that are wrong now."""
        now = utcnow()
        for message_id in await self._db.read(invitations.outdated, now):
            await self._db.write(invitations.renew, message_id, self._composer, now)
