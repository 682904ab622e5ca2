"""PostgreSQL's LISTEN and NOTIFY: a commit of one process wakes the stages of the others.

A lost notification does no harm: the next safety poll finds the same rows.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import peewee

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

_CHANNEL = "telealarm"
# How often the listener checks whether to end (seconds).
_CHECK = 0.5
# The first pause between two tries to connect, doubled each time, and the longest.
_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


class CommitListener:
    """Listens on its own connection in its own thread. It reconnects after a loss."""

    def __init__(self, database: peewee.PostgresqlDatabase) -> None:
        self._database = database
        # Our own notifications are ignored: our stages were woken directly.
        self._sender = secrets.token_hex(4)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.connected = threading.Event()

    def notify(self, stages: set[str]) -> None:
        """Within a transaction on the calling thread's connection: notify at its commit."""
        payload = f"{self._sender} {' '.join(sorted(stages))}"
        self._database.execute_sql("SELECT pg_notify(%s, %s)", (_CHANNEL, payload))

    def start(self, on_notify: Callable[[set[str] | None], None]) -> None:
        """Call `on_notify`, in the listener's thread, with the stages that others woke.

        It is called with None after each connect: earlier notifications may be lost.
        """
        self._thread = threading.Thread(
            target=self._listen_forever, args=(on_notify,), name="listener", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the listener. Return when its connection is closed."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _listen_forever(self, on_notify: Callable[[set[str] | None], None]) -> None:
        import psycopg  # not for SQLite

        pause = _PAUSE
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {_CHANNEL}")
                    pause = _PAUSE
                    self.connected.set()
                    on_notify(None)
                    while not self._stopping.is_set():
                        for notice in connection.notifies(timeout=_CHECK):
                            self._handle(notice.payload, on_notify)
            except psycopg.Error as error:
                reason = " ".join(str(error).split())
                log.warning("other workers' commits are polled, notifications are down: %s", reason)
                self.connected.clear()
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _handle(self, payload: str, on_notify: Callable[[set[str] | None], None]) -> None:
        sender, *stages = payload.split()
        if sender != self._sender:
            on_notify(set(stages))

    def _connect(self) -> "psycopg.Connection[Any]":
        import psycopg

        parameters = self._database.connect_params
        return psycopg.connect(dbname=self._database.database, autocommit=True, **parameters)
