"""Texts become sound before anybody is rung, and nothing in a text is an order."""

import asyncio
import io
import stat
import wave
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telealarm.config import Speech as SpeechConfig
from telealarm.errors import SpeechError
from telealarm.rules import audio
from telealarm.store.recordings import Recordings, Sound
from telealarm.survey.prompts import NO_SPEECH, Prompts
from telealarm.survey.speech import Speech
from tests.integration.api_client import tone
from tests.lab.waiting import until

ENGINES = SpeechConfig().engines


def shape(wav: bytes) -> tuple[int, int, int]:
    with wave.open(io.BytesIO(wav)) as file:
        return file.getnchannels(), file.getsampwidth(), file.getframerate()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("You have an appointment tomorrow.", "en"),
        ("Tiene una cita mañana.", "es"),
        ("-f /etc/passwd; $(reboot) `id` | sh", "en"),
        ("[[h@'loU]] <speak><break time='999s'/></speak>\x00\x1b[0m", "es"),
    ],
)
async def test_a_text_is_spoken_for_the_telephone(text: str, language: str) -> None:
    wav = await Speech(ENGINES, 20).render(text, language)
    assert shape(wav) == (1, 2, 8000)
    assert 0.5 < audio.seconds(wav) < 20


HOSTILE = st.one_of(
    st.text(st.characters(), max_size=200),
    st.text(st.sampled_from("<>[]{}&;-$()`'\"\\|\x00\x1b\n\u202e %@0aé."), max_size=200),
    st.sampled_from(["--help", "-w /etc/passwd", "<s>", "&lt;", "%n%s%x", "\ud800"]),
)


@pytest.mark.parametrize("language", ["en", "es"])
@settings(max_examples=40, deadline=None)
@given(hostile=HOSTILE)
def test_whatever_is_written_becomes_sound_and_nothing_else(language: str, hostile: str) -> None:
    """Between two words of ours, as a placeholder's value stands."""
    text = f"Hello {hostile} goodbye."
    wav = asyncio.run(Speech(ENGINES, 20).render(text, language))
    assert shape(wav) == (1, 2, 8000)
    assert audio.seconds(wav) > 0.5


async def test_the_longest_text_is_cut_and_spoken() -> None:
    wav = await Speech(ENGINES, 20).render("word " * 100_000, "en")
    assert 60 < audio.seconds(wav) < 600


async def test_an_engine_that_hangs_is_killed_with_what_it_has_started(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text(f"#!/bin/sh\nsleep 60 & echo $! > {tmp_path}/pid; wait\n")
    engine.chmod(0o755)
    with pytest.raises(SpeechError, match="took over 1 s"):
        await Speech({"*": f"{engine} {{text_file}} {{wav}}"}, 1).render("Hello", "en")
    child = (tmp_path / "pid").read_text().strip()

    def gone() -> bool:
        state = Path(f"/proc/{child}/stat")
        return not state.exists() or state.read_text().split(") ")[1].startswith("Z")

    await until(gone, 30, "what the engine started is gone")


async def test_an_engine_that_is_missing_fails_or_hangs_is_an_error_that_says_so() -> None:
    missing = Speech({"*": "no-such-engine {text_file} {wav}"}, 5)
    with pytest.raises(SpeechError, match=r"no-such-engine cannot be run.*speech\.engines"):
        await missing.render("Hello", "en")
    assert missing.missing() == ["no-such-engine"]
    with pytest.raises(SpeechError, match="failed"):
        await Speech({"*": "false {text_file} {wav}"}, 5).render("Hello", "en")
    with pytest.raises(SpeechError, match=r"took over 0\.2 s"):
        await Speech({"*": "tail -f {text_file} {wav}"}, 0.2).render("Hello", "en")
    with pytest.raises(SpeechError, match="no usable wav"):
        await Speech({"*": "cp {text_file} {wav}"}, 5).render("Hello", "en")


async def test_the_same_words_are_rendered_once(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path / "new" / "prompts", "http://127.0.0.1:8000", Speech(ENGINES, 20))
    first = await prompts.script("Good morning.", "en")
    kept = tmp_path / "new" / "prompts" / f"{first.name}.wav"
    written = kept.stat().st_mtime_ns
    assert await prompts.script("Good morning.", "en") == first
    assert kept.stat().st_mtime_ns == written
    assert kept.stat().st_mode & stat.S_IROTH  # Asterisk is another user
    assert (await prompts.script("Good evening.", "en")).name != first.name
    assert first.media[0] == f"sound:http://127.0.0.1:8000/prompts/{first.name}.wav"


async def test_our_own_texts_need_no_engine(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path, "http://127.0.0.1:8000", Speech({}, 5))
    for language in ("en", "es", "en-GB", "tlh"):
        assert (await prompts.system(NO_SPEECH, language)).seconds > 1
    with pytest.raises(SpeechError, match=r"no speech engine serves 'en'"):
        await prompts.script("Hello", "en")


async def test_a_recording_is_played_from_where_it_was_uploaded_to(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path, "http://127.0.0.1:8000", Speech({}, 5))
    sound = Sound.of(audio.for_telephone(tone(2.0)))
    with pytest.raises(SpeechError, match=r"is missing; upload it again"):
        await prompts.recording(sound)
    Recordings(tmp_path).keep(sound)
    found = await prompts.recording(sound)
    assert found.media == (
        f"sound:http://127.0.0.1:8000/prompts/{sound.digest}.wav",
        f"sound:{tmp_path}/audio/{sound.digest}",
    )
    assert found.seconds == pytest.approx(2.0, abs=0.01)
    kept = tmp_path / "audio" / f"{sound.digest}.wav"
    assert kept.stat().st_mode & stat.S_IROTH


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    in_the_way = tmp_path / "prompts"
    in_the_way.write_text("a file")
    prompts = Prompts(in_the_way, "http://127.0.0.1:8000", Speech(ENGINES, 20))
    with pytest.raises(SpeechError, match=r"prompts\.folder"):
        await prompts.script("Hello", "en")


@pytest.mark.parametrize(
    ("channels", "width", "rate"), [(1, 2, 8000), (2, 2, 44100), (1, 1, 11025), (1, 4, 22050)]
)
def test_any_pcm_wav_becomes_what_asterisk_plays(channels: int, width: int, rate: int) -> None:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"\x10\x20" * (rate * channels * width // 2))
    wav = audio.for_telephone(made.getvalue())
    assert shape(wav) == (1, 2, 8000)
    assert audio.seconds(wav) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("junk", [b"", b"RIFF", b"not a wav", b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_what_is_no_wav_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match=r"wav|sound"):
        audio.for_telephone(junk)
