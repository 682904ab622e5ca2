"""A new section type, with a field, is one new file, and nothing else."""

import json
from pathlib import Path

import pytest

from tests.integration.package_copy import copy_package, run_with_copy

LULLABY = '''
"""A lullaby is sung to the callee, who may fall asleep."""

from typing import Annotated

from pydantic import Field

from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import Lines, SectionType
from telealarm.sections.context import ActionResult, Outcome, SectionContext
from telealarm.words import Words


class TimelineWord(Words):
    SUNG = "lullaby_sung", "A lullaby was sung; how many verses."


class Response(Words):
    ASLEEP = "asleep", "No key came any more."
    AWAKE = "awake", "A key came."


class Lullaby(SectionType):
    number = 20
    word = "lullaby"
    flow = Flow.ACT
    timeline = TimelineWord
    responses = Response
    counts = frozenset({Response.ASLEEP})

    verses: Annotated[int, Field(ge=1, le=9)] = 2
    """How many verses are sung."""
    verse: Annotated[str | None, Field(max_length=200), Lines()] = None
    """What is sung, with placeholders."""

    def mistakes(self) -> list[str]:
        return [] if self.verse else ["verse is empty; write what is sung"]

    def scripts(self) -> list[str]:
        return [self.verse or ""]

    async def act(self, context: SectionContext) -> ActionResult:
        for _ in range(self.verses):
            await context.say(self.verse or "")
        key = await context.key(0.2)
        await context.answer(Response.ASLEEP if key is None else Response.AWAKE)
        await context.tell(TimelineWord.SUNG, f"{self.verses} verses")
        return ActionResult(Outcome.DONE)


SECTION = Lullaby
'''

ENGINE = """#!/bin/sh
cp "$(dirname "$0")/silence.wav" "$2"
"""

