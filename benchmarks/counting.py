"""Counts what one call costs TeleAlarm: statements, commits, ARI requests, events, log lines.

install(FILE) patches peewee, the ARI client and logging in this process; SIGUSR1 writes the counts
so far to FILE as JSON and starts again from zero. By the name of the write or read that a statement
belongs to (the function given to db.write/db.read). Times are thread CPU time.
"""

import functools
import json
import logging
import re
import signal
import threading
import time
from collections import Counter, defaultdict

_now = threading.local()
LOCK = threading.Lock()


def install(path: str) -> None:
    import peewee

    from telealarm.asterisk.ari import http, router
    from telealarm.asterisk.ari.events import type_and_channel
    from telealarm.store.engine import database

    stats = defaultdict(Counter)  # job -> counter
    sql = Counter()  # (job, shape) -> n
    ari, events, parsed, lines, commits = Counter(), Counter(), Counter(), Counter(), Counter()

    def name_of(fn) -> str:
        while isinstance(fn, functools.partial):
            fn = fn.func
        return f"{fn.__module__.removeprefix('telealarm.')}.{fn.__qualname__}"

    # every statement
    real_execute = peewee.Database.execute_sql

    def execute_sql(self, statement, params=None, *rest, **kw):
        job = getattr(_now, "job", "(none)")
        word = statement.lstrip("( ").split(None, 1)[0].upper()
        with LOCK:
            stats[job]["statements"] += 1
            stats[job][word] += 1
            shape = re.sub(r"IN \([?%s, ]+\)", "IN (..)", statement)
            shape = re.sub(r"(\([?%s, ]+\)(, )?)+$", "(..)", shape)
            sql[
                (job, shape[:200] if len(shape) < 400 else shape[:90] + " ... " + shape[-110:])
            ] += 1
        return real_execute(self, statement, params, *rest, **kw)

    peewee.Database.execute_sql = execute_sql
    for cls in (peewee.SqliteDatabase, peewee.PostgresqlDatabase):
        if "execute_sql" in cls.__dict__:
            raise RuntimeError(f"{cls} has execute_sql of its own")

    # transactions and savepoints, which peewee issues past execute_sql
    for cls, kind in ((peewee._transaction, "BEGIN"), (peewee._savepoint, "SAVEPOINT")):
        real_begin = cls.__enter__

        def enter(self, real_begin=real_begin, kind=kind):
            job = getattr(_now, "job", "(batch)")
            with LOCK:
                stats[job]["TX_" + kind] += 1
                commits[kind] += 1
            return real_begin(self)

        cls.__enter__ = enter

    real_job = database.Database._run_in_savepoint

    def run_job(self, job):
        _now.job = name_of(job.fn)
        began = time.thread_time()
        try:
            return real_job(self, job)
        finally:
            with LOCK:
                stats[_now.job]["jobs"] += 1
                stats[_now.job]["cpu_us"] += int((time.thread_time() - began) * 1e6)
            _now.job = "(batch)"

    database.Database._run_in_savepoint = run_job

    real_commit = database.Database._commit

    def commit(self, batch, **kw):
        _now.job = "(batch)"
        began = time.thread_time()
        try:
            return real_commit(self, batch, **kw)
        finally:
            with LOCK:
                commits["batches"] += 1
                commits["jobs"] += len(batch)
                commits["writer_cpu_us"] += int((time.thread_time() - began) * 1e6)

    database.Database._commit = commit

    real_read = database.Database._read

    def read(self, fn):
        _now.job = "READ " + name_of(fn)
        began = time.thread_time()
        try:
            return real_read(self, fn)
        finally:
            with LOCK:
                stats[_now.job]["jobs"] += 1
                stats[_now.job]["cpu_us"] += int((time.thread_time() - began) * 1e6)
            _now.job = "(read)"

    database.Database._read = read

    # ARI
    real_exchange = http.Http._exchange

    async def exchange(self, method, path, *rest, **kw):
        shape = (
            f"{method} {path[0]}"
            + ("" if len(path) < 2 else "/{id}")
            + "".join(f"/{p}" for p in path[2:3])
        )
        if path[-1:] and path[0] == "channels" and len(path) > 3:
            shape += "/{id}"
        ari[shape] += 1
        return await real_exchange(self, method, path, *rest, **kw)

    http.Http._exchange = exchange
    real_route = router.Router.route

    def route(self, text):
        events[type_and_channel(text)[0]] += 1
        return real_route(self, text)

    router.Router.route = route
    real_parse = router.Event.parse.__func__

    def parse(cls, text):
        event = real_parse(cls, text)
        parsed[event.type] += 1
        return event

    router.Event.parse = classmethod(parse)

    real_handle = logging.Logger.handle

    def handle(self, record):
        lines[f"{self.name}: {str(record.msg)[:40]}"] += 1
        return real_handle(self, record)

    logging.Logger.handle = handle

    def dump(*_):
        with LOCK:
            out = {
                "stats": {k: dict(v) for k, v in stats.items()},
                "sql": [[job, shape, n] for (job, shape), n in sql.most_common()],
                "ari": dict(ari),
                "events": {str(k): v for k, v in events.items()},
                "parsed": dict(parsed),
                "lines": dict(lines),
                "commits": dict(commits),
                "process_ms": time.process_time() * 1000,
            }
            for one in (stats, sql, ari, events, parsed, lines, commits):
                one.clear()
        with open(path, "w") as file:
            json.dump(out, file)

    signal.signal(signal.SIGUSR1, dump)
