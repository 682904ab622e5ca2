"""A name server on loopback that says of a name whatever a test wants, also each time another."""

import asyncio
from collections import Counter
from ipaddress import ip_address
from typing import cast

from tests.lab.ports import HOST

_A, _AAAA = 1, 28


class NameServer:
    """Answers by UDP (RFC 1035). `names`: the addresses of a name; a list of lists is a turn each.

    `asked` counts the questions for IPv4 addresses by name.
    """

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.asked: Counter[str] = Counter()
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Protocol(self), local_addr=(HOST, 0)
        )

    async def stop(self) -> None:
        if self._transport:
            self._transport.close()

    @property
    def address(self) -> str:
        """As resolvers are told it: `127.0.0.1:5353`."""
        assert self._transport, "the name server is not started"
        host, port = self._transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def says(self, name: str, *turns: list[str]) -> None:
        """The addresses of `name`, at the first question, the second, ...; the last stays."""
        self.names[name] = list(turns)

    def answer(self, query: bytes) -> bytes:
        """The reply to a query of one question; a name that is not known does not exist."""
        labels, at = [], 12
        while length := query[at]:
            labels.append(query[at + 1 : at + 1 + length].decode())
            at += 1 + length
        kind = int.from_bytes(query[at + 1 : at + 3])
        name = ".".join(labels).lower()
        turns = self.names.get(name)
        turn = self.asked[name]
        if kind == _A:
            self.asked[name] += 1
        addresses = turns[min(turn, len(turns) - 1)] if turns else []
        version = {_A: 4, _AAAA: 6}.get(kind)
        records = [ip_address(one).packed for one in addresses if _is(one, version)]
        flags = b"\x81\x80" if turns else b"\x81\x83"
        head = query[:2] + flags + b"\0\1" + len(records).to_bytes(2) + b"\0\0\0\0"
        body = b"".join(
            b"\xc0\x0c" + kind.to_bytes(2) + b"\0\1\0\0\0\0" + len(one).to_bytes(2) + one
            for one in records
        )
        return head + query[12 : at + 5] + body


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self._transport.sendto(self._server.answer(data), address)


def _is(address: str, version: int | None) -> bool:
    return ip_address(address).version == version
