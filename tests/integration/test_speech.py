"""Texts become sound before anybody is rung, and nothing in a text is an order."""

import asyncio
import audioop
import io
import re
import shutil
import stat
import tempfile
import wave
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telealarm import i18n
from telealarm.clock import monotonic
from telealarm.config.model import SpeechConfig
from telealarm.errors import SpeechError
from telealarm.i18n.loader import load
from telealarm.rules import audio, placeholders
from telealarm.rules.placeholders import LONGEST_VALUE
from telealarm.store.survey.audio_files import AudioFolder, Sound
from telealarm.survey.machine import GOODBYE
from telealarm.survey.tts.engine import REST_SECONDS
from telealarm.survey.tts.prompts import AGAIN_SECONDS, NO_SPEECH, Prompts, soon
from telealarm.survey.tts.speech import Speech
from tests.integration.api_client import tone
from tests.lab.key import KEY
from tests.lab.speed import limit
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
    wav = await Speech(ENGINES, limit(20)).render(text, language)
    assert shape(wav) == (1, 2, 16_000)
    assert 0.5 < audio.seconds(wav) < 20


@pytest.mark.parametrize(
    ("text", "language"),
    [("Привет, мир", "en"), ("... ?!", "en"), ("\U0001f600", "en"), (".", "es")],
)
async def test_a_sound_of_nothing_but_silence_is_an_error(text: str, language: str) -> None:
    """Nobody is to be played silence; whoever is called hears our own words instead."""
    with pytest.raises(SpeechError, match="silence"):
        await Speech(ENGINES, limit(20)).render(text, language)


@pytest.mark.parametrize("text", ["", " \n", "<<[[]]>>", "\u202e\u200b\x00\ud800"])
async def test_what_has_no_words_is_not_given_to_an_engine(text: str) -> None:
    with pytest.raises(SpeechError, match="nothing in the text can be said"):
        await Speech({"*": "no-such-engine {wav}"}, limit(20)).render(text, "en")


async def test_wide_brackets_do_not_become_markup(tmp_path: Path) -> None:
    line = engine(tmp_path, f"cp $1 {tmp_path}/text; flite -t Hello -o $2")
    await Speech({"*": line}, limit(20)).render("\uff3b\uff3bab\uff3d\uff3d \uff1cs\uff1e", "en")
    assert (tmp_path / "text").read_text() == "ab s\n"


async def test_the_letters_of_a_name_are_spoken_in_english() -> None:
    speech = Speech(ENGINES, limit(20))
    accented = await speech.render("Doctor José García", "en")
    assert accented == await speech.render("Doctor Jose Garcia", "en")


@pytest.mark.parametrize(
    "value", [".", "?!", "9", "W", "a.", "'", "& ", "1/2 ", "\u0301", "\u0645", "-"]
)
@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_value_that_is_long_neither_breaks_nor_delays_an_engine(
    value: str, language: str
) -> None:
    """As long as a value may be: five hundred dots make flite crash."""
    text = f"Hello {(value * 500)[:500]} goodbye."
    wav = await Speech(ENGINES, limit(20)).render(text, language)
    plain = await Speech(ENGINES, limit(20)).render("Hello goodbye.", language)
    assert audio.seconds(wav) > 0.7 * audio.seconds(plain)


HOSTILE = st.one_of(
    st.text(st.characters(), max_size=200),
    st.text(st.sampled_from("<>[]{}&;-$()`'\"\\|\x00\x1b\n\u202e %@0aé."), max_size=200),
    st.sampled_from(["--help", "-w /etc/passwd", "<s>", "&lt;", "%n%s%x", "\ud800"]),
    # Some engines crash of what is repeated.
    st.text(st.sampled_from("aB1 .,'-/:;?!()&%$#@*\u0301é"), min_size=1, max_size=4).map(
        lambda part: (part * LONGEST_VALUE)[:LONGEST_VALUE]
    ),
)


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "es"])
@settings(max_examples=40, deadline=None)
@given(hostile=HOSTILE)
def test_whatever_is_written_becomes_sound_and_nothing_else(language: str, hostile: str) -> None:
    """Between two words of ours, as a placeholder's value stands."""
    text = placeholders.speakable("Hello {value} goodbye.", {"value": hostile})
    wav = asyncio.run(Speech(ENGINES, limit(20)).render(text, language))
    assert shape(wav) == (1, 2, 16_000)
    assert audio.seconds(wav) > 0.5
    with wave.open(io.BytesIO(wav)) as file:
        assert audioop.max(file.readframes(file.getnframes()), 2) > 1000


