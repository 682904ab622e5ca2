"""A new language is one new file, and the sounds that are made of it."""

import json
import shutil
import wave
from pathlib import Path

import pytest

from tests.integration.package_copy import copy_package, run_with_copy

REPOSITORY = Path(__file__).parents[2]
DUTCH = """
clock: hours
spoken:
  prompts:
    goodbye: Dank u wel. Tot ziens.
  wake_up:
    daily: Elke dag een wekoproep om {time}.
  read_back:
    rating_1: U heeft bevestigd.
  failure:
    other: "{alarm_phonenumber} was niet bereikbaar: {title}."
written:
  message:
    sms: "{title}: {start_date} om {start_time}"
  reply:
    confirmed: "Bedankt. Bevestigd: {title}, {start_date} om {start_time}."
  mail:
    unsubscribe: Geen berichten meer
  failure:
    call_missed: "{alarm_phonenumber} is niet op tijd gebeld: {title}"
  page:
    stop_asked: Geen berichten meer aan {recipient}?
    cancel_button: De afspraak afzeggen
words:
  confirm: [graag]
  stop: [afmelden]
"""

# With the copy of the package that has the file: what the callee, the one who is told of a failure
# and whoever follows a link get.
STORY = """
import asyncio, json, sys
from datetime import timedelta
from pathlib import Path
import aiohttp
from aiohttp.test_utils import TestServer
import telealarm
from telealarm.api.app import make_app
from telealarm.api.public.probes import Health
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.store.dialing.admission import Admission
from telealarm.models import Alarm, Message, Section, SmsGateway, User
from telealarm.planning.planner import Planner
from telealarm.rules import replies as rules_replies
from telealarm.words import MessageStatus
from telealarm.store.messaging import replies as messaging_replies
from telealarm.store.access import passwords
from telealarm.store.dialing import workers
from telealarm.store.messages.compose import Composer
from telealarm.store.open import open_database
from telealarm.survey.tts.prompts import Prompts
from telealarm.survey.tts.speech import Speech
from tests.lab.key import KEY
from tests.integration.api_client import PASSWORD, Api, clinic, gateways, id_of

async def main(folder):
    told = {"package": telealarm.__file__}
    prompts = Prompts(folder / "prompts", "http://127.0.0.1:8000", Speech({}, 5), key=KEY)
    told["sounds"] = [(await prompts.system(name, "nl-BE")).name for name in ("goodbye", "apology")]
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
    app = make_app(db, config, readiness=readiness, prompts=folder)
    composer = Composer(config)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        api = Api(session, server, db)
        _, gateway = await gateways(api)
        book = await clinic(api)
        await api.patch(book.setting, {"sms_gateway": gateway, "failure_phonenumber": "609"})
        await api.patch(
            f"calendar-user-profile/{id_of(book.user)}/", {"calendar_setting": book.setting}
        )
        body = {"title": "Controle", "calendar": book.calendar}
        times = {"start": "2030-06-05T19:00", "end": "2030-06-05T20:00"}
        event = await api.made("event/", {"title": "Controle", "calendar": book.calendar} | times)
        own = {"event": event["url"], "language": "nl-NL", "alarm_phonenumber": "600100"}
        # Seconds count: half of them would be due a moment later.
        own["date_start_notice"] = utcnow().replace(microsecond=0).isoformat()
        asked = await api.made("alarm/", own | {"method": 2})
        # Too late for this one by the time it is looked at.
        failure = {"phonenumber_sms_failure": "600999", "max_lateness": 60}
        await api.made("alarm/", own | failure)
        holder = await db.write(workers.enter, "w", utcnow(), timedelta(seconds=60))
        await Planner(db).step()
        admission = Admission(holder)
        await db.write(admission.claim, utcnow() + timedelta(minutes=10), 50)
        rows = (await api.get("message/?ordering=id")).body["results"]
        told["messages"] = {row["recipient"]: row["text"] for row in rows}
        told["desk"] = await db.read(
            lambda: [[row.survey.tts_language, row.script] for row in Section.select()]
        )
        def links():
            alarm = Alarm.get_by_id(id_of(asked["url"]))
            values = composer.values(alarm, utcnow())
            links = [values[f"{kind}_url"] for kind in ("cancel", "unsubscribe")]
            return [link.removeprefix(config.public_url) for link in links]
        pages = [(await api.get(url, user=None)).text for url in await db.read(links)]
        told["pages"] = [
            words in page
            for page, words in zip(pages, ("De afspraak afzeggen", "Geen berichten meer aan"))
        ] + ['<html lang="nl">' in page for page in pages]
        def reply():
            Message.update(status=MessageStatus.SENT).where(Message.recipient == "600100").execute()
            gateway = SmsGateway.get()
            return messaging_replies.reply(gateway, "1", "600100", "Graag!", composer, utcnow())
        told["reply"] = await db.write(reply)
        rows = (await api.get("message/?ordering=-id")).body["results"]
        told["answer"] = rows[0]["text"]
    told["words"] = [rules_replies.meaning("afmelden", language) for language in ("nl", None)]
    await db.close()
    print(json.dumps(told))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.long
def test_a_new_language_is_one_new_file(tmp_path: Path) -> None:
    copy = copy_package(tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "sounds", copy / "sounds", ignore=ignored)
    (copy / "i18n" / "languages" / "nl.yml").write_text(DUTCH, encoding="utf-8")
    assert run_with_copy(tmp_path, str(copy / "sounds" / "make.py"), "nl").startswith(
        "nl/goodbye: "
    )
    spoken = sorted(path.name for path in (copy / "sounds" / "nl").iterdir())
    assert spoken == ["goodbye.wav", "goodbye.wav16"]
    told = json.loads(run_with_copy(tmp_path, "-c", STORY, str(tmp_path)))
    assert told.pop("package").startswith(str(copy))
    # Its own sound, and what it has none of in English.
    for name, file in zip(told.pop("sounds"), ("nl/goodbye.wav", "en/apology.wav"), strict=True):
        with wave.open(str(tmp_path / "prompts" / f"{name}.wav")) as kept:
            frames = kept.readframes(kept.getnframes())
        with wave.open(str(copy / "sounds" / file)) as shipped:
            assert shipped.readframes(shipped.getnframes()) == frames
    assert told == {
        "messages": {
            "600100": "Controle: woensdag 5 juni 2030 om 19 uur",
            "600999": "600100 is niet op tijd gebeld: Controle",
        },
        # The clinic's survey, and the call to the desk.
        "desk": [
            ["en", "Press 1 to confirm, 2 to cancel."],
            ["nl-NL", "{alarm_phonenumber} was niet bereikbaar: {title}."],
        ],
        "pages": [True, True, True, True],
        "reply": "taken",
        "answer": "Bedankt. Bevestigd: Controle, woensdag 5 juni 2030 om 19 uur.",
        "words": ["stop", "stop"],
    }
