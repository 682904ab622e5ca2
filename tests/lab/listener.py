"""Who listens to what a phone has recorded: pocketsphinx, whose American English comes with it.

Other languages are compared with what their engine says.
"""

import audioop
import io
import struct
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

from pocketsphinx import Decoder

from tests.lab.recorder import LOUD, RATE

_MODEL_RATE = 16_000
# How readily a phrase counts as heard: at 1e-30 strange ones do too, at 1e-5 some are missed.
_THRESHOLD = 1e-12
# A quarter of a second: a lost packet spoils one piece. So many are enough, spread over the whole.
_PIECE = 2 * RATE // 4
_PIECES = 16


def understood(
    samples: Sequence[int], phrases: Sequence[str], threshold: float = _THRESHOLD
) -> set[str]:
    """Which of the phrases are said in `samples` (16 bits, 8 kHz); their words in lower case.

    Name phrases that are not said among them: what hears those too has understood nothing.
    """
    sound = struct.pack(f"<{len(samples)}h", *samples)
    sound, _ = audioop.ratecv(sound, 2, 1, RATE, _MODEL_RATE, None)
    with tempfile.NamedTemporaryFile("w", suffix=".kws") as wanted:
        wanted.writelines(f"{phrase} /{threshold}/\n" for phrase in phrases)
        wanted.flush()
        decoder = Decoder(loglevel="FATAL", lm=None, kws=str(Path(wanted.name)))
        decoder.start_utt()
        decoder.process_raw(sound, full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return set()
        return {found.word.strip() for found in decoder.seg()}


def alike(samples: Sequence[int], wav: bytes, seconds: float = 60.0) -> float:
    """How much of a wav file (of its first `seconds`) is heard in `samples` (16 bits, 8 kHz).

    1 is all of it; other words of the same voice come to about 0.5. It is the correlation of each
    piece, wherever in `samples` that fits best: a language for which there is no listener is told
    from another one by the very sounds that its engine makes.
    """
    heard = struct.pack(f"<{len(samples)}h", *samples)
    with wave.open(io.BytesIO(wav)) as read:
        sound, rate = read.readframes(read.getnframes()), read.getframerate()
    sound, _ = audioop.ratecv(sound, 2, 1, rate, RATE, None)
    sound = sound[: 2 * round(RATE * seconds)]
    pieces = [sound[at : at + _PIECE] for at in range(0, len(sound) - _PIECE + 1, _PIECE)]
    loud = [piece for piece in pieces if audioop.rms(piece, 2) > LOUD]
    found = [_correlation(heard, piece) for piece in loud[:: 1 + len(loud) // _PIECES]]
    return sum(found) / len(found)


def _correlation(heard: bytes, piece: bytes) -> float:
    """Of the piece with that part of what was heard that it fits best."""
    at, factor = audioop.findfit(heard, piece)
    part = heard[2 * at : 2 * at + len(piece)]
    level = audioop.rms(part, 2)
    return factor * audioop.rms(piece, 2) / level if level else 0.0
