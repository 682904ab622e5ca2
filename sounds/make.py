"""Speaks the prompts of the language files into sounds/<language>/: 16 bit, mono, in two rates.

<name>.wav has 8 kHz, <name>.wav16 has 16 kHz. Asterisk plays the one that fits the call.

Run it after a change of the texts, on a machine with flite and espeak-ng:
    .venv/bin/python sounds/make.py           # every language that has prompts
    .venv/bin/python sounds/make.py de fr     # these
"""

import math
import struct
import subprocess
import sys
import tempfile
import wave
from collections.abc import Sequence
from operator import mul
from pathlib import Path

from telealarm import i18n

HERE = Path(__file__).parent
# By the suffix of the file: the rate, and what is kept. A telephone line carries up to 3400 Hz, and
# 7000 Hz in wideband.
RATES = {".wav": (8000, 3600.0), ".wav16": (16_000, 7200.0)}
PEAK = 0.7
HALF_TAPS = 24


def speak(text: str, language: str, target: Path) -> None:
    """flite's voice is the clearer one, but it speaks English only."""
    if language == "en":
        command = ["flite", "-voice", "slt", "-t", text, "-o", str(target)]
    else:
        command = ["espeak-ng", "-v", language, "-s", "145", "-w", str(target), "--", text]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def read(path: Path) -> tuple[int, list[int]]:
    """Sample rate and samples of a 16-bit mono wav file."""
    with wave.open(str(path), "rb") as wav:
        frames = wav.readframes(wav.getnframes())
        return wav.getframerate(), [sample for (sample,) in struct.iter_unpack("<h", frames)]


def resample(samples: list[int], rate: int, to: int, pass_hz: float) -> list[float]:
    """To another rate, by a windowed sinc that keeps what a telephone carries and nothing above."""
    width = max(HALF_TAPS, HALF_TAPS * rate // to)
    cutoff = 2 * pass_hz / rate
    # Samples whose distance from their source repeats share their weights.
    period = to // math.gcd(rate, to)
    weights = [_weights(phase * rate / to, width, cutoff) for phase in range(period)]
    padded = [0] * width + samples + [0] * width
    out = []
    for index in range(len(samples) * to // rate):
        first = math.ceil(index * rate / to) + 1
        taps = weights[index % period]
        out.append(sum(map(mul, taps, padded[first : first + len(taps)])))
    return out


def _weights(centre: float, width: int, cutoff: float) -> list[float]:
    """The weights of the samples around `centre`, the first one after `centre` - `width`."""
    taps = []
    for position in range(math.ceil(centre) - width + 1, math.ceil(centre) + width):
        distance = position - centre
        window = 0.5 + 0.5 * math.cos(math.pi * distance / width)
        taps.append(cutoff * _sinc(cutoff * distance) * window)
    return taps


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def write(path: Path, samples: list[float], rate: int) -> None:
    """Write them with their loudest at PEAK of what the format holds."""
    gain = PEAK * 32767 / (max(map(abs, samples)) or 1)
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(struct.pack(f"<{len(samples)}h", *(round(gain * s) for s in samples)))


def prompts(language: str) -> dict[str, str]:
    """The prompts that the file of the language has, by the name of their sound."""
    file = i18n.LANGUAGES[language]
    return {
        name: text
        for name, text in file.spoken.prompts.items()
        if f"spoken.prompts.{name}" not in file.lacking
    }


def make(language: str, name: str, text: str, folder: Path = HERE) -> None:
    """Speak one prompt into its files below `folder`."""
    with tempfile.TemporaryDirectory() as scratch:
        spoken = Path(scratch) / "spoken.wav"
        speak(text, language, spoken)
        rate, samples = read(spoken)
    (folder / language).mkdir(exist_ok=True)
    for suffix, (to, pass_hz) in RATES.items():
        write(folder / language / (name + suffix), resample(samples, rate, to, pass_hz), to)
    print(f"{language}/{name}: {len(samples) / rate:.1f} s")


def main(languages: Sequence[str] = ()) -> None:
    for language in languages or i18n.LANGUAGES:
        if language not in i18n.LANGUAGES:
            sys.exit(f"there is no telealarm/i18n/languages/{language}.yml; write it first")
        for name, text in prompts(language).items():
            make(language, name, text)


if __name__ == "__main__":
    main(sys.argv[1:])
