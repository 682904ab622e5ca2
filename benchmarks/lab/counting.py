"""Counts what calls cost the service: statements, commits, ARI requests, events, log lines.

`install(path)` patches peewee, the writer and readers, the ARI client and logging in this process.
SIGUSR1 writes the counts so far to the path as JSON, and starts again from zero. A statement
belongs to the job in which it ran: the function that was given to db.write or db.read. Times are
CPU time of the thread.
"""

import functools
import json
import logging
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peewee

from telealarm.asterisk.ari import http, router, wire
from telealarm.store.engine import database

_thread = threading.local()
_lock = threading.Lock()


class Counts:
    """All counts since the last `dump`."""

    def __init__(self) -> None:
        self.jobs: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.sql: Counter[tuple[str, str]] = Counter()
        self.ari: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.parsed: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        self.commits: Counter[str] = Counter()

    def dump(self, path: Path) -> None:
        """Write the counts, and start again. A reader sees the file when it is complete."""
        kinds = ("ari", "events", "parsed", "lines", "commits")
        with _lock:
            result = {
                "jobs": {name: dict(counts) for name, counts in self.jobs.items()},
                "sql": [[job, shape, n] for (job, shape), n in self.sql.most_common()],
                "process_ms": time.process_time() * 1000,
                **{kind: dict(getattr(self, kind)) for kind in kinds},
            }
            for counter in (self.jobs, self.sql, *(getattr(self, kind) for kind in kinds)):
                counter.clear()
        written = path.with_suffix(".new")
        written.write_text(json.dumps(result))
        written.replace(path)

    @contextmanager
    def job(self, name: str, after: str, jobs: int = 1) -> Iterator[None]:
        """Within it statements belong to the job `name`, behind it to `after`."""
        _thread.job = name
        started = time.thread_time()
        try:
            yield
        finally:
            with _lock:
                self.jobs[name]["jobs"] += jobs
                self.jobs[name]["cpu_us"] += int((time.thread_time() - started) * 1e6)
            _thread.job = after

    def statement(self, text: str) -> None:
        job = _job()
        word = text.lstrip("( ").split(None, 1)[0].upper()
        if word == "WITH" and (verb := re.search(r"\) (SELECT|UPDATE|INSERT|DELETE) ", text)):
            word = verb.group(1)
        with _lock:
            self.jobs[job]["statements"] += 1
            self.jobs[job][word] += 1
            self.sql[(job, _shape(text))] += 1


def install(path: str) -> None:
    """Count from now on."""
    counts = Counts()
    _count_statements(counts)
    _count_jobs(counts)
    _count_ari(counts)
    _count_log_lines(counts)
    signal.signal(signal.SIGUSR1, lambda *_: counts.dump(Path(path)))


def _count_statements(counts: Counts) -> None:
    execute_sql = peewee.Database.execute_sql

    def counted(self: Any, text: str, *args: Any, **options: Any) -> Any:
        counts.statement(text)
        return execute_sql(self, text, *args, **options)

    for kind in (peewee.SqliteDatabase, peewee.PostgresqlDatabase):
        assert "execute_sql" not in vars(kind), f"{kind} has an execute_sql of its own"
    peewee.Database.execute_sql = counted  # type: ignore[method-assign]
    # peewee begins transactions and savepoints past execute_sql.
    for kind, word in ((peewee._transaction, "BEGIN"), (peewee._savepoint, "SAVEPOINT")):
        _wrap(kind, "__enter__", functools.partial(_count_begin, counts, word))


def _count_begin(counts: Counts, word: str) -> None:
    with _lock:
        counts.jobs[_job()][f"TX_{word}"] += 1
        counts.commits[word] += 1


def _wrap(kind: Any, name: str, before: Callable[[], None]) -> None:
    original = getattr(kind, name)

    def wrapped(self: Any, *args: Any, **options: Any) -> Any:
        before()
        return original(self, *args, **options)

    setattr(kind, name, wrapped)