async def test_the_longest_text_is_cut_and_spoken() -> None:
    wav = await Speech(ENGINES, limit(20)).render("word " * 100_000, "en")
    assert 60 < audio.seconds(wav) < 600


def engine(folder: Path, does: str) -> str:
    """The command line of an engine that does this; $1 is the text's file, $2 the wav."""
    script = folder / "engine"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    return f"{script} {{text_file}} {{wav}}"


async def gone(pid: Path) -> None:
    """Return when the process whose id is in the file has ended."""

    def ended() -> bool:
        state = Path(f"/proc/{pid.read_text().strip()}/stat")
        return not state.exists() or state.read_text().split(") ")[1].startswith("Z")

    await until(ended, 30, "what the engine started is gone")


async def test_an_engine_that_hangs_is_killed_with_what_it_has_started(tmp_path: Path) -> None:
    line, seconds = engine(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid; wait"), limit(1)
    speech = Speech({"*": line}, seconds)
    with pytest.raises(SpeechError, match=re.escape(f"took over {seconds:g} s")):
        await speech.render("Hello", "en")
    await gone(tmp_path / "pid")


async def test_an_engine_may_end_and_leave_a_child_behind(tmp_path: Path) -> None:
    """One that holds its standard error open, too: it is not waited for, and it is killed."""
    speech = Speech(
        {"*": engine(tmp_path, f"sleep 600 & echo $! > {tmp_path}/pid; exit 3")}, limit(20)
    )
    with pytest.raises(SpeechError, match=r"failed \(3\)"):
        await speech.render("Hello", "en")
    await gone(tmp_path / "pid")


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("yes garbage | head -c 1000000 >&2; exit 1", r"failed \(1\): garbage garbage"),
        ("printf 'a\\nb\\377' >&2; exit 1", "failed \\(1\\): a b\ufffd$"),
        ("kill -SEGV $$", r"failed \(-11\)"),
        (": > $2", "no usable wav"),
        ("head -c 100000 /dev/urandom > $2", "no usable wav"),
        ("head -c 2000000 /dev/zero > $2", "more than 1 MB"),
        ("exit 0", "no usable wav"),
        ("mkdir $2", "no usable wav"),
    ],
)
async def test_whatever_an_engine_does_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, said: str
) -> None:
    monkeypatch.setattr("telealarm.survey.tts.engine._LARGEST_FILE", 1_000_000)
    speech = Speech({"*": engine(tmp_path, does)}, limit(20))
    with pytest.raises(SpeechError, match=said) as raised:
        await speech.render("Hello", "en")
    assert len(str(raised.value)) < 500
    assert speech.failing() == [str(tmp_path / "engine")]


async def test_an_engine_may_read_the_text_from_standard_input(tmp_path: Path) -> None:
    """As piper does, in each of its versions."""
    assert SpeechConfig(engines={"es": "piper -m es.onnx -f {wav}"}).engines
    line = engine(tmp_path, f"cat > {tmp_path}/text; flite -t Hello -o $2")
    assert audio.seconds(await Speech({"*": line}, limit(20)).render("Hola, José.", "es")) > 0.3
    assert (tmp_path / "text").read_text() == "Hola, José.\n"


