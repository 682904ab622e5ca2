"""A new kind of SMS gateways is one new file, and nothing else."""

import json
from pathlib import Path

import pytest

from tests.integration.package_copy import copy_package, run_with_copy

PIGEON = '''
"""A gateway with wings."""

from collections.abc import Mapping
from typing import Any

from telealarm.errors import TransportError
from telealarm.methods.sms.provider import OutgoingSms, SmsProvider, SmsTransports
from telealarm.methods.sms.provider import one_line, only
from telealarm.rules.delivery import Receipt


class PigeonProvider(SmsProvider):
    name = "pigeon"

    def check(self, settings: Mapping[str, Any]) -> None:
        only(settings, {"loft"}, "settings")
        one_line(settings.get("loft"), "loft")

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"loft": {"type": "string"}}, "title": "Pigeons"}

    async def send(
        self, sms: OutgoingSms, settings: Mapping[str, Any], means: SmsTransports
    ) -> Receipt:
        if sms.recipient == "600666":
            raise TransportError("a hawk was seen", permanent=True)
        with open(settings["loft"], "a") as loft:
            loft.write(f"{sms.recipient}: {sms.text}\\n")
        return Receipt("ring-7", "it flies")


PROVIDER = PigeonProvider()
'''

# With the copy of the package that has the file: its row by the API, and its messages.
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
from telealarm.messaging.transport import MessageTransport
from telealarm.messaging.dispatcher import MessageDispatcher
from telealarm.models import User
from telealarm.planning.planner import Planner
from telealarm.methods.context import Transports
from telealarm.store.access import passwords
from telealarm.store.dialing import workers
from telealarm.store.open import open_database
from tests.integration.api_client import PASSWORD, Api, clinic, id_of

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
    app = make_app(db, config, readiness=readiness, prompts=folder)
    told = {"package": telealarm.__file__}
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        api = Api(session, server, db)
        wrong = {"name": "p", "kind": "pigeon", "settings": {"wings": 2}}
        told["refused"] = (await api.post("sms-gateway/", wrong, user="root")).body
        right = {"name": "p", "kind": "pigeon", "settings": {"loft": f"{folder}/loft"}}
        gateway = await api.made("sms-gateway/", right, user="root")
        told["documented"] = "Pigeons" in (await api.get("openapi.json", user=None)).text
        book = await clinic(api)
        await api.patch(book.setting, {"sms_gateway": gateway["url"]})
        await api.patch(
            f"calendar-user-profile/{id_of(book.user)}/", {"calendar_setting": book.setting}
        )
        event = await api.made("event/", {"title": "Visit", "calendar": book.calendar})
        alarms = []
        for number in ("600100", "600666"):
            body = {"event": event["url"], "alarm_phonenumber": number, "method": 2}
            alarms.append((await api.made("alarm/", body))["url"])
        holder = await db.write(workers.enter, "w", utcnow(), timedelta(seconds=60))
        await Planner(db).step()
        await db.write(Admission(holder).claim, utcnow(), 50)
        transport = MessageTransport(Transports(session))
        sender = MessageDispatcher(db, holder, transport.send)
        await sender.step()
        await sender.settled()
        told["alarms"] = [(await api.get(url)).body["status"] for url in alarms]
        rows = (await api.get("message/?ordering=id")).body["results"]
        told["messages"] = [[row["status"], row["reference"], row["said"]] for row in rows]
    await db.close()
    print(json.dumps(told))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.long
def test_a_new_kind_is_one_new_file(tmp_path: Path) -> None:
    copy = copy_package(tmp_path)
    (copy / "methods/sms/providers" / "pigeon.py").write_text(PIGEON)
    told = json.loads(run_with_copy(tmp_path, "-c", STORY, str(tmp_path)))
    assert told.pop("package").startswith(str(copy))
    assert told == {
        "refused": {"settings": ["settings: wings is unknown; it may hold loft"]},
        "documented": True,
        "alarms": [5, 3],
        "messages": [["sent", "ring-7", "it flies"], ["failed", "", "a hawk was seen"]],
    }
    assert (tmp_path / "loft").read_text().startswith("600100: Visit")
