"""A new alarm method is one new file, and nothing else."""

import json
from pathlib import Path

import pytest

import telealarm
from tests.integration.package_copy import copy_package, run_with_copy

PACKAGE = Path(telealarm.__file__).parent

PUSH = '''
"""Alarms as push messages: a POST for each, to the address in PUSH_URL."""

import os
from typing import ClassVar

import aiohttp

from telealarm.errors import Invalid, TransportError
from telealarm.methods.base import Address, MessageMethod
from telealarm.methods.context import (
    ComposedMessage, MessageContext, Obstacle, OutgoingMessage, Transports
)
from telealarm.rules import placeholders
from telealarm.rules.delivery import Receipt
from telealarm.words import MessageStatus, Words


class Reason(Words):
    """`status_reason` of attempts by push message."""

    NO_PUSH = "no_push", "PUSH_URL is not set."


class TimelineWord(Words):
    """`what` of the rows of an alarm's timeline about its push messages."""

    SENT = "push_sent", "The message was taken."
    FAILED = "push_failed", "The message was not taken."
    UNKNOWN = "push_unknown", "Nobody can tell whether the message was taken."


class PushMethod(MessageMethod):
    """The recipient gets a push message."""

    number = 4
    name = "push"
    title = "push message"
    address = Address.MAIL
    at_once = 10
    timeline: ClassVar = {status: TimelineWord[status.name] for status in (
        MessageStatus.SENT, MessageStatus.FAILED, MessageStatus.UNKNOWN
    )}

    def obstacle(self, gateway, config):
        if "PUSH_URL" not in os.environ:
            return Obstacle(Reason.NO_PUSH, "PUSH_URL is not set")

    def compose(self, context: MessageContext) -> ComposedMessage:
        if not context.recipient.endswith("@example.com"):
            raise Invalid({"alarm_email": ["a push message needs an account at example.com"]})
        text = "{title}: {start_time}, {confirm_url}"
        return ComposedMessage(placeholders.fill(text, context.values), subject="Reminder")

    async def send(self, message: OutgoingMessage, transports: Transports) -> Receipt:
        body = {
            "id": message.id, "account": message.recipient,
            "title": message.body.subject, "text": message.body.text,
        }
        try:
            async with transports.http.post(os.environ["PUSH_URL"], json=body) as reply:
                said = await reply.text()
        except aiohttp.ClientError as error:
            raise TransportError("broken off", unknown=True) from error
        if reply.status != 200:
            raise TransportError(said, permanent=reply.status == 410)
        return Receipt("p-1", said)


METHOD = PushMethod()
'''

