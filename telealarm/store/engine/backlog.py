"""Writes that must not be lost: they wait in memory while the database is away.

The writes of one line are made in their order, each until it succeeds. What the process has not
written when it dies is lost; what it has not written when it ends is told in the log.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

from telealarm.clock import monotonic
from telealarm.errors import Overloaded, Stale, StorageError, TeleAlarmError

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# The most writes that wait. Notes get half of the room, so that answers find some.
MOST = 10_000
# The pause between two tries, and after how long a write is given up.
PAUSE_SECONDS = 0.5
GIVE_UP_SECONDS = 24 * 3600.0


class Writes(Protocol):
    """`Database.write`."""

    def __call__(self, fn: Callable[[], T], /) -> Awaitable[T]: ...


class _Write(Generic[T]):
    def __init__(self, fn: Callable[[], T], what: str) -> None:
        self.fn = fn
        self.what = what
        self.since = monotonic()
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Backlog:
    """Makes writes until they succeed. `line` is the id of a call: its writes keep their order."""

    def __init__(self, write: Writes, most: int = MOST) -> None:
        self._write = write
        self._most = most
        self._lines: dict[int, deque[_Write[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._closing = False

    def add(
        self, line: int, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Make the write, however long the database is away. Return the future of its result.

        The write is made even if the future is cancelled. The future raises what `fn` raised.
        Raises Overloaded if too many writes wait.
        """
        if self._closing or self._waiting >= self._most:
            raise Overloaded
        write = _Write(partial(fn, *args, **kwargs), _name(fn))
        self._waiting += 1
        waiting = self._lines.get(line)
        if waiting is None:
            waiting = self._lines[line] = deque()
            task = asyncio.create_task(self._drain(line, waiting), name=f"backlog-{line}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        waiting.append(write)
        return write.future

    def note(
        self, line: int, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[object] | None:
        """Make a write that nobody waits for. None: it is left out, for want of room."""
        if self._waiting >= self._most // 2:
            log.warning("%s of call %d is not saved: too much waits", _name(fn), line)
            return None
        future = self.add(line, fn, *args, **kwargs)
        future.add_done_callback(_tell)
        return future

    async def close(self, seconds: float) -> None:
        """Make the writes that wait, for some `seconds`. Log those that are lost."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for line, waiting in self._lines.items():
            for write in waiting:
                log.error("lost, the database was away: %s of call %d", write.what, line)
                write.fail(StorageError("The service ended while the database was away."))
        self._lines.clear()

    async def _drain(self, line: int, waiting: deque[_Write[Any]]) -> None:
        while waiting:
            await self._make(line, waiting[0])
            waiting.popleft()
            self._waiting -= 1
        del self._lines[line]

    async def _make(self, line: int, write: _Write[Any]) -> None:
        told = False
        while True:
            try:
                result = await self._write(write.fn)
            except Stale as error:
                write.fail(error)
                return
            except StorageError as error:
                if monotonic() - write.since > GIVE_UP_SECONDS:
                    log.error("given up: %s of call %d: %s", write.what, line, error)
                    write.fail(error)
                    return
                if not told:
                    told = True
                    log.error("%s of call %d waits: %s", write.what, line, error)
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it
                write.fail(error)
                return
            else:
                if not write.future.done():
                    write.future.set_result(result)
                return


def _name(fn: Callable[..., object]) -> str:
    return getattr(fn.func if isinstance(fn, partial) else fn, "__name__", "a write")


def _tell(future: asyncio.Future[Any]) -> None:
    """Log the error of a write that nobody waits for."""
    error = None if future.cancelled() else future.exception()
    if isinstance(error, Stale):
        log.debug("%s", error)
    elif error is not None:
        known = isinstance(error, TeleAlarmError)
        log.error("a note is not saved: %s", error, exc_info=None if known else error)
