"""Who listens to what a phone has recorded: pocketsphinx, whose American English comes with it."""

import audioop
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pocketsphinx import Decoder

from tests.lab.recorder import RATE

_MODEL_RATE = 16_000
# How readily a phrase counts as heard: at 1e-30 strange ones do too, at 1e-5 some are missed.
_THRESHOLD = 1e-12


def understood(samples: Sequence[int], phrases: Sequence[str]) -> set[str]:
    """Which of the phrases are said in `samples` (16 bits, 8 kHz); their words in lower case.

    Name phrases that are not said among them: what hears those too has understood nothing.
    """
    sound = struct.pack(f"<{len(samples)}h", *samples)
    sound, _ = audioop.ratecv(sound, 2, 1, RATE, _MODEL_RATE, None)
    with tempfile.NamedTemporaryFile("w", suffix=".kws") as wanted:
        wanted.writelines(f"{phrase} /{_THRESHOLD}/\n" for phrase in phrases)
        wanted.flush()
        decoder = Decoder(loglevel="FATAL", lm=None, kws=str(Path(wanted.name)))
        decoder.start_utt()
        decoder.process_raw(sound, full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return set()
        return {found.word.strip() for found in decoder.seg()}
