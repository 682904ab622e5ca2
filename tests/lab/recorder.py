"""What a phone hears: the RTP that comes to its audio port."""

import asyncio
import audioop
import struct
import wave
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tests.lab.network import Network
from tests.lab.ports import HOST

RATE = 8000
PCMU, PCMA, G722 = 0, 8, 9
LOUD = 300  # mean of the amplitude, of 32767, above which a packet is not silence


def linear(code: int) -> int:
    """One G.711 mu-law octet as a 16-bit sample."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


_LINEAR: dict[int, list[int]] = {
    PCMU: [linear(code) for code in range(256)],
    PCMA: list(struct.unpack("<256h", audioop.alaw2lin(bytes(range(256)), 2))),
}
_LEVEL: dict[int, list[int]] = {
    kind: [abs(sample) for sample in table] for kind, table in _LINEAR.items()
}


@dataclass(frozen=True)
class Packet:
    """One packet of voice and when it came (seconds of the event loop's clock)."""

    at: float
    payload: bytes
    kind: int = PCMU

    @property
    def seconds(self) -> float:
        return len(self.payload) / RATE

    @property
    def loudness(self) -> float:
        return sum(map(_LEVEL[self.kind].__getitem__, self.payload)) / max(1, len(self.payload))


class Recorder(asyncio.DatagramProtocol):
    """Keeps every packet of G.711 voice that arrives at `port`, and counts all RTP packets."""

    def __init__(self, network: Network | None = None) -> None:
        self._network = network or Network()
        self.packets: list[Packet] = []
        # How many RTP packets came of each payload type, and when each came.
        self.kinds: Counter[int] = Counter()
        self.arrivals: list[float] = []
        # Those that are not silence, and how long they are in all: both are asked for often.
        self._loud: list[Packet] = []
        self._seconds = 0.0
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        sock = self._network.udp_socket(HOST)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)

    async def stop(self) -> None:
        if self._transport:
            self._transport.close()
            self._transport = None

    @property
    def port(self) -> int:
        assert self._transport, "the recorder is not started"
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < 12:
            return
        now, kind = asyncio.get_running_loop().time(), data[1] & 0x7F
        self.kinds[kind] += 1
        self.arrivals.append(now)
        if len(data) > 12 and kind in _LINEAR:
            header = 12 + 4 * (data[0] & 0x0F)
            packet = Packet(now, data[header:], kind)
            self.packets.append(packet)
            if packet.loudness > LOUD:
                self._loud.append(packet)
                self._seconds += packet.seconds

    def send(self, packet: bytes, port: int) -> None:
        """Send one RTP packet from the port that hears to a port of 127.0.0.1."""
        assert self._transport, "the recorder is not started"
        self._transport.sendto(packet, (HOST, port))

    def clear(self) -> None:
        """Forget what was heard, before another call."""
        self.packets.clear()
        self.kinds.clear()
        self.arrivals.clear()
        self._loud.clear()
        self._seconds = 0.0

    def seconds_heard(self) -> float:
        """How much of what came was not silence."""
        return self._seconds

    def first_loud_at(self) -> datetime | None:
        """When the first sound that was not silence came."""
        return _date(self._loud[0].at) if self._loud else None

    def last_loud_at(self) -> datetime | None:
        """When the last sound that was not silence came."""
        return _date(self._loud[-1].at) if self._loud else None

    def longest_silence(self) -> float:
        """The longest time between two loud packets, since the first one."""
        loud = [packet.at for packet in self._loud]
        return max((after - before for before, after in pairwise(loud)), default=0)

    def longest_gap(self, until: float | None = None) -> float:
        """The longest time without any RTP packet, since the first one; up to `until` (the event
        loop's clock), if given.
        """
        ends = [*self.arrivals, *([until] if until is not None else [])]
        return max((after - before for before, after in pairwise(ends)), default=0)

    def samples(self) -> list[int]:
        """All of it as 16-bit samples at 8 kHz."""
        return [_LINEAR[packet.kind][octet] for packet in self.packets for octet in packet.payload]

    def write_wav(self, path: Path) -> None:
        """Write all of it, for a person to hear."""
        samples = self.samples()
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def _date(at: float) -> datetime:
    """A moment of the event loop's clock as a date."""
    return datetime.now(UTC) - timedelta(seconds=asyncio.get_running_loop().time() - at)
