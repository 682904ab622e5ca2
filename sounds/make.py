"""Speaks sounds/prompts.yml into sounds/<language>/<name>.wav: 8 kHz, 16 bit, mono.

Run it after a change of the texts, on a machine with flite and espeak-ng:
    .venv/bin/python sounds/make.py
"""

import math
import struct
import subprocess
import tempfile
import wave
from pathlib import Path

import yaml

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


def main() -> None:
    prompts = yaml.safe_load((HERE / "prompts.yml").read_text(encoding="utf-8"))
    for language, texts in prompts.items():
        (HERE / language).mkdir(exist_ok=True)
        for name, text in texts.items():
            with tempfile.TemporaryDirectory() as folder:
                spoken = Path(folder) / "spoken.wav"
                speak(text, language, spoken)
                rate, samples = read(spoken)
            target = HERE / language / f"{name}.wav"
            write(target, resample(samples, rate))
            print(f"{target.relative_to(HERE.parent)}: {len(samples) / rate:.1f} s")


if __name__ == "__main__":
    main()
