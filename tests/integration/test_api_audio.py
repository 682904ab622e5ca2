"""Recordings: uploaded as wav, kept as Asterisk plays them, and named by sections and settings."""

import io
import struct
import wave
from pathlib import Path
from typing import Any

import pytest

from telealarm.rules import audio
from tests.integration.api_client import Api, clinic, id_of, tone
from tests.integration.test_api_surveys import draft


def kept(folder: Path) -> list[Path]:
    """The files in the folder of the recordings, without those of 16 kHz beside them."""
    files = sorted((folder / "prompts" / "audio").glob("*"))
    narrow = [file for file in files if file.suffix != ".wav16"]
    assert [file.stem for file in narrow if file.suffix == ".wav"] == [
        file.stem for file in files if file.suffix == ".wav16"
    ]
    return narrow


async def test_a_recording_is_uploaded_listed_played_and_deleted(api: Api, tmp_path: Path) -> None:
    reply = await api.upload("audio-files/", {"name": "Doctor", "audio_file": tone(1.5, 44100)})
    assert reply.status == 201, reply.text
    assert reply.headers["Location"] == reply.body["url"]
    assert set(reply.body) == {
        "url",
        "name",
        "audio_file",
        "seconds",
        "created_date",
        "updated_date",
    }
    assert (reply.body["name"], reply.body["seconds"]) == ("Doctor", pytest.approx(1.5, abs=0.01))
    (file,) = kept(tmp_path)
    with wave.open(str(file)) as heard:
        assert (heard.getnchannels(), heard.getsampwidth(), heard.getframerate()) == (1, 2, 8000)
    assert (await api.get("audio-files/?name=Doctor")).body["results"] == [reply.body]
    assert (await api.get(reply.body["url"])).body == reply.body
    download = await api.send("HEAD", reply.body["audio_file"])
    assert (download.status, download.headers["Content-Type"]) == (200, "audio/x-wav")
    assert int(download.headers["Content-Length"]) == file.stat().st_size
    assert (await api.get(reply.body["audio_file"], user="other")).status == 404
    assert (await api.get(reply.body["audio_file"], user=None)).status == 401
    # Asterisk has no login; it knows the digest.
    assert (await api.send("HEAD", f"/prompts/{file.name}", user=None)).status == 200
    wide = await api.send("HEAD", f"/prompts/{file.name}16", user=None)
    assert (wide.status, wide.headers["Content-Type"]) == (200, "application/octet-stream")
    assert (await api.delete(reply.body["url"])).status == 204
    assert kept(tmp_path) == []
    assert (await api.send("HEAD", f"/prompts/{file.name}", user=None)).status == 404


async def test_the_same_sound_is_kept_once_and_until_its_last_row(api: Api, tmp_path: Path) -> None:
    mine = await api.recorded("mine")
    theirs = await api.recorded("theirs", user="other")
    assert len(kept(tmp_path)) == 1
    assert (await api.delete(mine["url"])).status == 204
    assert (await api.send("HEAD", theirs["audio_file"], user="other")).status == 200
    assert (await api.delete(theirs["url"], user="other")).status == 204
    assert kept(tmp_path) == []


def wav(channels: int, width: int, rate: int, frames: bytes, tag: int = 1) -> bytes:
    """A wav file with a header of any kind."""
    kind = struct.pack("<HHIIHH", tag, channels, rate, rate * channels * width, 0, width * 8)
    chunks = b"fmt " + struct.pack("<I", 16) + kind + b"data" + struct.pack("<I", len(frames))
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + len(frames)) + b"WAVE" + chunks + frames


JUNK: list[tuple[bytes, str]] = [
    (b"", "not a PCM wav file"),
    (b"ID3\x03 an mp3", "not a PCM wav file"),
    (tone()[:30], "not a PCM wav file"),
    (wav(1, 2, 8000, b""), "it holds no sound"),
    (wav(3, 2, 8000, bytes(600)), "it has 3 channels"),
    (wav(0, 2, 8000, bytes(600)), "not a PCM wav file"),
    (wav(1, 2, 0, bytes(600)), "it has 0 samples a second"),
    (wav(1, 2, 2**30, bytes(600)), "it has 1073741824 samples a second"),
    (wav(1, 8, 8000, bytes(600)), "it has 64 bits a sample"),
    (wav(1, 1, 8000, bytes(600), tag=7), "not a PCM wav file"),
    (wav(1, 1, 1000, bytes(600_001)), "it plays longer than 600 seconds"),
]


