"""A gateway for SMS that answers with bytes as they are: what no well-made server would send."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from tests.lab.ports import HOST

# Between two parts of an answer: cut the connection, or say nothing more and keep it open.
CUT, SILENCE = b"<cut>", b"<silence>"


class BluntGateway:
    """Reads a request, then sends the `parts` of its answer one by one, each when the one before
    has left; at the end it closes the connection.
    """

    def __init__(self, parts: Sequence[bytes]) -> None:
        self.parts = parts
        self.requests: list[bytes] = []
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, HOST, 0)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            for client in self._clients:
                client.transport.abort()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server, "the gateway was never started"
        port = self._server.sockets[0].getsockname()[1]
        return f"http://{HOST}:{port}/send"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            )
            self.requests.append(head + await reader.readexactly(length))
            for part in self.parts:
                if part == SILENCE:
                    await reader.read()
                elif part == CUT:
                    writer.transport.abort()
                else:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.01)
        writer.close()
        self._clients.discard(writer)