# With the copy of the package that has the file: its sections by the API, sealed, and on a call.
STORY = """
import asyncio, json, sys
from datetime import timedelta
from pathlib import Path
import aiohttp
from aiohttp.test_utils import TestServer
import telealarm
from telealarm.api.app import make_app
from telealarm.api.public.probes import Health
from telealarm.asterisk.ari import Client
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.models import SurveyResult, User
from telealarm.outcome.settler import Settler
from telealarm.planning.planner import Planner
from telealarm.store.access import passwords
from telealarm.store.dialing import call_progress, calls, workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.open import open_database
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.survey.channel_io import Files
from telealarm.survey.section_context import SessionServices
from telealarm.survey.session import SurveyRunner
from telealarm.survey.tts.prompts import Prompts
from telealarm.survey.tts.speech import Speech
from telealarm.words import Disposition
from tests.integration.api_client import PASSWORD, Api, clinic, id_of, tone
from tests.lab.key import KEY
from tests.lab import ari_double
from tests.lab.waiting import until


async def sealed(api, told):
    template = (await api.made("survey-template/", {"name": "night"}))["url"]
    new = {"survey": template, "type": "lullaby"}
    told["refused"] = (await api.post("section-template/", {**new, "verses": 10})).body
    section = await api.made("section-template/", {**new, "script": "Sleep, {first}."})
    told["made"] = {name: section[name] for name in ("type", "verses", "verse", "rating_laps")}
    # A field of another type is kept as well, as each field is.
    ask = {"type": 3, "script": "Asleep?", "rating_laps": 1, "verses": 3}
    other = await api.made("section-template/", {"survey": template, **ask})
    told["other"] = other["verses"]
    told["unsealed"] = list((await api.post(template + "seal/")).body.values())
    await api.patch(section["url"], {"verse": "La la, {first}."})
    branching = {"section": section["url"], "keys": "0", "goto": other["url"]}
    await api.made("branching-template/", branching)
    survey = await api.made(template + "seal/")
    told["sealed"] = [(one["type"], one["verses"]) for one in survey["sections"]]
    return survey["url"]


async def played(double, session):
    finished = 0
    while not session.done():
        asked = [ask for ask in double.requests if "/play/" in ask.path]
        for ask in asked[finished:]:
            _, channel, _, playback = ask.path.rsplit("/", 3)
            sound = {"id": playback, "state": "done", "target_uri": f"channel:{channel}"}
            await double.send("lab", "PlaybackFinished", playback=sound)
        finished = len(asked)
        await asyncio.sleep(0.01)
    session.result()
    return [Path(ask.body["media"][0]).stem for ask in asked]


async def called(db, folder, told):
    holder = await db.write(workers.enter, "w", utcnow(), timedelta(seconds=60))
    await Planner(db).step()
    (call,) = (await db.write(Admission(holder).claim, utcnow(), 50)).calls
    speech = Speech({"*": f"{folder}/engine {{text_file}} {{wav}}"}, 30)
    prompts = Prompts(folder / "prompts", "http://127.0.0.1:1", speech, key=KEY)
    async with ari_double.AriDouble() as double:
        client = Client(
            url=double.url, user=ari_double.USER, password=ari_double.PASSWORD, app="lab"
        )
        services = SessionServices(
            db, client, prompts, VoiceMessages(folder / "recordings"), files=Files(first=False)
        )
        survey = SurveyRunner(services)
        await survey.prepare(call)
        rendered = len(list((folder / "prompts").glob("*.wav")))
        assert await db.write(calls.start, call, utcnow())
        double.channels[call.channel_id] = {"id": call.channel_id, "state": "Up"}
        running = asyncio.create_task(client.run())
        try:
            await until(lambda: client.connected, 30, "connected")
            channel = client.open(call.channel_id)
            session = asyncio.create_task(survey.converse(call, channel))
            names = await played(double, session)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    texts = ("Sleep, Ann.", "La la, Ann.", "Asleep?")
    known = {(await prompts.script(text, "en")).name: text for text in texts}
    told["said"] = [known[name] for name in names if name in known]
    told["rendered before"] = rendered == len(list((folder / "prompts").glob("*.wav")))
    results = lambda: [row.response for row in SurveyResult.select()]
    told["results"] = await db.read(results)
    # Its answer counts as a key does: an alarm that requires one is a success.
    ended = {"disposition": Disposition.ANSWER, "cause": 16, "why": "", "billed_seconds": 1}
    await db.write(call_progress.answered, call, utcnow())
    await db.write(call_progress.end, call, call_progress.End(at=utcnow(), finished=True, **ended))
    await Settler(db).step()


async def main(folder):
    config = Config(database=f"sqlite:///{folder}/t.db", base=folder)
    db = open_database(config)
    db.start()
    password_hash = passwords.hashed(PASSWORD)
    def people():
        User.create(username="root", password_hash=password_hash, is_superuser=True)
        User.create(username="manager", password_hash=password_hash)
    await db.write(people)
    async def readiness():
        return Health({}, {})
    (folder / "silence.wav").write_bytes(tone(0.2))
    app = make_app(db, config, readiness=readiness, prompts=folder)
    told = {"package": telealarm.__file__}
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        api = Api(session, server, db)
        document = (await api.get("openapi.json", user=None)).body
        replies = document["components"]["schemas"]["SectionTemplate"]["properties"]
        told["documented"] = replies["verses"]
        book = await clinic(api)
        survey = await sealed(api, told)
        event = {"title": "Night", "calendar": book.calendar, "data": {"first": "Ann"}}
        event = (await api.made("event/", event))["url"]
        await api.patch(
            f"calendar-user-profile/{id_of(book.user)}/", {"calendar_setting": book.setting}
        )
        body = {"event": event, "alarm_phonenumber": "600100", "survey": survey}
        body["require_result"] = True
        alarm = (await api.made("alarm/", body))["url"]
        await called(db, folder, told)
        told["status"] = (await api.get(alarm)).body["status"]
        lines = (await api.get(alarm + "timeline/")).body["results"]
        told["timeline"] = [(line["what"], line["why"]) for line in lines if "lull" in line["what"]]
    await db.close()
    print(json.dumps(told))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.long
def test_a_new_section_type_is_one_new_file(tmp_path: Path) -> None:
    copy = copy_package(tmp_path)
    (copy / "sections" / "lullaby.py").write_text(LULLABY)
    engine = tmp_path / "engine"
    engine.write_text(ENGINE)
    engine.chmod(0o755)
    told = json.loads(run_with_copy(tmp_path, "-c", STORY, str(tmp_path)))
    assert told.pop("package").startswith(str(copy))
    assert told == {
        "documented": {
            "type": "integer",
            "minimum": 1,
            "maximum": 9,
            "description": "How many verses are sung.",
        },
        "refused": {"verses": ["must lie between 1 and 9"]},
        "made": {"type": 20, "verses": 2, "verse": None, "rating_laps": 9},
        "other": 3,
        "unsealed": [["verse is empty; write what is sung"]],
        "sealed": [[20, 2], [3, 3]],
        # Its script, then what its action says, then the section that its branching 0 leads to.
        "said": ["Sleep, Ann.", "La la, Ann.", "La la, Ann.", "Asleep?"],
        "rendered before": True,
        "results": ["asleep"],
        "status": 5,
        "timeline": [["lullaby_sung", "2 verses"]],
    }
