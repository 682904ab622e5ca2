"""PostgreSQL's LISTEN and NOTIFY: a commit of one process wakes the stages of the others.

Only a bell: whoever does not hear it finds the same rows at the next safety poll.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any

import peewee
import psycopg

log = logging.getLogger(__name__)

_CHANNEL = "telealarm"
# How often the listener looks whether it shall end (seconds).
_LOOK = 0.5
# Between two tries to connect: the first, doubled each time, and the longest.
_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


class CommitListener:
    """Listens on a connection and in a thread of its own; connects again when it was lost."""

    def __init__(self, database: peewee.PostgresqlDatabase) -> None:
        self._database = database
        # What we rang ourselves is not for us: our stages were woken without a way around.
        self._own = secrets.token_hex(4)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.connected = threading.Event()

    def ring(self, stages: set[str]) -> None:
        """Within a transaction on the calling thread's connection: its commit rings."""
        said = f"{self._own} {' '.join(sorted(stages))}"
        self._database.execute_sql("SELECT pg_notify(%s, %s)", (_CHANNEL, said))

    def start(self, heard: Callable[[set[str] | None], None]) -> None:
        """Call `heard`, in the listener's thread, with the stages that others woke.

        With None after each connect: what was rung before was not heard.
        """
        self._thread = threading.Thread(
            target=self._listen_forever, args=(heard,), name="bell", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the listener; returns when its connection is closed."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _listen_forever(self, heard: Callable[[set[str] | None], None]) -> None:
        pause = _PAUSE
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {_CHANNEL}")
                    pause = _PAUSE
                    self.connected.set()
                    heard(None)
                    while not self._stopping.is_set():
                        for notice in connection.notifies(timeout=_LOOK):
                            self._tell(notice.payload, heard)
            except psycopg.Error as error:
                said = " ".join(str(error).split())
                log.warning("other workers' commits are not heard at once, but polled: %s", said)
                self.connected.clear()
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _tell(self, payload: str, heard: Callable[[set[str] | None], None]) -> None:
        sender, *stages = payload.split()
        if sender != self._own:
            heard(set(stages))

    def _connect(self) -> "psycopg.Connection[Any]":
        parameters = self._database.connect_params
        return psycopg.connect(dbname=self._database.database, autocommit=True, **parameters)