# With the copy of the package that has the file: its alarms by the API, and its messages.
STORY = """
import asyncio, json, os, sys
from datetime import timedelta
from pathlib import Path
import time_machine
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
import telealarm
from telealarm.api.app import make_app
from telealarm.api.public.probes import Health
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.messaging.dispatcher import MessageDispatcher
from telealarm.messaging.transport import MessageTransport, http_session
from telealarm.methods.context import Transports
from telealarm.models import User
from telealarm.planning.planner import Planner
from telealarm.store.access import passwords
from telealarm.store.dialing import workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.open import open_database
from tests.integration.api_client import PASSWORD, Api, clinic, id_of

told = {"package": telealarm.__file__}
received = []

async def push(request):
    body = await request.json()
    received.append(body)
    tries = [one["account"] for one in received].count(body["account"])
    if body["account"] == "gone@example.com":
        return web.Response(status=410, text="no such account")
    if body["account"] == "busy@example.com" and tries == 1:
        return web.Response(status=503, text="later")
    if body["account"] == "cut@example.com" and tries == 1:
        request.transport.abort()
    return web.Response(text="pushed")

async def readiness():
    return Health({}, {})

async def main(folder):
    config = Config(database=f"sqlite:///{folder}/t.db", base=folder)
    db = open_database(config)
    db.start()
    password_hash = passwords.hashed(PASSWORD)
    def people():
        User.create(username="root", password_hash=password_hash, is_superuser=True)
        User.create(username="manager", password_hash=password_hash)
    await db.write(people)
    app = make_app(db, config, readiness=readiness, prompts=folder)
    phones = web.Application()
    phones.router.add_post("/push", push)
    async with TestServer(app) as server, TestServer(phones) as there, ClientSession() as session:
        api = Api(session, server, db)
        await tell(api, db, config, str(there.make_url("/push")))
    await db.close()
    print(json.dumps(told))

async def tell(api, db, config, push_url):
    document = (await api.get("openapi.json", user=None)).body
    told["offered"] = [
        json.dumps(document).count(f'"{word}"') > 0 for word in ("push", "pigeon post")
    ]
    book = await clinic(api)
    profile = f"calendar-user-profile/{id_of(book.user)}/"
    rights = (await api.patch(profile, {"calendar_setting": book.setting})).body["permissions"]
    told["rights"] = rights["methods"]
    sms = {"name": "for bad news", "settings": {"url": "http://127.0.0.1:9/"}}
    gateway = await api.made("sms-gateway/", sms, user="root")
    await api.patch(book.setting, {"sms_gateway": gateway["url"]})
    soon = (await api.made("event/", {"title": "Visit", "calendar": book.calendar}))["url"]

    def body(account, **fields):
        return {"event": soon, "alarm_email": account, "method": "push", **fields}

    told["no_address"] = (await api.post("alarm/", {"event": soon, "method": 4})).body
    unknown = body("a@example.com", method=9, alarm_phonenumber="600100")
    told["unknown"] = (await api.post("alarm/", unknown)).body
    await api.patch(profile, {"permissions": {"methods": [1, 2, 3]}})
    told["no_right"] = (await api.post("alarm/", body("a@example.com"))).body
    await api.patch(profile, {"permissions": {"methods": [4]}})
    told["only_push"] = (
        await api.post("alarm/", {"event": soon, "alarm_phonenumber": "600100"})
    ).body

    alarms = {}
    for name in ("ann", "gone", "busy", "cut", "stop"):
        fields = body(f"{name}@example.com", maxretry=1, retry_delay=60)
        if name == "gone":
            fields["phonenumber_sms_failure"] = "600999"
        alarms[name] = (await api.made("alarm/", fields))["url"]
    alarms["else"] = (await api.made("alarm/", body("ann@elsewhere.example")))["url"]
    dnc = (await api.made("dnc-list/", {"name": "d"}))["url"]
    await api.made("dnc-contact/", {"dnc": dnc, "email": "stop@example.com"})

    rows = (await api.get("plan/")).body["results"]
    told["plan"] = [row["action"] for row in rows]
    holder = await db.write(workers.enter, "w", utcnow(), timedelta(minutes=30))
    async with http_session() as http:
        transport = MessageTransport(Transports(http, config=config))
        sender = MessageDispatcher(db, holder, transport.send)

        async def go():
            await Planner(db).step()
            await db.write(Admission(holder).claim, utcnow(), 50)
            await sender.step()
            await sender.settled()
            rows = {name: (await api.get(url)).body for name, url in alarms.items()}
            return {name: [row["status"], row["status_reason"]] for name, row in rows.items()}

        told["without_url"] = await go()
        rows = (await api.get(f"alarm-request/?alarm={id_of(alarms['ann'])}")).body["results"]
        told["waits"] = [row["status_reason"] for row in rows]
        os.environ["PUSH_URL"] = push_url
        began = utcnow()
        with time_machine.travel(began + timedelta(minutes=1), tick=True):
            told["first"] = await go()
        with time_machine.travel(began + timedelta(minutes=3), tick=True):
            told["later"] = await go()
    told["received"] = sorted({one["account"] for one in received})
    told["twice"] = sorted(
        one["account"] for one in received[4:]
    )
    told["same_id"] = len({one["id"] for one in received if one["account"] == "cut@example.com"})
    ann = next(one for one in received if one["account"] == "ann@example.com")
    told["written"] = [ann["title"], ann["text"].split(",")[0][:6], "/links/" in ann["text"]]
    rows = (await api.get(f"message/?alarm={id_of(alarms['ann'])}")).body["results"]
    told["message"] = [[row["method"], row["status"], row["reference"]] for row in rows]
    news = (await api.get("message/?recipient=600999")).body["results"]
    told["bad_news"] = [row["text"] for row in news]
    lines = (await api.get(alarms["cut"] + "timeline/")).body["results"]
    told["timeline"] = [line["what"] for line in lines]

asyncio.run(main(Path(sys.argv[1])))
"""

