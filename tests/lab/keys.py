"""Keys and voice as a phone sends them: RTP events (RFC 4733), and G.711 with voice or the tones of
keys, in capture files that SIPp plays.
"""

import audioop
import math
import struct
from collections.abc import Callable
from pathlib import Path

EVENTS = "0123456789*#"
PAYLOAD_TYPE = 101
SSRC = 0x7E1EA1A4
PACKET_SECONDS = 0.02
PACKET_TICKS = 160  # of the 8 kHz clock
PACKETS = 8
# From the press to the release, which the first of the last ones tells.
KEY_SECONDS = PACKETS * PACKET_SECONDS
END_PACKETS = 3  # The last one is sent three times, as the RFC wants.
# The tones of the keys (ITU-T Q.23), in Hz: the row's and the column's.
ROWS, COLUMNS, PAD = (697, 770, 852, 941), (1209, 1336, 1477), "123456789*0#"
TONE_LEVEL = 6000
# G.711 by the name of RTP: the payload type, and how samples become its octets.
G711: dict[str, tuple[int, Callable[[bytes, int], bytes]]] = {
    "PCMU": (0, audioop.lin2ulaw),
    "PCMA": (8, audioop.lin2alaw),
}


def write_key(path: Path, key: str, index: int, tones: str = "") -> None:
    """A capture of one key, the one of this `index` in its call; with `tones`, in that codec."""
    packets = tone_packets(key, index, tones) if tones else key_packets(key, index)
    path.write_bytes(capture(packets))


def tone_packets(key: str, index: int, codec: str) -> list[bytes]:
    """Return the RTP packets of one key that is heard as two tones, with some silence after it."""
    row, column = divmod(PAD.index(key), len(COLUMNS))
    high, low = COLUMNS[column], ROWS[row]
    kind, encode = G711[codec]
    packets = []
    for number in range(2 * PACKETS):
        samples = [
            round(TONE_LEVEL * (_wave(high, tick) + _wave(low, tick))) if number < PACKETS else 0
            for tick in range(number * PACKET_TICKS, (number + 1) * PACKET_TICKS)
        ]
        marker = 0x80 if number == 0 else 0
        ticks = 16000 * (index + 1) + number * PACKET_TICKS
        header = struct.pack(
            "!BBHII", 0x80, marker | kind, 1000 + 100 * index + number, ticks, SSRC
        )
        packets.append(header + encode(struct.pack(f"<{PACKET_TICKS}h", *samples), 2))
    return packets


def _wave(hertz: int, tick: int) -> float:
    return math.sin(2 * math.pi * hertz * tick / 8000)


def key_packets(key: str, index: int) -> list[bytes]:
    """Return the RTP packets of one key, which are sent one each PACKET_SECONDS.

    `index` counts the keys of a call, so that each has its own time. Two presses with the same RTP
    time would be one press to whoever hears them.
    """
    packets = []
    for number in range(PACKETS + END_PACKETS):
        ending = number >= PACKETS
        marker = 0x80 if number == 0 else 0
        sequence = (1000 + 100 * index + number) & 0xFFFF
        duration = PACKET_TICKS * (min(number, PACKETS) + 1)
        packets.append(
            struct.pack("!BBHII", 0x80, marker | PAYLOAD_TYPE, sequence, 16000 * (index + 1), SSRC)
            + struct.pack("!BBH", EVENTS.index(key), (0x80 if ending else 0) | 10, duration)
        )
    return packets


def write_tone(path: Path, seconds: float) -> None:
    """A capture of somebody who speaks: a loud tone of 400 Hz, as G.711 mu-law."""
    packets = []
    # Half a period of 400 Hz is ten samples; 0x90 and 0x10 are loud, the one above, one below zero.
    period = bytes([0x90] * 10 + [0x10] * 10)
    for number in range(round(seconds / PACKET_SECONDS)):
        marker = 0x80 if number == 0 else 0
        header = struct.pack("!BBHII", 0x80, marker, 1 + number, PACKET_TICKS * number, SSRC)
        packets.append(header + period * (PACKET_TICKS // len(period)))
    path.write_bytes(capture(packets))


def capture(payloads: list[bytes]) -> bytes:
    """The pcap file format; SIPp puts its own addresses over the ones in here."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for number, payload in enumerate(payloads):
        udp = struct.pack("!HHHH", 6000, 6000, 8 + len(payload), 0) + payload
        ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, 0, 0) + udp
        frame = bytes(12) + b"\x08\x00" + ip
        micros = round(number * PACKET_SECONDS * 1e6)
        out.append(struct.pack("<IIII", 1, micros, len(frame), len(frame)) + frame)
    return b"".join(out)
