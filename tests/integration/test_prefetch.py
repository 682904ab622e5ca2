"""What will be said is rendered before it is due."""

from datetime import timedelta
from pathlib import Path

from telealarm.asterisk.ari import Client
from telealarm.clock import utcnow
from telealarm.store.engine.database import Database
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.survey.channel_io import Files
from telealarm.survey.prefetch import PromptPrefetch
from telealarm.survey.section_context import SessionServices
from telealarm.survey.session import SurveyRunner
from telealarm.survey.tts.prompts import Prompts
from telealarm.survey.tts.speech import Speech
from tests.integration.stages import Stages
from tests.lab.key import KEY


async def test_the_prompts_of_the_next_minute_are_there_before_their_calls(
    db: Database, tmp_path: Path
) -> None:
    stages = await Stages.build(db)
    spoken: list[str] = []

    class Spoken(Speech):
        async def render(self, text: str, language: str) -> bytes:
            spoken.append(text)
            sounds = Path(__file__).parents[2] / "sounds"
            return (sounds / "en" / "goodbye.wav").read_bytes()

    speech = Spoken({"*": "none {text_file} {wav}"}, 5.0)
    survey = SurveyRunner(
        SessionServices(
            db,
            Client(url="http://127.0.0.1:1", user="nobody", password="", app="none"),
            Prompts(tmp_path / "prompts", "http://127.0.0.1:1", speech, key=KEY),
            VoiceMessages(tmp_path / "recordings"),
            files=Files(first=False),
        )
    )
    ahead = PromptPrefetch(db, survey)
    await stages.write(lambda: type(stages.section).update(script="Hello {doc_name}.").execute())
    now = utcnow()
    await stages.alarm("100", start=now + timedelta(seconds=30), data={"doc_name": "Soon"})
    await stages.alarm("200", start=now + timedelta(minutes=5), data={"doc_name": "Later"})
    await ahead.step()
    assert spoken == ["Hello Soon."]
    await ahead.step()
    assert spoken == ["Hello Soon."]
