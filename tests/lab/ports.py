"""Free ports on 127.0.0.1.

All lie below the range from which Linux gives ports away by itself (32768 and up), so no outgoing
connection takes one. Each process draws from a block of its own, which it holds by a lock on a
file until it ends: what one test run found free is not given to another before it is bound.
"""

import fcntl
import random
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

HOST = "127.0.0.1"
FIRST, LAST, BLOCK = 10200, 20000, 200  # not those for voice in docker-compose.yml
# A phone's voice takes the ports beside its own too.
STEP = 4
RTP_FIRST, RTP_LAST, RTP_BLOCK = 20000, 32000, 400


def free_tcp_port() -> int:
    """A port that nothing listens on now, and no other process of the lab will draw."""
    return _free(socket.SOCK_STREAM)


def free_udp_port() -> int:
    """A port that nothing is bound to now, and no other process of the lab will draw."""
    return _free(socket.SOCK_DGRAM)


def rtp_ports() -> tuple[int, int]:
    """First and last port of a block for the voice of some two hundred calls.

    Two Asterisks that draw the same block share it: each takes the ports that it finds free.
    """
    first = random.randrange(RTP_FIRST, RTP_LAST, RTP_BLOCK)
    return first, first + RTP_BLOCK - 1


def _free(kind: socket.SocketKind) -> int:
    ports = _own_ports()
    for _ in range(BLOCK // STEP):
        port = next(ports)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError("no port of this process's block is free")


@cache
def _own_ports() -> Iterator[int]:
    folder = Path(tempfile.gettempdir()) / "telealarm-ports"
    folder.mkdir(exist_ok=True)
    for first in range(FIRST, LAST, BLOCK):
        lock = (folder / str(first)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        _LOCKS.append(lock)
        return cycle(range(first, first + BLOCK, STEP))
    raise OSError(f"all blocks of ports are taken: {folder} has a locked file for each")


_LOCKS: list[object] = []  # open for as long as the process runs
