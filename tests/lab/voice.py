"""What is said at a phone: speech as RTP (PCMU) in a capture file that SIPp plays."""

import math
import struct
import subprocess
import tempfile
import wave
from bisect import bisect
from pathlib import Path

from telealarm.rules.audio import for_telephone
from tests.lab.keys import capture
from tests.lab.recorder import RATE, linear
from tests.lab.speed import limit

PACKET = 160  # samples, 20 ms
SSRC = 0x5A7E11
BEEP_HZ, BEEP_SECONDS = 1000, 0.5
# A line that is open is never without sound; what follows the words is quiet for so long.
QUIET_SECONDS = 60

_CODES = sorted((linear(code), code) for code in range(256))
_LEVELS = [level for level, _ in _CODES]


def write_voice(path: Path, text: str, *, beep: bool) -> float:
    """A capture of `text` as flite speaks it, a beep if it is wanted, and a quiet line.

    Returns after how many seconds it is quiet.
    """
    samples = _spoken(text)
    if beep:
        samples += [0] * (RATE // 2)
        turn = 2 * math.pi * BEEP_HZ / RATE
        samples += [round(8000 * math.sin(turn * n)) for n in range(int(RATE * BEEP_SECONDS))]
    seconds = len(samples) / RATE
    samples += [0] * (RATE * QUIET_SECONDS)
    octets = bytes(map(_mu_law, samples))
    path.write_bytes(
        capture(
            [
                struct.pack("!BBHII", 0x80, 0x80 if number == 0 else 0, number, at, SSRC)
                + octets[at : at + PACKET]
                for number, at in enumerate(range(0, len(octets), PACKET))
            ]
        )
    )
    return seconds


def _spoken(text: str) -> list[int]:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "said.wav"
        subprocess.run(
            ["flite", "-voice", "slt", "-t", text, "-o", wav], check=True, timeout=limit(30)
        )
        wav.write_bytes(for_telephone(wav.read_bytes()))
        with wave.open(str(wav)) as read:
            frames = read.readframes(read.getnframes())
    return list(struct.unpack(f"<{len(frames) // 2}h", frames))


def _mu_law(sample: int) -> int:
    """The G.711 octet whose level is next below the sample."""
    return _CODES[max(0, bisect(_LEVELS, sample) - 1)][1]