def _count_jobs(counts: Counts) -> None:
    run_together = database.Database._run_together
    run_alone = database._run_alone
    commit = database.Database._commit
    read = database.Database._read

    def counted_jobs(self: Any, jobs: list[Any]) -> None:
        with counts.job(_name(jobs[0].fn), after="(batch)", jobs=len(jobs)):
            run_together(self, jobs)

    def counted_alone(job: Any) -> None:
        with counts.job(_name(job.fn), after="(batch)"):
            run_alone(job)

    def counted_read(self: Any, fn: Callable[[], Any]) -> Any:
        with counts.job(f"READ {_name(fn)}", after="(read)"):
            return read(self, fn)

    def counted_commit(self: Any, batch: list[Any], **options: Any) -> Any:
        _thread.job = "(batch)"
        started = time.thread_time()
        try:
            return commit(self, batch, **options)
        finally:
            with _lock:
                counts.commits["batches"] += 1
                counts.commits["jobs"] += len(batch)
                spent = int((time.thread_time() - started) * 1e6)
                counts.commits["writer_cpu_us"] += spent

    database.Database._run_together = counted_jobs  # type: ignore[method-assign]
    database._run_alone = counted_alone
    database.Database._read = counted_read  # type: ignore[method-assign]
    database.Database._commit = counted_commit  # type: ignore[method-assign]


def _count_ari(counts: Counts) -> None:
    exchange = http.Http._exchange
    ask = wire.Wire.ask
    route = router.Router.route
    parse = router.AriEvent.parse

    async def counted_exchange(
        self: Any, method: str, path: Any, *args: Any, **options: Any
    ) -> Any:
        counts.ari[_request(method, path)] += 1
        return await exchange(self, method, path, *args, **options)

    async def counted_ask(self: Any, method: str, uri: str, body: Any) -> Any:
        counts.ari[_request(method, uri.partition("?")[0].split("/"))] += 1
        return await ask(self, method, uri, body)

    def counted_route(self: Any, text: str) -> Any:
        counts.events[str(router.type_of(text))] += 1
        return route(self, text)

    def counted_parse(text: str) -> Any:
        event = parse(text)
        counts.parsed[event.type] += 1
        return event

    http.Http._exchange = counted_exchange  # type: ignore[method-assign]
    wire.Wire.ask = counted_ask  # type: ignore[method-assign]
    router.Router.route = counted_route  # type: ignore[method-assign]
    router.AriEvent.parse = staticmethod(counted_parse)  # type: ignore[method-assign]


def _count_log_lines(counts: Counts) -> None:
    handle = logging.Logger.handle

    def counted(self: logging.Logger, record: logging.LogRecord) -> None:
        counts.lines[f"{self.name}: {str(record.msg)[:40]}"] += 1
        handle(self, record)

    logging.Logger.handle = counted  # type: ignore[method-assign]


def _job() -> str:
    return getattr(_thread, "job", "(none)")


def _name(fn: Any) -> str:
    while isinstance(fn, functools.partial):
        fn = fn.func
    return f"{fn.__module__.removeprefix('telealarm.')}.{fn.__qualname__}"


def _shape(text: str) -> str:
    """The statement without its lists of parameters, and not too long."""
    shape = re.sub(r"IN \([?%s, ]+\)", "IN (..)", text)
    shape = re.sub(r"(\([?%s, ]+\)(, )?)+$", "(..)", shape)
    return shape[:200] if len(shape) < 400 else f"{shape[:90]} ... {shape[-110:]}"


def _request(method: str, path: Any) -> str:
    """An ARI request without its ids."""
    shape = f"{method} {path[0]}"
    if len(path) > 1:
        shape += "/{id}"
    if len(path) > 2:
        shape += f"/{path[2]}"
    if path[0] == "channels" and len(path) > 3:
        shape += "/{id}"
    return shape
