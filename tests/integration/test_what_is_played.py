"""What an answered callee is played where there is little or nothing to play, by what is asked of
Asterisk (a double: no telephone is needed for it).
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from telealarm.asterisk.ari import Client
from telealarm.models import (
    AudioFile,
    CalendarSetting,
    Section,
    Timeline,
    User,
    Webhook,
    WebhookDelivery,
)
from telealarm.sections.base import SectionType
from telealarm.sections.play_message import PlayMessage
from telealarm.sections.rating import Rating
from telealarm.sections.record_message import RecordMessage
from telealarm.sections.record_message import TimelineWord as TimelineOfMessages
from telealarm.store.dialing import call_progress
from telealarm.store.engine.database import Database
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.survey.channel_io import Files
from telealarm.survey.commands import RECORDING_FULL
from telealarm.survey.machine import GOODBYE, NO_ANSWER
from telealarm.survey.section_context import SessionServices
from telealarm.survey.session import WAIT_SECONDS, SurveyRunner
from telealarm.survey.tts.prompts import NO_SPEECH, Prompts
from telealarm.survey.tts.speech import Speech
from telealarm.words import AmdStatus, Change, TimelineWord
from tests.integration.stages import Stages
from tests.lab.ari_double import PASSWORD, USER, AriDouble
from tests.lab.key import KEY
from tests.lab.speed import limit
from tests.lab.waiting import until

HANGS = "tail -f {text_file} {wav}"
SPEAKS = "flite -voice slt -f {text_file} -o {wav}"


class Asterisk:
    """A call that is answered, on a double of Asterisk that plays all it is asked to."""

    def __init__(self, double: AriDouble, stages: Stages, folder: Path) -> None:
        self.stages = stages
        self._double = double
        self._folder = folder

    async def plays(
        self, engine: str, *, wait_seconds: float = WAIT_SECONDS, **setting: Any
    ) -> list[str]:
        """What is played to whoever answers, by name where it is ours, else `words`.

        With columns of the calendar `setting` an answering machine has answered.
        """
        client = Client(url=self._double.url, user=USER, password=PASSWORD, app="lab")
        prompts = Prompts(
            self._folder, "http://127.0.0.1:1", Speech({"*": engine}, limit(0.5)), key=KEY
        )
        voice_messages = VoiceMessages(self._folder / "recordings")
        means = SessionServices(
            self.stages.db, client, prompts, voice_messages, files=Files(first=False)
        )
        survey = SurveyRunner(means, wait_seconds=wait_seconds)
        await self.stages.write(CalendarSetting.update(setting or {"voicemail": False}).execute)
        await self.stages.alarm(data={"first": "Ann"})
        (call,) = await self.stages.claim()
        await survey.prepare(call)
        assert await self.stages.place(call)
        self._double.channels[call.channel_id] = {"id": call.channel_id, "state": "Up"}
        running = asyncio.create_task(client.run())
        try:
            await until(lambda: client.connected, 30, "connected")
            channel = client.open(call.channel_id)
            if setting:
                await self.stages.db.write(call_progress.detected, call, AmdStatus.MACHINE, "")
            session = asyncio.create_task(survey.converse(call, channel))
            await self._to_its_end(session)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        names = {
            (await prompts.system(name, "en")).name: name
            for name in (NO_SPEECH, NO_ANSWER, GOODBYE, RECORDING_FULL)
        }
        asked = [ask for ask in self._double.requests if "/play/" in ask.path]
        files = [Path(ask.body["media"][0]).stem for ask in asked]
        return [names.get(file, "words") for file in files]

    async def _to_its_end(self, session: asyncio.Task[None]) -> None:
        ended = 0
        while not session.done():
            asked = [ask for ask in self._double.requests if "/play/" in ask.path]
            for ask in asked[ended:]:
                _, channel, _, playback = ask.path.rsplit("/", 3)
                target = f"channel:{channel}"
                sound = {"id": playback, "state": "done", "target_uri": target}
                await self._double.send("lab", "PlaybackFinished", playback=sound)
            ended = len(asked)
            await asyncio.sleep(0.01)
        session.result()


@pytest_asyncio.fixture
async def asterisk(db: Database, tmp_path: Path) -> AsyncIterator[Asterisk]:
    stages = await Stages.build(db)
    async with AriDouble() as double:
        yield Asterisk(double, stages, tmp_path / "prompts")


async def sections(stages: Stages, *made: tuple[type[SectionType], str]) -> None:
    """The survey has these sections, which wait for keys a second."""

    def write() -> None:
        Section.delete().execute()
        for order, (kind, script) in enumerate(made, 1):
            columns = {"type": kind.number, "script": script, "timeout": 1}
            settings = {"rating_laps": 3}
            Section.create(survey=stages.survey, order=order, settings=settings, **columns)

    await stages.write(write)


@pytest.mark.parametrize(
    ("engine", "script", "played"),
    [
        (SPEAKS, "Hello {first}.", ["words", NO_ANSWER]),
        # Nobody waits in silence for a key, whyever there are no words.
        (SPEAKS, "{missing}.", [NO_SPEECH, NO_ANSWER]),
        (SPEAKS, "<<\u202e>> {missing}", [NO_SPEECH, NO_ANSWER]),
        (SPEAKS, "Привет", [NO_SPEECH, NO_ANSWER]),
        (HANGS, "Hello {first}.", [NO_SPEECH, NO_ANSWER]),
        ("false {wav}", "Hello {first}.", [NO_SPEECH, NO_ANSWER]),
        # A survey may mean to say nothing here: what it asks was said before.
        (SPEAKS, "", [NO_ANSWER]),
    ],
)
async def test_a_question_without_words(
    asterisk: Asterisk, engine: str, script: str, played: list[str]
) -> None:
    await sections(asterisk.stages, (Rating, script))
    assert await asterisk.plays(engine) == played


async def test_a_sentence_whose_value_is_missing_is_left_out(asterisk: Asterisk) -> None:
    play = PlayMessage
    await sections(asterisk.stages, (play, "{missing}."), (play, "Hello."))
    assert await asterisk.plays(SPEAKS) == ["words"]


@pytest.mark.parametrize(
    ("engine", "script", "played"),
    [
        (SPEAKS, "Hello {first}.", ["words"]),
        (HANGS, "Hello {first}.", [NO_SPEECH]),
        (SPEAKS, "{missing}.", ["words"]),
    ],
)
async def test_a_machine_is_left_what_can_be_said(
    asterisk: Asterisk, engine: str, script: str, played: list[str]
) -> None:
    await sections(asterisk.stages, (Rating, script))
    assert await asterisk.plays(engine, voicemail=True) == played


async def test_a_machine_is_left_the_words_where_the_recording_is_gone(asterisk: Asterisk) -> None:
    def write() -> int:
        owner = asterisk.stages.survey.owner_id
        row = AudioFile.create(owner=owner, name="gone", digest="0" * 64, seconds=2.0)
        made: int = row.id
        return made

    recording = await asterisk.stages.write(write)
    await sections(asterisk.stages, (Rating, "Hello {first}."))
    assert await asterisk.plays(SPEAKS, voicemail=True, voicemail_audiofile=recording) == ["words"]


async def test_a_call_that_waited_for_its_text_long_enough_has_a_stock_message(
    asterisk: Asterisk,
) -> None:
    await sections(asterisk.stages, (PlayMessage, "A text that takes too long."))
    assert await asterisk.plays(HANGS, wait_seconds=0.1) == [NO_SPEECH]
    query = Timeline.select().where(Timeline.what == TimelineWord.SPEECH_LATE)
    (late,) = await asterisk.stages.db.read(lambda: list(query))
    assert "not rendered within 0.1 s" in late.why
    assert late.request_id


async def test_a_full_store_ends_a_recording_with_a_sentence_and_is_told(
    asterisk: Asterisk,
) -> None:
    """The manager is told by a webhook, and by the timeline."""
    db = asterisk.stages.db
    await sections(asterisk.stages, (RecordMessage, ""))

    def fill() -> None:
        User.update(max_audio_megabytes=0).where(User.username == "manager").execute()
        owner = User.get(User.username == "manager")
        Webhook.create(owner=owner, target_url="https://example.com/hook", secret="x")

    await asterisk.stages.write(fill)
    assert await asterisk.plays(SPEAKS) == [RECORDING_FULL]

    def entries() -> list[Timeline]:
        return list(Timeline.select().where(Timeline.what == TimelineOfMessages.STORE_FULL))

    # The callee does not wait until it is written.
    await until(lambda: db.read(entries), 30, "the timeline tells")
    (entry,) = await db.read(entries)
    assert entry.why == "max_audio_megabytes is 0, and 0.0 are used already"
    told = WebhookDelivery.select().where(WebhookDelivery.type == Change.STORE_FULL)
    assert await db.read(told.count) == 1
