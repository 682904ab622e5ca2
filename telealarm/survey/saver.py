"""Saves the steps of a session. If the database is away, the callee is told, not left in silence.

- A note (a place, a prompt that was heard) is never waited for.
- An answer is waited for. If that takes too long, NotSaved ends the call. The answer stays in
  memory, and is written later.
- A question to the database has the same patience. It is given up then, and the call ends with the
  apology.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from telealarm.errors import Fenced, TeleAlarmError
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.survey.channel_io import ChannelIO
from telealarm.survey.patience import Patience
from telealarm.survey.tts.prompts import Prompts

P = ParamSpec("P")
T = TypeVar("T")


class NotSaved(TeleAlarmError):
    """The database is away; the answer is kept in memory until it is back."""

    code = "not_saved"


class Saver(Patience):
    """Saves what happens in one call."""

    def __init__(
        self, db: Database, prompts: Prompts, call: Call, channel_io: ChannelIO, language: str
    ) -> None:
        super().__init__(prompts, channel_io, language)
        self._db = db
        self._line = call.id
        self._fenced: Fenced | None = None

    def check(self) -> None:
        """Raise Fenced if a note found that another worker has the call."""
        if self._fenced is not None:
            raise self._fenced

    def note(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Save a step without waiting for it."""
        future = self._db.backlog.note(self._line, fn, *args, **kwargs)
        if future is not None:
            future.add_done_callback(self._noted)

    async def save(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Save an answer and return what `fn` returned. Raises NotSaved, HungUp.

        The answer is saved even so, as soon as the database is back.
        """
        future = self._db.backlog.add(self._line, fn, *args, **kwargs)
        if not await self.done(future):
            raise NotSaved
        return future.result()

    async def ask(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of a write that the survey cannot go on without.

        Raises HungUp, Fenced, and StorageError if the database is away for too long.
        """
        return await self.until_answered(partial(self._db.write, fn, *args, **kwargs))

    def _noted(self, future: "asyncio.Future[object]") -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, Fenced):
            self._fenced = error
