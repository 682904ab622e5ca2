"""The lease of this worker: renew it, and take over the work of dead workers.

Requests that a dead worker had only claimed are put back. Messages with an unknown fate are sent
again. Calls that may still be alive go to the dispatcher, which adopts them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from telealarm.clock import monotonic, utcnow
from telealarm.errors import Fenced, StorageError
from telealarm.log import Trouble
from telealarm.rules.lease import Leases
from telealarm.store.dialing import workers
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import Database

log = logging.getLogger(__name__)

# Receives the names of the workers whose calls may be alive.
Adopt = Callable[[list[str]], Awaitable[None]]


class LeaseKeeper:
    """Renews this worker's lease, and takes over what dead workers left."""

    def __init__(self, db: Database, holder: Holder, lease: timedelta, adopt: Adopt) -> None:
        self._db = db
        self._holder = holder
        self._lease = lease
        self._adopt = adopt
        # Two of three renewals may be late.
        self._leases = Leases(lease.total_seconds() * 2 / 3)

    async def run(self) -> None:
        """Renew and take over until cancelled. Raises Fenced if this worker is replaced."""
        trouble = Trouble(log, "the lease cannot be renewed")
        while True:
            try:
                await self._db.write(workers.renew, self._holder, utcnow(), self._lease)
                await self.take_over()
                trouble.note(None)
            except Fenced:
                raise
            except StorageError as error:
                trouble.note(f"{error}; trying again")
            await asyncio.sleep(self._lease.total_seconds() / 3)

    async def take_over(self) -> None:
        """Take over what this worker's earlier runs, and workers with a lapsed lease, have left."""
        others = await self._db.read(workers.leases, self._holder)
        lapsed = self._leases.lapsed(others, utcnow(), monotonic())
        names = await self._db.write(workers.take_over, self._holder, lapsed)
        if names:
            log.warning("taking over the calls of %s", ", ".join(names))
            await self._adopt(names)
