"""Speaks the prompts of the language files into sounds/<language>/<name>.wav: 8 kHz, 16 bit, mono.

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
from pathlib import Path

from telealarm import i18n

HERE = Path(__file__).parent
RATE = 8000
PEAK = 0.7
PASS_HZ = 3600.0  # A telephone line carries up to 3400 Hz.
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


def resample(samples: list[int], rate: int) -> list[float]:
    """To 8 kHz, by a windowed sinc that keeps what a telephone carries and nothing above."""
    width = HALF_TAPS * rate // RATE
    cutoff = 2 * PASS_HZ / rate
    padded = [0] * width + samples + [0] * width
    out = []
    for index in range(len(samples) * RATE // rate):
        centre = index * rate / RATE
        first = math.ceil(centre) - width + 1
        total = 0.0
        for position in range(first, first + 2 * width - 1):
            distance = position - centre
            window = 0.5 + 0.5 * math.cos(math.pi * distance / width)
            total += padded[position + width] * cutoff * _sinc(cutoff * distance) * window
        out.append(total)
    return out


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def write(path: Path, samples: list[float]) -> None:
    """Write them with their loudest at PEAK of what the format holds."""
    gain = PEAK * 32767 / (max(map(abs, samples)) or 1)
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
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
    """Speak one prompt into its file below `folder`."""
    with tempfile.TemporaryDirectory() as scratch:
        spoken = Path(scratch) / "spoken.wav"
        speak(text, language, spoken)
        rate, samples = read(spoken)
    target = folder / language / f"{name}.wav"
    target.parent.mkdir(exist_ok=True)
    write(target, resample(samples, rate))
    print(f"{language}/{target.name}: {len(samples) / rate:.1f} s")


def main(languages: Sequence[str] = ()) -> None:
    for language in languages or i18n.LANGUAGES:
        if language not in i18n.LANGUAGES:
            sys.exit(f"there is no telealarm/i18n/languages/{language}.yml; write it first")
        for name, text in prompts(language).items():
            make(language, name, text)


if __name__ == "__main__":
    main(sys.argv[1:])