async def test_an_engine_that_hangs_is_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls of a crowd do not wait one after the other for an engine that does not answer."""
    speech = Speech({"es": engine(tmp_path, "sleep 600"), "*": ENGINES["en"]}, limit(0.5))
    started = monotonic()
    found = await asyncio.gather(
        *(speech.render(f"Hola {number}", "es") for number in range(50)), return_exceptions=True
    )
    assert all(isinstance(error, SpeechError) for error in found)
    assert monotonic() - started < limit(5)
    assert "again and again" in str(found[-1])
    assert speech.failing() == [str(tmp_path / "engine")]
    assert await speech.render("Other languages go on.", "en")
    engine(tmp_path, "flite -t Hello -o $2")
    with pytest.raises(SpeechError, match="tried again within a minute"):
        await speech.render("Hola", "es")
    later = monotonic() + REST_SECONDS
    monkeypatch.setattr("telealarm.survey.tts.engine.monotonic", lambda: later)
    assert await speech.render("Hola", "es")
    assert speech.failing() == []


async def test_a_folder_for_temporary_files_that_is_full_or_gone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SpeechError, match=r"gone cannot be written.*make room"):
        await Speech(ENGINES, limit(20)).render("Hello", "en")


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
    prompts = Prompts(
        tmp_path / "new" / "prompts", "http://127.0.0.1:8000", Speech(ENGINES, limit(20)), key=KEY
    )
    first = await prompts.script("Good morning.", "en")
    kept = tmp_path / "new" / "prompts" / f"{first.name}.wav"
    written = kept.stat().st_mtime_ns
    assert await prompts.script("Good morning.", "en") == first
    assert kept.stat().st_mtime_ns == written
    assert kept.stat().st_mode & stat.S_IROTH  # Asterisk is another user
    assert (await prompts.script("Good evening.", "en")).name != first.name
    assert first.media[0] == f"sound:http://127.0.0.1:8000/prompts/{first.name}.wav"


async def test_a_text_that_failed_is_not_tried_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has answered meanwhile does not wait for what was tried before the call."""
    line = engine(tmp_path, f"echo x >> {tmp_path}/tries; exit 1")
    prompts = Prompts(
        tmp_path / "prompts", "http://127.0.0.1:8000", Speech({"*": line}, limit(20)), key=KEY
    )
    for _ in range(3):
        with pytest.raises(SpeechError, match="failed"):
            await prompts.script("Hello", "en")
    assert (tmp_path / "tries").read_text() == "x\n"
    monkeypatch.setattr("telealarm.survey.tts.prompts.AGAIN_SECONDS", 0.0)
    with pytest.raises(SpeechError, match="failed"):
        await prompts.script("Good morning", "en")
    engine(tmp_path, "flite -t Hello -o $2")
    assert (await prompts.script("Good morning", "en")).seconds > 0.3


async def test_whoever_is_on_the_line_waits_for_a_text_only_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = limit(0.2)
    monkeypatch.setattr("telealarm.survey.tts.prompts.SOON_SECONDS", moment)
    line = engine(tmp_path, f"sleep {5 * moment}; flite -t Hello -o $2")
    prompts = Prompts(
        tmp_path / "prompts", "http://127.0.0.1:8000", Speech({"*": line}, limit(20)), key=KEY
    )
    with pytest.raises(SpeechError, match="not rendered within"):
        await soon(prompts.script("Hello", "en"))
    # It is rendered all the same, once, and there for the next.
    assert (await prompts.script("Hello", "en")).seconds > 0.3
    assert (await soon(prompts.script("Hello", "en"))).seconds > 0.3


async def test_our_own_texts_are_said_in_english_while_their_engine_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speech = Speech({"*": engine(tmp_path, "exit 1")}, limit(20))
    prompts = Prompts(tmp_path / "prompts", "http://127.0.0.1:8000", speech, key=KEY)
    languages = tmp_path / "languages"
    languages.mkdir()
    shutil.copy(Path(i18n.__file__).parent / "languages" / "en.yml", languages)
    (languages / "nl.yml").write_text("spoken: {prompts: {goodbye: Dank u wel.}}")
    monkeypatch.setattr(i18n, "LANGUAGES", load(languages))
    english = await prompts.system(GOODBYE, "en")
    assert await prompts.system(GOODBYE, "nl-BE") == english
    engine(tmp_path, "flite -t Bedankt -o $2")
    later = monotonic() + AGAIN_SECONDS
    monkeypatch.setattr("telealarm.survey.tts.prompts.monotonic", lambda: later)
    dutch = await prompts.system(GOODBYE, "nl-BE")
    assert dutch not in (english, await prompts.system(GOODBYE, "es"))


async def test_our_own_texts_need_no_engine(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path, "http://127.0.0.1:8000", Speech({}, 5), key=KEY)
    for language in ("en", "es", "en-GB", "tlh"):
        assert (await prompts.system(NO_SPEECH, language)).seconds > 1
    with pytest.raises(SpeechError, match=r"no speech engine serves 'en'"):
        await prompts.script("Hello", "en")


async def test_a_recording_is_played_from_where_it_was_uploaded_to(tmp_path: Path) -> None:
    prompts = Prompts(tmp_path, "http://127.0.0.1:8000", Speech({}, 5), key=KEY)
    sound = Sound.of(audio.for_telephone(tone(2.0)), KEY)
    with pytest.raises(SpeechError, match=r"is missing; upload it again"):
        await prompts.recording(sound)
    AudioFolder(tmp_path).keep(sound)
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
    prompts = Prompts(in_the_way, "http://127.0.0.1:8000", Speech(ENGINES, limit(20)), key=KEY)
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
