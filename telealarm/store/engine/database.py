"""The bridge between the event loop and peewee. It hides SQLite and PostgreSQL.

`await db.write(fn, *args)` queues ordinary peewee code for ONE writer thread. The thread runs all
queued functions in one transaction, each in a savepoint, and answers after the commit (group
commit). So many callers share a commit, and a failing function undoes only its own changes. A
function that is made for many (see together) runs once for all who wait for it.

`await db.read(fn, *args)` runs in a few reader threads. Both queues are limited: if one is full,
Overloaded is raised at once.
"""

import asyncio
import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

import peewee

from telealarm import metrics, models
from telealarm.clock import monotonic
from telealarm.config.model import Config
from telealarm.errors import Locked, Overloaded, StorageError
from telealarm.store.engine import deferred, dialect, failures, regions, time_zones
from telealarm.store.engine.backlog import Backlog
from telealarm.store.engine.notify import CommitListener
from telealarm.store.engine.together import Together
from telealarm.store.engine.watchdog import Watchdog

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

QUEUE = 10_000
BATCH = 500
READERS = 3
# How long an ending service tries to write what waits for the database.
CLOSE_SECONDS = 5.0
# A writer that waits for so long to begin is told as a trouble: another process writes.
LOCKED_SECONDS = 2.0

_batch = threading.local()


def wake(stage: str) -> None:
    """Within a write: wake the `stage` after the commit, because it has work.

    On PostgreSQL the stage wakes in every process, on SQLite only in this process.
    """
    woken = getattr(_batch, "woken", None)
    if woken is not None:
        woken.add(stage)


def connect(config: Config) -> peewee.Database:
    """Return a peewee database for the configuration. Nothing is opened yet.

    The models are bound to it. Rows without a zone or a region use the configuration's.
    """
    database = dialect.connect(config)
    database.bind(models.ALL)
    time_zones.configure(database, config.timezone)
    regions.configure(database, config.region)
    return database


class _Job(Generic[T]):
    """One write on its way through the writer thread. `step`: its arguments, if `fn` is together.

    A backlog hands over a partial without arguments, which is looked through.
    """

    def __init__(self, fn: "partial[T]", loop: asyncio.AbstractEventLoop) -> None:
        while isinstance(fn.func, partial) and not fn.args and not fn.keywords:
            fn = fn.func
        self.fn = fn
        self.together = fn.func if isinstance(fn.func, Together) else None
        self.step = fn.args
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()
        self.result: T
        self.error: BaseException | None = None

    def answer(self) -> None:
        """Pass the result to the waiter; call it on the job's loop."""
        if self.future.done():  # the waiter was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class _Undone(Exception):
    """The only job of a transaction has failed: the transaction is rolled back."""


