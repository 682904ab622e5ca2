"""Our own prompts: each text in each language is shipped as a sound; sounds/make.py made it."""

import io
import runpy
import shutil
import wave
from pathlib import Path
from typing import Any

import pytest
import yaml

from telealarm.rules import audio
from tests.lab.listener import understood

SOUNDS = Path(__file__).parents[2] / "sounds"
TEXTS: dict[str, dict[str, str]] = yaml.safe_load((SOUNDS / "prompts.yml").read_text("utf-8"))
# A voice says some 15 characters a second; these are very slow and very fast ones.
SLOW, FAST = 7.0, 30.0


def test_each_text_is_there_in_each_language() -> None:
    assert {"en", "es"} <= TEXTS.keys()
    for language, texts in TEXTS.items():
        assert texts.keys() == TEXTS["en"].keys()
        assert {path.stem for path in (SOUNDS / language).iterdir()} == texts.keys()
        for name, text in texts.items():
            wav = (SOUNDS / language / f"{name}.wav").read_bytes()
            with wave.open(io.BytesIO(wav)) as read:
                assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (
                    1,
                    2,
                    8000,
                )
            # Without the silence around it.
            seconds = audio.seconds(audio.of_speech(wav))
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
    for file in ("make.py", "prompts.yml"):
        shutil.copy(SOUNDS / file, tmp_path)
    some = {language: {"goodbye": texts["goodbye"]} for language, texts in TEXTS.items()}
    (tmp_path / "prompts.yml").write_text(yaml.safe_dump(some), encoding="utf-8")
    made: dict[str, Any] = runpy.run_path(str(tmp_path / "make.py"))
    made["main"]()
    for language in TEXTS:
        shipped = audio.seconds((SOUNDS / language / "goodbye.wav").read_bytes())
        new = audio.seconds((tmp_path / language / "goodbye.wav").read_bytes())
        assert new == pytest.approx(shipped, rel=0.2)
