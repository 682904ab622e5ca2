"""Breaks connections on which a database does not answer, so that no thread waits for ever.

PostgreSQL ends slow statements itself (statement_timeout). But a frozen server ends nothing, and
its machine still confirms what arrives. So this thread shuts the connection down from this side.
Then the thread that waits for an answer gets an error at once.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

log = logging.getLogger(__name__)

# Longer than any statement may take (dialect.connect), with some room for the others of its job.
STUCK_SECONDS = 40.0
CHECK_SECONDS = 1.0


class Watchdog:
    """Watches the connections that are in use, one for each thread."""

    def __init__(self, stuck_seconds: float = STUCK_SECONDS) -> None:
        self._stuck_seconds = stuck_seconds
        self._lock = threading.Lock()
        # By thread: since when its job runs, and its connection.
        self._jobs: dict[int, tuple[float, int]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread. Blocks for a moment."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextmanager
    def watching(self, connection: int | None) -> Iterator[None]:
        """Watch this thread's connection (its file descriptor) while the block runs."""
        thread = threading.get_ident()
        if connection is not None:
            with self._lock:
                self._jobs[thread] = (time.monotonic(), connection)
        try:
            yield
        finally:
            with self._lock:
                self._jobs.pop(thread, None)

    def progress(self) -> None:
        """This thread's job goes on: its time begins anew."""
        thread = threading.get_ident()
        with self._lock:
            if thread in self._jobs:
                self._jobs[thread] = (time.monotonic(), self._jobs[thread][1])

    def _run(self) -> None:
        while not self._ended.wait(CHECK_SECONDS):
            self._break_stuck()

    def _break_stuck(self) -> None:
        # Under the lock: a thread closes its connection only after it has left `watching`.
        with self._lock:
            for thread, (since, connection) in list(self._jobs.items()):
                if time.monotonic() - since > self._stuck_seconds:
                    del self._jobs[thread]
                    log.error("the database has not answered for %g s", self._stuck_seconds)
                    _shut_down(connection)


def _shut_down(connection: int) -> None:
    """Shut down the socket with this file descriptor, so that a wait for its answer ends."""
    with suppress(OSError), socket.socket(fileno=os.dup(connection)) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)
