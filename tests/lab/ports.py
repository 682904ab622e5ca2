"""Free ports on 127.0.0.1."""

import random
import socket

HOST = "127.0.0.1"
# Below the range from which Linux gives ports away by itself (32768 and up).
RTP_FIRST, RTP_LAST, RTP_BLOCK = 12000, 32000, 400


def free_tcp_port() -> int:
    """A port that nothing listens on now."""
    return _free(socket.SOCK_STREAM)


def free_udp_port() -> int:
    """A port that nothing is bound to now."""
    return _free(socket.SOCK_DGRAM)


def rtp_ports() -> tuple[int, int]:
    """First and last port of a block for the voice of some two hundred calls.

    Two Asterisks that draw the same block share it: each takes the ports that it finds free.
    """
    first = random.randrange(RTP_FIRST, RTP_LAST, RTP_BLOCK)
    return first, first + RTP_BLOCK - 1


def _free(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