class Database:
    """Owns the threads that use peewee. `start` it on the event loop, end it with `close`."""

    def __init__(self, database: peewee.Database) -> None:
        self.peewee = database
        self._jobs: queue.Queue[_Job[Any] | None] = queue.Queue(QUEUE)
        self._stages: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._reading = 0
        self._writer = threading.Thread(target=self._write_forever, name="writer", daemon=True)
        self._closed = False
        self._listener = CommitListener(database) if dialect.has_notify(database) else None
        self._watchdog = Watchdog()
        self._file = dialect.file(database)
        # Why the last commit failed; None after one that succeeded.
        self._failure: StorageError | None = None
        # Since when the writer waits for its transaction to begin, on the monotonic clock.
        self._begins: float | None = None
        # Writes that must not be lost while the database is away.
        self.backlog = Backlog(self.write)

    def start(self) -> None:
        """Start the threads. Call it on the event loop of the stages."""
        self._loop = asyncio.get_running_loop()
        self._writer.start()
        self._watchdog.start()
        if self._listener is not None:
            self._listener.start(self._on_notify)

    def stamps(self) -> Sequence[tuple[int, int]] | None:
        """Return a value that is another one after a commit of any process; None: not known."""
        return dialect.stamps(self._file)

    async def close(self) -> None:
        """Commit the queued writes, then end the threads."""
        await self.backlog.close(CLOSE_SECONDS)
        self._closed = True
        if self._listener is not None:
            await asyncio.to_thread(self._listener.stop)
        if self._writer.is_alive():
            await asyncio.to_thread(self._jobs.put, None)
            await asyncio.to_thread(self._writer.join)
        all_here = threading.Barrier(READERS)
        for _ in range(READERS):
            self._readers.submit(self._leave, all_here)
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._watchdog.stop)

    @property
    def trouble(self) -> StorageError | None:
        """Return why nothing can be written now; None if all is well, as far as is known."""
        begins = self._begins
        if begins is not None and monotonic() - begins > LOCKED_SECONDS:
            if self._file is None:
                return self._failure or StorageError("The database does not answer.")
            summary = Locked.summary.replace("FILE", str(self._file))
            return Locked(f"The writer waits: {summary}".rstrip())
        return self._failure

    def stage(self, name: str) -> asyncio.Event:
        """Return the event that is set after each commit that called `wake(name)`."""
        return self._stages[name]

    async def write(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(*args, **kwargs)` in the writer's next transaction. Return after the commit.

        Raises what `fn` raised (its changes are undone), or Overloaded. Raises StorageError if the
        commit failed or the connection was lost: then the changes are lost, or their fate is
        unknown.
        """
        if self._closed:
            raise StorageError("The database is closed.")
        job = _Job(partial(fn, *args, **kwargs), asyncio.get_running_loop())
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise Overloaded from None
        return await job.future

    async def read(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(*args, **kwargs)` in a reader thread, in one read transaction.

        Raises what `fn` raised, Overloaded, or StorageError if the connection was lost.
        """
        return await self._in_reader(self._read, partial(fn, *args, **kwargs))

    async def query(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` as `read` does, but without a transaction: it is for a single statement."""
        return await self._in_reader(self._query, partial(fn, *args, **kwargs))

    async def _in_reader(self, read: "Callable[[Callable[[], T]], T]", work: "partial[T]") -> T:
        if self._closed:
            raise StorageError("The database is closed.")
        if self._reading >= QUEUE:
            raise Overloaded
        self._reading += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, read, work)
        finally:
            self._reading -= 1

    def run(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` in its own transaction on this thread, for the command line.

        Raises what `fn` raised, and StorageError if the database failed.
        """
        _batch.woken = set()
        try:
            with self.peewee.connection_context(), dialect.writing(self.peewee):
                with deferred.collecting() as carry_out:
                    result = fn(*args, **kwargs)
                    carry_out()
                self._notify(_batch.woken)
        except failures.FAILURES as error:
            raise failures.of(error, "The database did not commit", self._file) from error
        return result

    def look(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` as `run` does, but only to read: no writer waits for it."""
        try:
            with self.peewee.connection_context(), self.peewee.atomic():
                return fn(*args, **kwargs)
        except failures.FAILURES as error:
            raise failures.of(error, "The database did not answer", self._file) from error

    def _read(self, fn: Callable[[], T]) -> T:
        def read() -> T:
            with self.peewee.atomic():
                return fn()

        return self._query(read)

    def _query(self, fn: Callable[[], T], *, again: bool = True) -> T:
        try:
            self.peewee.connect(reuse_if_open=True)
            with self._watchdog.watching(dialect.descriptor(self.peewee)):
                return fn()
        except failures.FAILURES as error:
            lost = dialect.is_broken(self.peewee)
            self._disconnect()
            if again and lost:
                # The server was restarted since the last read. Reading again changes nothing.
                return self._query(fn, again=False)
            raise failures.of(error, "The database did not answer", self._file) from error

    def _leave(self, all_here: threading.Barrier) -> None:
        """Close the connection of this reader thread; runs once in each of them."""
        all_here.wait()
        self._disconnect()

    def _write_forever(self) -> None:
        while True:
            job = self._jobs.get()
            batch: list[_Job[Any]] = []
            while job is not None:
                batch.append(job)
                if len(batch) >= BATCH:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            while batch:
                jobs = list(batch)
                self._commit(jobs)
                run = {id(each) for each in jobs}
                batch = [each for each in batch if id(each) not in run]
            if job is None:
                self._disconnect()
                return

    def _commit(self, batch: list[_Job[Any]], *, again: bool = True) -> bool:
        """Run the jobs in one transaction, and answer them. Return False if none could begin.

        After a job that took locks at its end, the others are removed from `batch` and not run:
        somebody may wait for the locks, so the transaction ends at once, and takes no other.
        """
        _batch.woken = set()
        begun = committing = False
        try:
            self.peewee.connect(reuse_if_open=True)
            watched = self._watchdog.watching(dialect.descriptor(self.peewee))
            self._begins = monotonic()
            with watched, dialect.writing(self.peewee):
                begun = True
                self._begins = None
                if len(batch) == 1:
                    _run_alone(batch[0])
                else:
                    batch[:] = self._run_kinds(batch)
                self._notify(_batch.woken)
                committing = True
        except _Undone:
            self._failure = None
            _batch.woken = set()
        except Exception as error:  # noqa: BLE001 - every waiter of the batch gets it
            self._begins = None
            failure = failures.of(error, "The database did not commit", self._file)
            self._disconnect()
            if again and not committing and not (isinstance(failure, Locked) and not begun):
                # A lost connection or a deadlock; nothing was stored. Run each job once more, in
                # its own transaction, so that a failing job stops no other. If the first one cannot
                # even begin, the database is away: then no job waits for it any longer.
                first, *others = batch
                if self._commit([first], again=False):
                    for job in others:
                        self._commit([job], again=False)
                    return True
                batch = others
                begun = False
            if batch:
                self._failure = failure
                metrics.STORAGE_FAILURES.labels(failure.code).inc(len(batch))
            for job in batch:
                job.error = failure
            _batch.woken = set()
        else:
            self._failure = None
        self._answer(batch, _batch.woken)
        return begun

    def _run_kinds(self, batch: Sequence[_Job[Any]]) -> list[_Job[Any]]:
        """Run the jobs, up to one that took locks at its end. Return those that were run."""
        run = []
        for jobs in _by_kind(batch):
            self._watchdog.progress()
            run += jobs
            if self._run_together(jobs):
                break
        return run

    def _run_together(self, jobs: list[_Job[Any]]) -> bool:
        """Run jobs of one kind: many at once if they are made for that.

        Return whether one took locks at its end that others may wait for.
        """
        first, before = jobs[0], set(_batch.woken)
        if len(jobs) > 1 and first.together is not None:
            try:
                with self.peewee.atomic(), deferred.collecting() as carry_out:
                    results = first.together.many([job.step for job in jobs])
                    locked = carry_out() and dialect.locks_rows(self.peewee)
            except failures.FAILURES:
                raise
            except Exception as error:  # noqa: BLE001 - each alone gets its own
                log.debug("%s: %s; each runs alone", first.together.__name__, error)
                _batch.woken = before
            else:
                for job, result in zip(jobs, results, strict=True):
                    job.result, job.error = result, None
                return locked
        each_locked = [self._run_in_savepoint(job) for job in jobs]
        return any(each_locked)

    def _run_in_savepoint(self, job: _Job[Any]) -> bool:
        """Run the job. Return whether it took locks at its end that others may wait for."""
        before = set(_batch.woken)
        job.error = None
        try:
            with self.peewee.atomic(), deferred.collecting() as carry_out:
                job.result = job.fn()
                return carry_out() and dialect.locks_rows(self.peewee)
        except failures.FAILURES:
            raise  # the connection or the disk failed, and with it the whole batch
        except Exception as error:  # noqa: BLE001 - the waiter gets it
            job.error = error
            _batch.woken = before
        return False

    def _notify(self, woken: set[str]) -> None:
        """Within the transaction: notify the other processes at its commit."""
        if self._listener is not None and woken:
            self._listener.notify(woken)

    def _on_notify(self, woken: set[str] | None) -> None:
        """In the listener's thread: another process woke these stages. None: perhaps all."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed
                self._loop.call_soon_threadsafe(self._set_stages, woken)

    def _answer(self, batch: list[_Job[Any]], woken: set[str]) -> None:
        loops: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
        for job in batch:
            loops.setdefault(job.loop, []).append(job)
        for loop, jobs in loops.items():
            try:
                loop.call_soon_threadsafe(_answer_all, jobs)
                if loop is self._loop:
                    loop.call_soon_threadsafe(self._set_stages, woken)
            except RuntimeError:  # the loop was closed: nobody waits any more
                log.warning("%d writes were committed after their event loop ended", len(jobs))

    def _set_stages(self, woken: set[str] | None) -> None:
        for name in list(self._stages) if woken is None else woken:
            self._stages[name].set()

    def _disconnect(self) -> None:
        try:
            self.peewee.close()
        except peewee.PeeweeException as error:
            log.warning("closing a broken database connection: %s", error)


def _run_alone(job: _Job[Any]) -> None:
    """Run the only job of a transaction, which needs no savepoint."""
    job.error = None
    try:
        with deferred.collecting() as carry_out:
            job.result = job.fn()
            carry_out()
    except failures.FAILURES:
        raise
    except Exception as error:
        job.error = error
        raise _Undone from error


def _by_kind(batch: Sequence[_Job[Any]]) -> Iterable[list[_Job[Any]]]:
    """Return the jobs in their order; those that may run together are together.

    Nobody has two steps in a batch, because each is awaited. So the order of the kinds is free.
    """
    kinds: dict[object, list[_Job[Any]]] = {}
    for job in batch:
        kinds.setdefault(job.together or job, []).append(job)
    return kinds.values()


def _answer_all(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        job.answer()