# When the file is gone again: an alarm and a message of the method, and an alarm of another.
LATER = """
import asyncio, json, sys
from datetime import timedelta
from pathlib import Path
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.messaging.dispatcher import MessageDispatcher
from telealarm.messaging.transport import MessageTransport, http_session
from telealarm.methods.context import Transports
from telealarm.models import Alarm, Message, User
from telealarm.planning.planner import Planner
from telealarm.store.alarms import alarms
from telealarm.store.dialing import workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.dry_run import dry_run
from telealarm.store.open import open_database

async def main(folder):
    db = open_database(Config(database=f"sqlite:///{folder}/t.db", base=folder))
    db.start()
    holder = await db.write(workers.enter, "w", utcnow(), timedelta(minutes=30))

    def due():
        first = Alarm.select().order_by(Alarm.id).first()
        fields = {"owner": first.owner_id, "event": first.event_id, "alarm_phonenumber": "1"}
        found = [Alarm.create(**fields, method=4, alarm_email="a@b.c"), Alarm.create(**fields)]
        for alarm in found:
            alarms.schedule(alarm, alarm.event)
        Message.create(
            owner=first.owner_id, alarm=first, method=4, recipient="a@b.c", text="-", date=utcnow()
        )
        return [alarm.id for alarm in found]

    ids = await db.write(due)
    def plan():
        login, now = User.get(User.username == "manager"), utcnow()
        entries = dry_run.entries(login, now, now, now + timedelta(days=1), 10)
        return [one.action for one in dry_run.decided(entries) if one.alarm_id in ids]
    planned = await db.read(plan)
    await Planner(db).step()
    claimed = await db.write(Admission(holder).claim, utcnow(), 50)
    async with http_session() as http:
        sender = MessageDispatcher(db, holder, MessageTransport(Transports(http)).send)
        await sender.step()
        await sender.settled()
    def ended():
        rows = [Alarm.get_by_id(id) for id in ids]
        message = Message.select().order_by(Message.id.desc()).first()
        return [[row.status, row.status_reason] for row in rows], message.said
    told = {"plan": planned, "called": len(claimed.calls), "ended": await db.write(ended)}
    await db.close()
    print(json.dumps(told))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.long
def test_a_new_method_is_one_new_file(tmp_path: Path) -> None:
    copy = copy_package(tmp_path)
    (copy / "methods" / "push.py").write_text(PUSH)
    told = json.loads(run_with_copy(tmp_path, "-c", STORY, str(tmp_path)))
    assert told.pop("package").startswith(str(copy))
    may_not = "the calendar user doctor of manager may not have this one; allowed: "
    assert told == {
        "offered": [True, False],
        "rights": [1, 2, 3, 4],
        "no_address": {"alarm_email": ["must not be empty in an alarm by push message"]},
        "unknown": {"method": ["must be one of 1 (call), 2 (sms), 3 (email), 4 (push)"]},
        "no_right": {"method": [may_not + "1 (call), 2 (SMS), 3 (email)"]},
        "only_push": {"method": [may_not + "4 (push message)"]},
        "plan": ["push"] * 4 + ["skip", "push"],
        "without_url": {
            name: [3, "do_not_call"] if name == "stop" else [2, ""]
            for name in ("ann", "gone", "busy", "cut", "stop", "else")
        },
        "waits": ["no_push"],
        "first": {
            "ann": [5, ""],
            "gone": [3, "refused"],
            "busy": [2, ""],
            "cut": [4, "unknown"],
            "stop": [3, "do_not_call"],
            "else": [3, "no_recipient"],
        },
        "later": {
            "ann": [5, ""],
            "gone": [3, "refused"],
            "busy": [5, ""],
            "cut": [5, ""],
            "stop": [3, "do_not_call"],
            "else": [3, "no_recipient"],
        },
        "received": [f"{name}@example.com" for name in ("ann", "busy", "cut", "gone")],
        "twice": ["busy@example.com", "cut@example.com"],
        "same_id": 1,
        "written": ["Reminder", "Visit:", True],
        "message": [[4, "sent", "p-1"]],
        "bad_news": ["gone@example.com could not be reached in 1 attempt(s): Visit"],
        "timeline": [
            "created",
            "due",
            "deferred",
            "push_unknown",
            "redial",
            "retry",
            "push_sent",
            "result",
        ],
    }

    (copy / "methods" / "push.py").unlink()
    why = "there is no alarm method 4; put its file back into telealarm/methods"
    assert json.loads(run_with_copy(tmp_path, "-c", LATER, str(tmp_path))) == {
        "called": 1,
        "plan": ["skip", "call"],
        "ended": [[[3, "no_method"], [2, ""]], why],
    }