@pytest.mark.parametrize(("sent", "said"), JUNK)
def test_what_cannot_be_played_is_refused(sent: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        audio.for_telephone(sent, 600)


def test_no_cut_or_altered_wav_does_more_harm_than_a_refusal() -> None:
    whole = tone(0.01)
    for place in range(48):
        for sent in (whole[:place], whole[:place] + b"\xff" + whole[place + 1 :]):
            try:
                assert audio.seconds(audio.for_telephone(sent, 600)) > 0
            except ValueError as error:
                assert "wav" in str(error) or "it " in str(error)


async def test_all_that_is_wrong_with_an_upload_is_told(api: Api, tmp_path: Path) -> None:
    required = ["this field is required"]
    for fields, wrong in (
        ({}, {"name": required, "audio_file": required}),
        ({"name": "n"}, {"audio_file": required}),
        ({"audio_file": tone()}, {"name": required}),
        ({"audio_file": tone(), "name": " "}, {"name": ["must not be empty"]}),
        ({"audio_file": tone(), "name": "a\r\nb"}, {"name": ["must not hold control characters"]}),
        (
            {"audio_file": tone(), "name": "x" * 151},
            {"name": ["must have at most 150 characters"]},
        ),
    ):
        reply = await api.upload("audio-files/", fields)
        assert (reply.status, reply.body) == (400, wrong)
    reply = await api.upload("audio-files/", {"audio_file": b"no", "path": "/etc/passwd"})
    assert reply.status == 400
    assert set(reply.body) == {"name", "audio_file", "path"}
    assert "must be a wav file that can be played" in reply.body["audio_file"][0]
    assert kept(tmp_path) == []


async def test_only_a_form_is_taken(api: Api) -> None:
    made = await api.recorded()
    for method, path in (("POST", "audio-files/"), ("PATCH", made["url"]), ("PUT", made["url"])):
        reply = await api.send(method, path, {"name": "x"})
        assert reply.status == 415
        assert "send multipart/form-data" in reply.body["detail"]
    reply = await api.send("OPTIONS", "audio-files/")
    assert reply.body["parses"] == ["multipart/form-data"]


BROKEN: list[tuple[str, bytes]] = [
    ("multipart/form-data", b"--x--"),
    ("multipart/form-data; boundary=x", b""),
    ("multipart/form-data; boundary=x", b"no boundary here"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
    ("multipart/form-data; boundary=x", b"--x\r\nbroken header\r\n\r\nx\r\n--x--\r\n"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--\r\n',
    ),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nbreaks off',
    ),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n' * 2 + b"--x--\r\n",
    ),
    (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
    ),
]


@pytest.mark.parametrize(("kind", "body"), BROKEN)
async def test_a_broken_form_is_refused(api: Api, kind: str, body: bytes) -> None:
    reply = await api.post("audio-files/", raw=body, headers={"Content-Type": kind})
    assert reply.status == 400, reply.text
    assert reply.body


async def test_ten_mebibytes_are_the_most(api: Api) -> None:
    mib = 2**20
    reply = await api.upload(
        "audio-files/", {"name": "n", "audio_file": wav(1, 2, 16000, bytes(10 * mib - 44))}
    )
    assert reply.status == 201
    for size in (10 * mib + 1, 12 * mib):
        reply = await api.upload("audio-files/", {"name": "n", "audio_file": bytes(size)})
        assert (reply.status, reply.body) == (
            413,
            {"detail": "The file is too large; 10 MiB is the most."},
        )
    reply = await api.upload("audio-files/", {"name": "n" * 70_000, "audio_file": tone()})
    assert reply.status == 413


async def with_recording(api: Api) -> tuple[str, dict[str, Any]]:
    """A template whose only section has a recording and no script; its link, and the recording."""
    made = await api.recorded()
    survey, _ = await draft(
        api, {"type": 1, "audiofile": made["url"], "invalid_audiofile": id_of(made["url"])}
    )
    return survey, made


async def test_what_is_in_use_stays_and_can_be_renamed(api: Api, tmp_path: Path) -> None:
    survey, made = await with_recording(api)
    sealed = await api.made(survey + "seal/")
    assert sealed["sections"][0]["audiofile"] == made["url"]
    assert sealed["sections"][0]["invalid_audiofile"] == made["url"]
    another = await api.recorded("another")
    setting = (await clinic(api)).setting
    reply = await api.patch(setting, {"voicemail_audiofile": another["url"]})
    assert reply.body["voicemail_audiofile"] == another["url"]
    for link, user in ((made["url"], "section"), (another["url"], "calendar setting")):
        reply = await api.delete(link)
        assert reply.status == 409
        assert user in reply.body["detail"]
        reply = await api.upload(link, {"audio_file": tone(0.2)}, method="PATCH")
        assert reply.status == 409
        reply = await api.upload(link, {"name": "new"}, method="PATCH")
        assert (reply.status, reply.body["name"]) == (200, "new")
    await api.patch(setting, {"voicemail_audiofile": None})
    before = kept(tmp_path)
    reply = await api.upload(
        another["url"], {"name": "short", "audio_file": tone(0.2)}, method="PUT"
    )
    assert (reply.status, reply.body["seconds"]) == (200, pytest.approx(0.2, abs=0.01))
    assert set(before) < set(kept(tmp_path))
    assert (await api.delete(another["url"])).status == 204
    assert kept(tmp_path)[:1] == before[:1]


async def test_a_template_keeps_its_recording_too(api: Api) -> None:
    survey, made = await with_recording(api)
    reply = await api.delete(made["url"])
    assert reply.status == 409
    assert "section template" in reply.body["detail"]
    assert (await api.delete(survey)).status == 204
    assert (await api.delete(made["url"])).status == 204


async def test_a_file_in_the_way_is_no_500(api: Api, tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("a file")
    reply = await api.upload("audio-files/", {"name": "n", "audio_file": tone()})
    assert reply.status == 503
    assert (await api.get("audio-files/")).body["count"] == 0


def test_a_wav_of_24_bits_is_played() -> None:
    sent = io.BytesIO(wav(2, 3, 48000, bytes(48000 * 6))).getvalue()
    assert audio.seconds(audio.for_telephone(sent, 600)) == pytest.approx(1.0, abs=0.01)
