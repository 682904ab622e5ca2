"""Rendered prompts have a limit; what a call may need now stays."""

import os
import time
from pathlib import Path

import pytest

from telealarm.installation_key import InstallationKey
from telealarm.rules import audio
from telealarm.survey.commands import GOODBYE
from telealarm.survey.tts.cache import NEEDED_SECONDS, Cache
from telealarm.survey.tts.prompts import Prompts
from telealarm.survey.tts.speech import Speech
from tests.integration.api_client import tone
from tests.lab.key import KEY

WAV = audio.for_telephone(tone(0.5))
# Both files of a sound.
BYTES = len(WAV) + len(audio.for_telephone(WAV, rate=audio.WIDE_RATE))
LONG_AGO = NEEDED_SECONDS + 60


def used(path: Path, seconds_ago: float) -> None:
    """As if it had been used last so long ago."""
    for file in (path, path.with_suffix(audio.WIDE_SUFFIX)):
        if file.exists():
            os.utime(file, (time.time() - seconds_ago, file.stat().st_mtime))


def filled(folder: Path, names: str, *, limit: int) -> Cache:
    """A cache with a file of each name, used one after the other, all of them long ago."""
    cache = Cache(folder, limit * BYTES)
    for age, name in enumerate(reversed(names)):
        cache.keep(name, WAV, text=name)
        used(cache.path(name), LONG_AGO + age)
    return cache


def kept(folder: Path) -> str:
    return "".join(sorted(path.stem for path in folder.glob("*.wav")))


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = filled(tmp_path, "abcdefghij", limit=10)
    assert kept(tmp_path) == "abcdefghij"
    assert cache.find("b") == WAV  # used now
    cache.keep("new", WAV, text="new")
    assert kept(tmp_path) == "bdefghijnew"
    assert cache.find("a") is None


def test_what_calls_may_need_now_stays_beyond_the_limit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(tmp_path, 2 * BYTES)
    for name in "abcd":
        cache.keep(name, WAV, text=name)
    assert kept(tmp_path) == "abcd"
    assert "prompts.max_megabytes" in caplog.text


def test_recordings_are_not_counted_and_what_broke_off_goes(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    recording = tmp_path / "audio" / "one.wav"
    recording.write_bytes(WAV * 20)
    used(recording, 10 * LONG_AGO)
    left_over = tmp_path / "x.part"
    left_over.write_bytes(WAV)
    used(left_over, 9 * LONG_AGO)
    cache = filled(tmp_path, "abc", limit=3)
    cache.keep("d", WAV, text="d")
    assert recording.exists()
    assert not left_over.exists()


async def test_our_own_words_come_back_where_they_were_swept_away(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path, "http://127.0.0.1:8000", Speech({}, 5), key=KEY)
    first = await prompts.system(GOODBYE, "en")
    path = tmp_path / f"{first.name}.wav"
    path.unlink()
    assert await prompts.system(GOODBYE, "en") == first
    used(path, LONG_AGO)
    await prompts.system(GOODBYE, "en")
    assert time.time() - path.stat().st_atime < 60


async def test_a_name_tells_nothing_without_the_key(tmp_path: Path) -> None:
    """Workers that share the folder have the same key, and so the same names."""
    url, speech = "http://127.0.0.1:8000", Speech({}, 5)
    first, second = (Prompts(tmp_path, url, speech, key=KEY) for _ in range(2))
    stranger = Prompts(tmp_path, url, speech, key=InstallationKey(b"x" * 32))
    name = (await first.system(GOODBYE, "en")).name
    assert (await second.system(GOODBYE, "en")).name == name
    assert (await stranger.system(GOODBYE, "en")).name != name
    assert len(name) == audio.PROMPT_DIGITS


def test_prompts_with_guessable_names_go_once_no_call_plays_them(tmp_path: Path) -> None:
    old = tmp_path / f"{'a' * 64}.wav"
    played = tmp_path / f"{'b' * 64}.wav"
    for path in (old, played):
        path.write_bytes(WAV)
    used(old, LONG_AGO)
    cache = Cache(tmp_path, 1000 * len(WAV))
    cache.keep("c" * audio.PROMPT_DIGITS, WAV, text="c")
    assert not old.exists()
    assert played.exists()
