"""What a manager has uploaded is heard by the callee, instead of speech."""

from datetime import timedelta
from itertools import pairwise

import aiohttp

from tests.acceptance.conftest import LOGIN, Plug, Practice
from tests.integration.api_client import tone
from tests.lab.behaviours import answers_and_presses, by_hand
from tests.lab.keys import KEY_SECONDS
from tests.lab.recorder import RATE, Recorder
from tests.lab.rest import JSON
from tests.lab.speed import account, limit

LOW, HIGH = 500, 1250


def cycles(recorder: Recorder, pitch: int) -> float:
    """How many seconds of what was heard are a tone of this pitch, by its zero crossings."""
    samples, found = recorder.samples(), 0.0
    step = RATE // 10
    for start in range(0, len(samples) - step, step):
        part = samples[start : start + step]
        loud = sum(map(abs, part)) / step > 1000
        crossings = sum(a < 0 <= b for a, b in pairwise(part))
        if loud and abs(crossings - pitch / 10) <= 2:
            found += 0.1
    return found


async def uploaded(practice: Practice, seconds: float, pitch: int) -> JSON:
    form = aiohttp.FormData({"name": f"{pitch} Hz"})
    form.add_field("audio_file", tone(seconds, pitch=pitch), filename="tone.wav")
    headers = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
    url = f"{practice.serve.url}/rest-api/audio-files/"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(url, data=form) as reply,
    ):
        assert reply.status == 201, await reply.text()
        made: JSON = await reply.json()
        return made


async def test_a_recording_and_its_words_for_a_wrong_key_are_heard(
    practice: Practice, plug: Plug
) -> None:
    greeting = await uploaded(practice, 3.0, LOW)
    wrong = await uploaded(practice, 1.5, HIGH)
    rest = practice.clinic.rest
    survey = await rest.post("survey-template/", {"name": "recorded"})
    section = {
        "survey": survey["url"],
        "type": 3,
        "rating_laps": 3,
        "timeout": 5,
        "audiofile": greeting["url"],
        "invalid_audiofile": wrong["url"],
    }
    await rest.post("section-template/", section)
    sealed = await rest.post(f"{survey['url']}seal/", {})
    phone = await plug("961", by_hand())
    appointment = await practice.clinic.appointment("961", survey=sealed["url"])
    await phone.until("answered")
    for key, heard in (("9", 2.95), ("1", 2.95 + 1.45)):
        await phone.has_heard(heard)
        await phone.press(key)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    assert 2.4 < cycles(phone.heard, LOW) < 3.5
    assert 1.0 < cycles(phone.heard, HIGH) < 1.9
    assert (await rest.refused("DELETE", greeting["url"], {}, 409))["detail"]


async def test_a_key_cuts_the_prompt_at_once(practice: Practice, plug: Plug) -> None:
    """By the wire: from the release of the key, which is what Asterisk tells of, to silence."""
    without_pauses = await uploaded(practice, 10.0, LOW)
    rest = practice.clinic.rest
    survey = await rest.post("survey-template/", {"name": "cut"})
    section = {
        "survey": survey["url"],
        "type": 4,
        "number_digits": 4,
        "max_number": 9999,
        "timeout": 5,
        "audiofile": without_pauses["url"],
    }
    await rest.post("section-template/", section)
    sealed = await rest.post(f"{survey['url']}seal/", {})
    # After the first digit nothing is said until the number is complete.
    phone = await plug("962", answers_and_presses("12", first_key=2.0, between=1.5))
    await practice.clinic.appointment("962", survey=sealed["url"])
    await phone.until("key 2", 30)
    (pressed,) = [entry.at for entry in await phone.log() if entry.what == "key 1"]
    first, last = phone.heard.first_loud_at(), phone.heard.last_loud_at()
    assert first is not None and last is not None and first < pressed < last
    assert last - pressed < timedelta(seconds=KEY_SECONDS + limit(0.15)), account()
