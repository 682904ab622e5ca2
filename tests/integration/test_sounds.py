"""Our own prompts: each text in each language is shipped as a sound; sounds/make.py made it."""

import io
import runpy
import shutil
import wave
from pathlib import Path
from typing import Any

import pytest
import yaml

from telealarm import i18n
from telealarm.rules import audio
from tests.lab.listener import understood

SOUNDS = Path(__file__).parents[2] / "sounds"
FILES = [
    (path.stem, yaml.safe_load(path.read_text("utf-8")))
    for path in (Path(i18n.__file__).parent / "languages").iterdir()
]
# The prompts by language, of those that have any.
TEXTS: dict[str, dict[str, str]] = {
    code: file["spoken"]["prompts"] for code, file in FILES if "spoken" in file
}
# A voice says some 15 characters a second; these are very slow and very fast ones.
SLOW, FAST = 7.0, 30.0


def test_each_text_is_there_in_each_language() -> None:
    assert {"en", "es", "de", "fr"} <= TEXTS.keys()
    for language, texts in TEXTS.items():
        assert texts.keys() == TEXTS["en"].keys()
        assert {path.stem for path in (SOUNDS / language).iterdir()} == texts.keys()
        for name, text in texts.items():
            for suffix, rate in ((".wav", 8000), (".wav16", 16_000)):
                wav = (SOUNDS / language / f"{name}{suffix}").read_bytes()
                with wave.open(io.BytesIO(wav)) as read:
                    format_of = (read.getnchannels(), read.getsampwidth(), read.getframerate())
                assert format_of == (1, 2, rate)
                # Without the silence around it.
                seconds = audio.seconds(audio.of_speech(wav, rate))
                assert len(text) / FAST < seconds < 1 + len(text) / SLOW, (language, name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-speech", {"automatic call"}),
        ("no-answer", {"did not receive", "goodbye"}),
        ("apology", {"technical problem", "call us back"}),
    ],
)
def test_the_english_words_are_understood(name: str, said: set[str]) -> None:
    with wave.open(str(SOUNDS / "en" / f"{name}.wav")) as read:
        frames = read.readframes(read.getnframes())
    samples = list(memoryview(frames).cast("h"))
    assert understood(samples, [*said, "elephant", "wake up call"]) == said


def test_the_script_makes_them(tmp_path: Path) -> None:
    """A word of ours in a copy of the folder is spoken anew, as it is here."""
    shutil.copy(SOUNDS / "make.py", tmp_path)
    made: dict[str, Any] = runpy.run_path(str(tmp_path / "make.py"))
    everything: dict[str, dict[str, str]] = {code: made["prompts"](code) for code, _ in FILES}
    assert {code: texts for code, texts in everything.items() if texts} == TEXTS
    some = {code: {"goodbye": texts["goodbye"]} for code, texts in TEXTS.items()}
    made["main"].__globals__["prompts"] = lambda code: some.get(code, {})
    made["main"]()
    for language in TEXTS:
        shipped = audio.seconds((SOUNDS / language / "goodbye.wav").read_bytes())
        new = audio.seconds((tmp_path / language / "goodbye.wav").read_bytes())
        assert new == pytest.approx(shipped, rel=0.2)
