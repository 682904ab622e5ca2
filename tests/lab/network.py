"""The network that a part of the lab lives in: this machine's, or a namespace that the lab made."""

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """The network of the process `pid`; without one, that of this process.

    A socket stays in the network in which it was made, whoever uses it later.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._path = Path(f"/proc/{pid}/ns/net") if pid is not None else None

    def join(self) -> None:
        """Move the calling thread there, for good: for a child before its program starts."""
        if self._path is not None:
            with self._path.open() as namespace:
                _set(namespace.fileno())

    @contextmanager
    def joined(self) -> Iterator[None]:
        """A block whose sockets are made there. Nothing in it may wait: the thread has moved."""
        if self._path is None:
            yield
            return
        with Path("/proc/thread-self/ns/net").open() as own:
            self.join()
            try:
                yield
            finally:
                _set(own.fileno())

    def udp_socket(self, host: str, port: int = 0) -> socket.socket:
        """A bound socket."""
        with self.joined():
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((host, port))
        return made

    def socket_for(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket for an entry of `getaddrinfo`, as aiohttp's connector wants it."""
        family, kind, protocol, *_ = address
        with self.joined():
            return socket.socket(family, kind, protocol)


def _set(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
