"""A wire to Asterisk's ARI that can be cut: a TCP forwarder on a free port of 127.0.0.1.

A double for a faulty network, which loopback does not show on demand. What runs over it is real.
"""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from tests.lab.ports import HOST


class Wire:
    """`cut()` breaks every connection and refuses new ones until `mend()`.

    With `cuts_at` the wire is cut by the first bytes from this side that hold it; they are lost.
    """

    def __init__(self, target_url: str, cuts_at: bytes | None = None) -> None:
        parts = urlsplit(target_url)
        assert parts.hostname and parts.port
        self._target = (parts.hostname, parts.port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_cut = False
        # How often a websocket was opened over it.
        self.websockets = 0
        self._cuts_at = cuts_at

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, 0)

    async def stop(self) -> None:
        self.cut()
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        assert self._server, "the wire is not laid"
        return f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.is_cut = False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        for source, target, cuts_at in (
            (reader, far_writer, self._cuts_at),
            (far_reader, writer, None),
        ):
            self._writers.add(target)
            task = asyncio.create_task(self._pump(source, target, cuts_at))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, cuts_at: bytes | None
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if cuts_at and self._cuts_at and cuts_at in data:
                    self._cuts_at = None
                    self.cut()
                    break
                self.websockets += data.startswith(b"HTTP/1.1 101 ")
                target.write(data)
                await target.drain()
        self._writers.discard(target)
        target.close()
