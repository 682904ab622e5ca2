"""How the two old databases beside this file were made, kept so that it can be read.

    python -m tests.data.v0_1.make

plays a clinic's day twice, on an SQLite file and on PostgreSQL: the real service, a real Asterisk,
SIPp phones, an HTTP SMS gateway, an SMTP server, a program that is told by webhooks. Then it writes

    sqlite.sql.gz, postgresql.sql.gz      the databases, as SQL that restores them
    sqlite.json.gz, postgresql.json.gz    what the API answered to GET at the end of the day

The files were made by version 0.1, before any later migration, and are never made again: what is
tested with them is that a database of that version still works. To make others, use that version.
"""

import argparse
import asyncio
import gzip
import json
import re
import sqlite3
import subprocess
import tempfile
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from tests.acceptance.conftest import DOORS, LOGIN, Practice, readme_doors
from tests.acceptance.test_recordings import uploaded
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import (
    Behaviour,
    answers_and_presses,
    answers_only,
    busy,
    busy_once_then_answers,
    congestion,
    declines,
    hangs_up_after,
    never_answers,
    person,
    speaks,
    takes_texts,
    voicemail,
)
from tests.lab.caller import Caller
from tests.lab.clinic import Appointment, Clinic
from tests.lab.exchange import Exchange
from tests.lab.mail_server import MailServer
from tests.lab.phone import Phone
from tests.lab.ports import HOST, free_tcp_port
from tests.lab.postgres import Postgres
from tests.lab.receiver import Receiver
from tests.lab.rest import JSON, Rest, number_of
from tests.lab.serve import Serve
from tests.lab.sms_gateway import SmsGateway
from tests.lab.waiting import until

HERE = Path(__file__).parent
MANAGER = ("reception", "correct horse battery")
HOST_NAME = "telealarm.example"
ORIGIN = f"http://{HOST_NAME}"
ZONE = "Europe/Madrid"
PLAY, CHOICE, RATING, DIGITS, RECORD, TRANSFER, HANG_UP, CONFERENCE, BLOCK, SMS = range(1, 11)
PASSWORD = "a fake password"


def number(last: int) -> str:
    """A number of the range that is kept for examples."""
    return f"1555010{last:04d}"


AGENT, DESK = number(190), number(191)


# What a survey can have: each option of a section somewhere, each type of section once at least.
def everything(greeting: str, wrong: str) -> tuple[list[JSON], dict[tuple[int, str], int | None]]:
    """The sections, and the branchings by place and key: where they lead (None: to the end)."""
    sections: list[JSON] = [
        {"type": PLAY, "question": "Greeting", "script": "Good morning {doc_name}."},
        {
            "type": CHOICE,
            "order": 20,
            "question": "What is it about?",
            "audiofile": greeting,
            "invalid_audiofile": wrong,
            "retries": 1,
            "timeout": 4,
            **{f"key_{key}": f"choice {key}" for key in range(10)},
        },
        {
            "type": RATING,
            "order": 30,
            "question": "How was it?",
            "script": "Rate us from 1 to 12.",
            "rating_laps": 12,
            "completed": True,
            "timeout": 3,
        },
        {
            "type": DIGITS,
            "order": 40,
            "question": "Card",
            "script": "Enter four digits.",
            "number_digits": 4,
            "min_number": 1000,
            "max_number": 2000,
            "timeout": 3,
        },
        {
            "type": RECORD,
            "order": 50,
            "question": "Message",
            "script": "Speak.",
            "recording_seconds": 3,
            "timeout": 2,
        },
        {
            "type": TRANSFER,
            "order": 60,
            "question": "Agent",
            "script": "We connect you.",
            "phonenumber": AGENT,
            "confirm_script": "A patient wants to talk with you. Press 5 to take the call.",
            "confirm_key": "5",
        },
        {"type": HANG_UP, "order": 70, "script": "Goodbye."},
        {"type": CONFERENCE, "order": 80, "script": "Welcome.", "conference": "Board"},
        {"type": BLOCK, "order": 90, "script": "You will not be called again."},
        {"type": SMS, "order": 100, "script": "You get an SMS.", "sms_text": "See {doc_name}."},
        {
            "type": DIGITS,
            "order": 110,
            "question": "Any number",
            "script": "Enter any number.",
            "validate_number": False,
            "number_digits": 8,
            "timeout": 3,
        },
    ]
    branches: dict[tuple[int, str], int | None] = {
        (1, "0"): 6,
        (1, "1"): 2,
        (1, "2"): 3,
        (1, "3"): 4,
        (1, "4"): 5,
        (1, "5"): 7,
        (1, "6"): 8,
        (1, "7"): 9,
        (1, "8"): 10,
        (1, "9"): None,
        (1, "timeout"): 6,
        (1, "invalid"): 6,
        (2, "12"): 6,
        (2, "any"): 6,
        (3, "1234"): 2,
        (3, "any"): 6,
        (4, "any"): 6,
        (7, "any"): 6,
        (8, "any"): 6,
        (9, "any"): 6,
        (10, "any"): 6,
    }
    return sections, branches


class Day:
    """A clinic's day on one database."""

    def __init__(self, exchange: Exchange, asterisk: Asterisk, database: str | None) -> None:
        self.exchange = exchange
        self.asterisk = asterisk
        self.agi_port = free_tcp_port()
        self._database = database
        self._phones: list[Phone] = []

    async def open(self, stack: AsyncExitStack) -> None:
        """All servers, the service, and the clinic's calendars."""
        self.sms = SmsGateway()
        self.told = Receiver()
        self.gone = Receiver()
        self.broken = Receiver()
        self.gone.status, self.broken.status = 410, 500
        for one in (self.sms, self.told, self.gone, self.broken):
            await one.start()
            stack.push_async_callback(one.stop)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="telealarm-mail-"))
        self.mail = MailServer(Path(folder))
        self.mail.replies["nobody@example.com"] = "550 5.1.1 no such mailbox"
        await self.mail.start()
        stack.push_async_callback(self.mail.stop)
        settings: JSON = {
            "timezone": ZONE,
            "api": {"public_url": ORIGIN},
            "asterisk": {
                "ami": {
                    "host": HOST,
                    "port": self.asterisk.ami_port,
                    "password": self.asterisk.ami_password,
                }
            },
            "agi": {"host": HOST, "port": self.agi_port},
            "recordings": {"folder": "recordings"},
            "smtp": self.mail.settings(),
            "webhooks": {"allow": ["127.0.0.0/8"]},
        }
        self.serve = Serve(self.asterisk, database=self._database, settings=settings)
        self.database = self._database or f"sqlite:///{self.serve.folder / 'telealarm.db'}"
        stack.push_async_callback(self.serve.stop)
        stack.push_async_callback(self._unplug)
        await self.serve.user_add(*LOGIN)
        await self.serve.user_add(*MANAGER, superuser=False)
        await self.serve.start()
        self.rest = await stack.enter_async_context(Rest(self.serve.url, *LOGIN))
        self.clinic = Clinic(self.rest)
        await self.clinic.open(sms_url=self.sms.url)
        self.practice = Practice(self.serve, self.clinic, self.sms)

    async def _unplug(self) -> None:
        while self._phones:
            await self._phones.pop().stop()

    async def plug(self, last: int | str, behaviour: Behaviour) -> Phone:
        named = last if isinstance(last, str) else number(last)
        phone = Phone(named, behaviour, self.exchange)
        self._phones.append(phone)
        await phone.start()
        return phone

    async def dial(self, last: int, dials: str, behaviour: Behaviour) -> Caller:
        caller = Caller(number(last), dials, behaviour, self.exchange, self.asterisk)
        self._phones.append(caller)
        await caller.start()
        return caller

    async def book(self, name: str, **setting: Any) -> Clinic:
        """A calendar of its own, with a setting of its own."""
        clinic = Clinic(self.rest)
        await clinic.open(sms_url=self.sms.url, name=name, setting=setting)
        return clinic

    async def settled(self, appointment: Appointment, status: int, reason: str = "") -> JSON:
        """The alarm at its end, which is to be this one."""
        alarm = await self.practice.settled(appointment, 120)
        found = (alarm["status"], alarm["status_reason"])
        words = await self.practice.words(appointment)
        assert found == (status, reason), (appointment.number, found, words)
        return alarm

    async def called(
        self,
        last: int,
        behaviour: Behaviour | None,
        status: int,
        reason: str = "",
        *,
        clinic: Clinic | None = None,
        **alarm: Any,
    ) -> Appointment:
        """A reminder that ends so."""
        if behaviour is not None:
            await self.plug(last, behaviour)
        made = await (clinic or self.clinic).appointment(number(last), **{"maxretry": 0, **alarm})
        await self.settled(made, status, reason)
        return made

    async def sealed(
        self, name: str, sections: list[JSON], branches: dict[tuple[int, str], int | None]
    ) -> str:
        """A survey of these sections, sealed; its link."""
        made = await self.rest.post(
            "survey-template/",
            {
                "name": name,
                "description": f"The survey {name}",
                "tts_language": "en-GB" if name == "unsealed" else "en",
                "rating_counts": "last",
            },
        )
        links = []
        for section in sections:
            body = {"survey": made["url"], **section}
            links.append((await self.rest.post("section-template/", body))["url"])
        for (place, keys), goto in branches.items():
            to = None if goto is None else links[goto]
            body = {"section": links[place], "keys": keys, "goto": to}
            await self.rest.post("branching-template/", body)
        if name == "unsealed":
            return str(made["url"])
        return str((await self.rest.post(f"{made['url']}seal/", {}))["url"])

    async def act(self, path: str, body: JSON) -> JSON:
        """A POST that makes no row; its answer."""
        return await self.rest.refused("POST", path, body, 200)

    async def play(self) -> None:
        """The whole day."""
        await self.furnish()
        for part in (
            self.usual_calls,
            self.unanswered,
            self.surveys,
            self.machines,
            self.gateways_in_turn,
            self.doors,
            self.messages,
            self.mails,
            self.series,
            self.called_off,
            self.faults,
            self.programs,
            self.waiting,
        ):
            print(f"{datetime.now(UTC):%H:%M:%S} {part.__name__}", flush=True)
            await part()
            await self._unplug()

    async def furnish(self) -> None:
        """Logins, profiles, webhooks, lists: what is there before the first call."""
        rest = self.rest
        await rest.post("users/", {"username": "former", "password": PASSWORD, "is_active": False})
        self.greeting = (await uploaded(self.practice, 1.5, 500))["url"]
        self.wrong = (await uploaded(self.practice, 0.5, 1250))["url"]
        for receiver, events in (
            (self.told, []),
            (self.gone, ["alarm.result"]),
            (self.broken, ["do_not_call.added"]),
        ):
            await rest.post("webhook/", {"target_url": receiver.url, "events": events})
        first, *_ = await rest.results("webhook/")
        await self.act(f"{first['url']}rotate_secret/", {})
        profile = number_of(self.clinic.calendar)  # the first of each
        await rest.patch(
            f"calendar-user-profile/{profile}/",
            {
                "address": "1 Long Street",
                "city": "Toledo",
                "state": "Castile",
                "country": "ES",
                "zip_code": "45001",
                "phone_no": number(192),
                "fax": number(193),
                "company_name": "The Clinic",
                "company_website": "http://clinic.example",
                "language": "en",
                "note": "Two lines,\nand an accent: é",
                "timezone": "Atlantic/Canary",
                "permissions": {
                    "methods": [1, 2, 3],
                    "max_alarms_per_day": 500,
                    "prefixes": ["1555", "+34"],
                },
            },
        )
        listed = await rest.post("dnc-list/", {"name": "asked us", "description": "by letter"})
        for contact in ({"phone_number": number(197)}, {"email": "never@example.com"}):
            await rest.post("dnc-contact/", {"dnc": listed["url"], **contact})
        for name, rule in (
            ("ten Mondays", {"frequency": "WEEKLY", "params": "count:10;byweekday:MO"}),
            ("last Friday", {"rrule": "FREQ=MONTHLY;BYDAY=-1FR"}),
            ("each minute", {"frequency": "MINUTELY"}),
        ):
            await rest.post("rule/", {"name": name, "description": "one of ours", **rule})
        self.everything = await self.sealed("everything", *everything(self.greeting, self.wrong))
        await self.sealed("unsealed", *everything(self.greeting, self.wrong))

    async def usual_calls(self) -> None:
        """Who answers, and what they press; the alarm's own addresses are told of it."""
        told = self.told.url
        await asyncio.gather(
            self.called(1, answers_and_presses("1"), 5, url_confirm=told, url_cancel=told),
            self.called(2, busy_once_then_answers("2"), 5, maxretry=1, url_cancel=told),
            self.called(3, answers_and_presses("3"), 5, language="en", timezone="Europe/Lisbon"),
            self.called(4, answers_only(), 3, "no_key", require_result=True),
            self.called(5, hangs_up_after(0.3), 3, "early_hangup"),
        )
        await self.rest.patch(self.clinic.setting, {"confirm_spoken": True})
        await self.called(6, answers_and_presses("1"), 5)
        await self.rest.patch(
            self.clinic.setting, {"confirm_spoken": False, "holidays": ["2001-12-25"]}
        )

    async def unanswered(self) -> None:
        """Who does not, each for another reason."""
        failure = {
            "doc_name": "Doctor Smith",
            "apt_date": "noon",
            "sms_failure": "{alarm_phonenumber} was not reached",
        }
        policy = {"declined": {"delay": 1, "count": 1}, "no_answer": {"delay": 600, "count": 2}}
        desk = await self.book("hotel", failure_phonenumber=DESK, snooze_minutes=20)
        await self.plug(DESK, answers_only())
        await self.plug(12, never_answers())
        await asyncio.gather(
            self.called(
                11,
                busy(),
                3,
                "busy",
                maxretry=1,
                retry_delay=1,
                phonenumber_sms_failure=number(194),
                data=failure,
            ),
            self.called(12, None, 3, "no_answer"),
            self.called(13, declines(), 3, "declined", retry_policy=policy),
            self.called(14, congestion(), 3, "congestion"),
            self.called(15, None, 3, "wrong_number"),
            self.called(97 + 100, None, 3, "do_not_call"),
            self.called(16, busy(), 3, "busy", clinic=desk, data={"room": "16"}),
        )

        async def desk_called() -> bool:
            rows = await self.rest.results(f"alarm/?alarm_phonenumber={DESK}")
            return [row["status"] for row in rows] == [5]

        await until(desk_called, 60, "the front desk is told")

    async def surveys(self) -> None:
        """The survey that has everything, each caller by another way."""
        book = await self.book("surveys", survey=self.everything)
        agent = Behaviour(busy_calls=1, keys="5", first_key=4.0, hang_up=3.0, ring=1.0)

        def keys(pressed: str, between: float = 3.5) -> Behaviour:
            return answers_and_presses(pressed, first_key=2.0, between=between)

        await asyncio.gather(
            self.called(21, keys("112", 1.2), 5, clinic=book),
            self.called(22, keys("21234", 1.2), 5, clinic=book),
            self.called(23, keys("3"), 5, clinic=book),
            self.called(25, keys("5#", 9.0), 5, clinic=book),
            self.called(26, keys("5#", 8.0), 5, clinic=book),
        )
        await self._unplug()
        await self.plug(AGENT, agent)
        await asyncio.gather(
            self.called(27, keys("6"), 5, clinic=book),
            self.called(28, keys("7"), 5, clinic=book),
            self.called(29, keys("88#", 1.2), 5, clinic=book),
            self.called(30, answers_only(), 5, clinic=book),
            self.called(31, keys("9"), 5, clinic=book),
            self.called(32, keys("4"), 5, clinic=book),
        )
        await self.called(33, answers_and_presses("4", first_key=2.0), 5, clinic=book)
        await self._unplug()
        message = {"type": RECORD, "script": "Speak.", "timeout": 2, "completed": True}
        survey = await self.sealed("message", [message], {})
        speaker = speaks(2.0, after=2.5)
        await self.called(34, speaker, 5, survey=survey)
        recorded = await self.rest.results("result/?response=recorded")
        assert recorded and recorded[0]["record_file"], "nobody left a message"

    async def machines(self) -> None:
        """Answering machines, and who is none."""
        human = await self.book("people", voicemail=True, amd_behavior=2)
        machine = await self.book(
            "machines", voicemail=True, amd_behavior=3, voicemail_audiofile=self.greeting
        )
        await asyncio.gather(
            self.called(41, voicemail(), 3, "machine", clinic=human),
            self.called(42, person("1"), 5, clinic=human),
        )
        await asyncio.gather(
            self.called(43, voicemail(), 5, clinic=machine),
            self.called(44, person(), 3, "person", clinic=machine),
        )

    async def gateways_in_turn(self) -> None:
        """A trunk without a free line, a name that Asterisk does not know, and one that works."""
        last = await self.rest.post(
            "gateway/",
            {
                "name": "last",
                "gateways": "PJSIP/{number}@trunk",
                "description": "The last resort",
                "removeprefix": "+",
                "gateway_codecs": "PCMA,PCMU",
                "gateway_timeouts": "10,10",
                "gateway_retries": "2,1",
                "originate_dial_string": "bridge_early_media=true",
                "addparameter": "x=1",
                "maximum_call": 50,
                "calls_per_second": 20,
                "number_pattern": r"\+?[0-9]{3,15}",
                "allowed_prefixes": ["1555", "+34"],
            },
        )
        nowhere = await self.rest.post(
            "gateway/",
            {"name": "nowhere", "gateways": "PJSIP/{number}@nowhere", "failover": last["url"]},
        )
        first = await self.rest.post(
            "gateway/",
            {
                "name": "first",
                "gateways": "PJSIP/{number}@trunk",
                "addprefix": "9",
                "failover": nowhere["url"],
            },
        )
        await self.rest.post(
            "gateway/", {"name": "off", "gateways": "PJSIP/{number}@trunk", "status": 0}
        )
        book = await self.book("failover", aleg_gateway=first["url"])
        await self.plug(f"9{number(51)}", congestion())
        await self.called(51, answers_and_presses("1"), 5, clinic=book)

    async def doors(self) -> None:
        """Who rings back, a guest who orders a wake-up call, and one who wants to sleep on."""
        await self.plug(61, never_answers())
        alarm = await self.clinic.appointment(number(61), maxretry=3, retry_delay=600)
        await self.practice.told(alarm, "retry", 40)
        await self.dial(61, "7001", answers_and_presses("1", first_key=4.0))
        door = f"72{number_of(self.clinic.calendar)}"
        keys = answers_and_presses("073011", first_key=2.0, between=1.0)
        guest = await self.dial(62, door, keys)
        await self.settled(alarm, 5)
        await guest.until("hung up by network", 60)
        await self.plug(63, answers_and_presses("2"))
        snoozed = await self.clinic.appointment(number(63), snooze_key="2")
        await self.practice.told(snoozed, "snoozed", 40)

    async def messages(self) -> None:
        """SMS that arrive, fail, are lost, are answered."""
        rest = self.rest
        template = await rest.post(
            "sms-template/",
            {
                "label": "reminder",
                "template_key": "reminder.1",
                "sender_phonenumber": "Clinic",
                "sms_text": "{doc_name} waits for you. Reply 1 or 2. ¡Hasta luego!",
            },
        )
        texted = {"method": "2", "sms_template": template["url"]}
        (gateway,) = await rest.results("sms-gateway/?name=clinic")
        inbound, report = gateway["inbound_url"], gateway["report_url"]
        settings = {"url": self.sms.url, "message_id": "id"}
        await rest.patch(gateway["url"], {"settings": settings})
        sent = await self.called(71, None, 5, **texted)
        await self.called(72, None, 5, **texted)

        async def early(own_id: str) -> None:
            """A report of another message, which comes before the answer to this one."""
            body = {"id": "not-yet-known", "status": "delivered"}
            async with aiohttp.ClientSession() as http, http.post(report, json=body) as reply:
                assert await reply.json() == {"outcome": "kept"}

        self.sms.told = early
        await self.called(73, None, 5, **texted, language="es")
        self.sms.told = None
        references = [
            row["reference"] for row in await rest.results("message/") if row["purpose"] == "alarm"
        ]
        async with aiohttp.ClientSession() as provider:

            async def said(url: str, **fields: str) -> None:
                async with provider.post(url, json=fields) as reply:
                    assert reply.status == 200, await reply.text()

            await said(report, id=references[-3], status="delivered")
            await said(report, id=references[-2], status="failed", error="absent subscriber")
            await said(inbound, **{"from": number(71), "text": "yes", "id": "reply-1"})
            await said(inbound, **{"from": number(73), "text": "perhaps?", "id": "reply-2"})
            await said(inbound, **{"from": number(72), "text": "STOP", "id": "reply-3"})
        assert (await self.clinic.alarm(sent))["result"] == 1
        self.sms.mood = "refuse"
        await self.called(74, None, 3, "refused", **texted)
        self.sms.mood = "swallow"
        await self.called(75, None, 3, "unknown", **texted, on_unknown="miss")
        self.sms.mood = "accept"
        await self.by_asterisk(texted)
        await rest.post(
            "sms-gateway/",
            {
                "name": "form",
                "settings": {
                    "url": "http://sms.example/send",
                    "method": "POST",
                    "headers": {"X-Key": "a fake key"},
                    "body": '{"dest": "{to}", "msg": "{text}"}',
                },
                "messages_per_second": 2.5,
                "maximum_sending": 2,
                "status": 0,
            },
        )
        held = await self.book("held")
        self.sms.mood, self.sms.retry_after = "busy", 3000
        waits = await held.appointment(number(76), **texted, maxretry=1)
        path = f"message/?alarm={number_of(waits.alarm)}"

        async def waiting() -> bool:
            return [row["status"] for row in await rest.results(path)] == ["waiting"]

        await until(waiting, 40, "the gateway wants to be left alone")
        self.sms.mood = "accept"

    async def by_asterisk(self, texted: JSON) -> None:
        """An SMS as a SIP MESSAGE."""
        destination = f"pjsip:trunk/sip:{{to}}@127.0.0.1:{self.exchange.port}"
        gateway = await self.rest.post(
            "sms-gateway/",
            {
                "name": "our Asterisk",
                "kind": "asterisk",
                "settings": {"destination": destination, "from": "sip:clinic@127.0.0.1"},
            },
        )
        book = await self.book("texts", sms_gateway=gateway["url"])
        await self.called(77, takes_texts(), 5, clinic=book, **texted)

    async def mails(self) -> None:
        """Mails with invitations: answered by a link, moved, called off, refused, unwanted."""
        template = await self.rest.post(
            "mail-template/",
            {
                "label": "reminder",
                "template_key": "mail.1",
                "from_email": "desk@clinic.example",
                "from_name": "The Clinic",
                "subject": "Your visit to {doc_name}",
                "message_plaintext": "See you.\n{confirm_url}\n{cancel_url}\n{unsubscribe_url}",
                "message_html": "<p>See <b>you</b></p>",
            },
        )
        mailed = {"method": "3", "mail_template": template["url"]}

        async def mail(address: str, status: int, reason: str = "") -> Appointment:
            made = await self.clinic.appointment("", **mailed, alarm_email=address)
            await self.settled(made, status, reason)
            return made

        await mail("ann@example.com", 5)
        moved = await mail("bob@example.com", 5)
        deleted = await mail("carol@example.com", 5)
        await mail("nobody@example.com", 3, "refused")
        await mail("never@example.com", 3, "do_not_call")
        links = {}
        for letter in self.mail.letters:
            found = re.findall(rf"{ORIGIN}(/links/\S+)", letter.part("text/plain"))
            links[letter.recipient] = found
        async with aiohttp.ClientSession() as browser:
            for path in (links["ann@example.com"][0], links["ann@example.com"][2]):
                async with browser.post(self.serve.url + path) as reply:
                    assert reply.status == 200, await reply.text()
        event = await self.rest.get(moved.event)
        start = datetime.fromisoformat(event["start"]) + timedelta(hours=1)
        changed = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
        await self.rest.patch(moved.event, changed)
        await self.rest.delete(deleted.event)
        await until(lambda: len(self.mail.letters) >= 5, 60, "the invitations follow")

    async def series(self) -> None:
        """Events that come again: one of them moved, one called off, one edited by itself."""
        rest = self.rest
        (daily,) = await rest.results("rule/?frequency=DAILY&name=Daily")
        start = (datetime.now(UTC) + timedelta(days=40)).replace(microsecond=0)

        async def begin(title: str, start: datetime, rule: JSON, **more: Any) -> JSON:
            user = (await rest.get(self.clinic.calendar))["user"]
            body = {
                "title": title,
                "description": f"{title}, again and again",
                "start": start.isoformat(),
                "end": (start + timedelta(minutes=30)).isoformat(),
                "creator": user,
                "calendar": self.clinic.calendar,
                "rule": rule["url"],
                "data": {"doc_name": "Doctor Smith", "apt_date": "ten"},
                "timezone": "Europe/Madrid",
            }
            return await rest.post("event/", body | more)

        parent = await begin("Pills", start, daily, end_recurring_period=None)
        await rest.post(
            "alarm/",
            {
                "event": parent["url"],
                "alarm_phonenumber": number(81),
                "advance_notice": 600,
                "daily_start": "08:00:00",
                "daily_stop": "20:00:00",
                "max_lateness": 900,
                "missed_policy": "run",
                "survey": self.everything,
            },
        )
        days = [(start + timedelta(days=count)).isoformat() for count in range(6)]
        other = (start + timedelta(days=2, hours=3)).isoformat()
        moved = await self.act(f"{parent['url']}move_occurrence/", {"start": days[2], "to": other})
        assert moved["event"]
        await self.act(f"{parent['url']}cancel_occurrence/", {"start": days[3]})
        await rest.patch(parent["url"], {"title": "Pills, twice"})
        paused = await begin("Sport", start, daily)
        await rest.patch(f"{paused['url']}update_last_child_status/", {"status": "3"})
        (minutely,) = await rest.results("rule/?frequency=MINUTELY")
        now = datetime.now(UTC) - timedelta(seconds=50)
        end = (now + timedelta(seconds=90)).isoformat()
        quick = await begin("Tea", now, minutely, end_recurring_period=end)
        await self.plug(82, answers_and_presses("1"))
        await rest.post(
            "alarm/", {"event": quick["url"], "alarm_phonenumber": number(82), "max_lateness": 300}
        )

        async def child_answered() -> bool:
            rows = await rest.results(f"alarm/?alarm_phonenumber={number(82)}")
            return len([row for row in rows if row["status"] == 5]) >= 2

        await until(child_answered, 120, "the second cup")
        children = await rest.results(f"event/?parent_event={number_of(quick['url'])}")
        await rest.patch(children[0]["url"], {"description": "green tea"})
        table = self.serve.folder / "import.csv"
        table.write_text(
            "uid,title,start,end,rrule,alarm_phonenumber,data.doc_name\n"
            f"row-1,Imported,{days[4]},{days[5]},,{number(83)},Doctor Smith\n"
            f"row-2,Imported too,{days[4]},{days[5]},FREQ=WEEKLY,{number(84)},Doctor Smith\n"
        )
        place = str(number_of(self.clinic.calendar))
        await self.serve.command("import", str(table), "--calendar", place)

    async def called_off(self) -> None:
        """Alarms that nobody wants any more, some of them while the phone rings."""
        rest = self.rest
        phone = await self.plug(91, never_answers())
        alarm = await self.clinic.appointment(number(91))
        await phone.until("ringing", 40)
        await rest.patch(alarm.alarm, {"status": "7"})
        await phone.until("cancelled", 40)
        late: JSON = {"due_in": -7200.0, "max_lateness": 60, "missed_policy": "inform"}
        await self.called(92, None, 6, "past", **late)
        await self.called(93, None, 6, "past", **{**late, "missed_policy": "skip"})
        deleted = await self.clinic.appointment(number(94), due_in=86_400)
        await rest.delete(deleted.event)
        deleted = await self.clinic.appointment(number(95), due_in=86_400)
        await rest.delete(deleted.alarm)
        paused = await self.clinic.appointment(number(96), due_in=86_400)
        await rest.patch(paused.event, {"status": "3"})
        user = await rest.post(
            "calendar-user/",
            {
                "username": "nurse",
                "password": PASSWORD,
                "first_name": "Florence",
                "last_name": "Nightingale",
                "email": "nurse@example.com",
            },
        )
        made = await rest.post(
            "calendar/",
            {"name": "ward", "user": user["url"], "max_concurrent": 3, "timezone": "Asia/Tokyo"},
        )
        event = await rest.post("event/", {"title": "Ward round", "calendar": made["url"]})
        alarm_url = (
            await rest.post("alarm/", {"event": event["url"], "alarm_phonenumber": number(98)})
        )["url"]
        await self.settled(Appointment(event["url"], alarm_url, ""), 3, "wrong_number")
        gone = await rest.post("calendar-user/", {"username": "gone", "password": PASSWORD})
        empty = await rest.post("calendar/", {"name": "empty", "user": gone["url"]})
        event = await rest.post("event/", {"title": "Over", "calendar": empty["url"]})
        for one in (event, empty, gone):
            await rest.delete(one["url"])

    async def faults(self) -> None:
        """The service dies in a call, and then Asterisk."""
        phone = await self.plug(101, answers_and_presses("1", ring=3.0, first_key=12.0))
        alarm = await self.clinic.appointment(number(101))
        await phone.until("ringing", 40)
        await self.practice.told(alarm, "ringing")
        await self.serve.kill9()
        await self.serve.start()
        await self.settled(alarm, 5)
        second = Serve(self.asterisk, database=self.database, worker="second")
        await second.start()
        await second.stop()
        await self.plug(102, never_answers())
        await self.plug(103, never_answers())
        lost = await self.clinic.appointment(number(102), on_unknown="miss", maxretry=0)
        again = await self.clinic.appointment(number(103), on_unknown="redial", maxretry=1)
        for one in (lost, again):
            await self.practice.told(one, "ringing", 40)
        await self.asterisk.kill()
        await self.asterisk.start()
        await self.settled(lost, 3, "unknown")
        await self.settled(again, 3, "no_answer")

    async def programs(self) -> None:
        """Tokens, keys against doubles, and a manager's own clinic."""
        said = await self.serve.command("token", "add", LOGIN[0], "--name", "reports")
        (token,) = [word for word in said.split() if len(word) > 30]
        await self.serve.command("token", "add", MANAGER[0], "--name", "lost")
        await self.serve.command("token", "revoke", "2")
        bearer = {"Authorization": f"Bearer {token}", "Idempotency-Key": "order-1"}
        async with aiohttp.ClientSession(headers=bearer) as program:
            for _ in range(2):
                path = f"{self.serve.url}/rest-api/dnc-list/"
                async with program.post(path, json={"name": "by a program"}) as reply:
                    assert reply.status == 201, await reply.text()
        (gateway,) = await self.rest.results("gateway/?name=clinic")
        async with Rest(self.serve.url, *MANAGER) as rest:
            template = await rest.post("survey-template/", {"name": "Reception"})
            section = {"survey": template["url"], "type": PLAY, "script": "Your table is free."}
            await rest.post("section-template/", section)
            survey = (await rest.post(f"{template['url']}seal/", {}))["url"]
            setting = await rest.post(
                "calendar-setting/",
                {"label": "tables", "survey": survey, "aleg_gateway": gateway["url"]},
            )
            user = await rest.post("calendar-user/", {"username": "waiter", "password": PASSWORD})
            profile = f"calendar-user-profile/{number_of(user['url'])}/"
            await rest.patch(profile, {"calendar_setting": setting["url"]})
            book = await rest.post("calendar/", {"name": "tables", "user": user["url"]})
            event = await rest.post("event/", {"title": "Table", "calendar": book["url"]})
            await self.plug(111, answers_only())
            alarm = await rest.post(
                "alarm/", {"event": event["url"], "alarm_phonenumber": number(111)}
            )
        await self.settled(Appointment(event["url"], alarm["url"], number(111)), 5)

    async def waiting(self) -> None:
        """What is still to come: an opening, tomorrow, the end of a pause."""
        rest = self.rest
        today = datetime.now(UTC).weekday()
        days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
        open_days = [day for at, day in enumerate(days) if at not in (today, (today + 1) % 7)]
        shut = await self.book("shut", calling_days=",".join(open_days), settle=False)
        deferred = await shut.appointment(number(121), max_lateness=10 * 86_400)
        await self.practice.told(deferred, "deferred", 40)
        await self.clinic.appointment(
            number(122), due_in=7200, phonenumber_transfer=number(195), daily_start="08:30:00"
        )
        (first,) = await rest.results("gateway/?name=first")
        await self.act("dialing/pause/", {"gateway": first["url"]})
        await self.act("dialing/pause/", {})
        due = await self.clinic.appointment(
            number(123), survey=self.everything, max_lateness=86_400
        )
        await self.practice.told(due, "due", 40)
        await self.called(124, None, 6, "late", max_lateness=1)
        await until(self._at_rest, 300, "everything else has come to its end")

    async def _at_rest(self) -> bool:
        """Whether nothing is under way that changes by itself within a minute or two."""
        deliveries = await self.rest.results("webhook-delivery/?page_size=1000")
        soon = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
        calls = await self.rest.results("callrequest/?status=7")
        return not calls and not any(
            row["status"] == 2 or (row["next_try"] and row["next_try"] < soon) for row in deliveries
        )


async def snapshot(rest: Rest, http: aiohttp.ClientSession) -> dict[str, Any]:
    """What the API answers: every list whole, and what is told of single rows, by path."""
    said: dict[str, Any] = {}

    async def get(path: str) -> Any:
        async with http.get(rest.base + path, headers={"Host": HOST_NAME}) as reply:
            assert reply.status == 200, (path, await reply.text())
            return await reply.json()

    for name in await get(""):
        path = f"{name}/?page_size=1000"
        said[path] = await get(path)

    def ids(name: str) -> list[int]:
        return [number_of(row["url"]) for row in said[f"{name}/?page_size=1000"]["results"]]

    paths = ["dialing/"]
    paths += [f"alarm/{one}/timeline/?page_size=1000" for one in ids("alarm")]
    for event in ids("event"):
        paths += [f"event/{event}/get_list_child/", f"event/{event}/get_list_alarm/"]
        paths += [f"alarm-request/{event}/get_nested_alarm_request/"]
    paths += [f"surveyaggregate/{one}/" for one in ids("sealed-survey")]
    for path in paths:
        said[path] = await get(path)
    return said


def written(said: dict[str, Any]) -> str:
    """The snapshot as JSON: a line for each row of a list."""
    parts = []
    for path, answer in said.items():
        if isinstance(answer, dict) and isinstance(answer.get("results"), list):
            rows = ",\n".join(f"  {_line(row)}" for row in answer["results"])
            head = _line({name: answer[name] for name in answer if name != "results"})
            text = f'{head[:-1]}, "results": [\n{rows}\n ]}}'
        else:
            text = _line(answer)
        parts.append(f" {_line(path)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def dump_sqlite(path: Path) -> str:
    """The file as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def dump_postgresql(url: str) -> str:
    """The database as SQL that any client can run, without what belongs to psql or this server."""
    options = ["--no-owner", "--no-privileges", "--inserts", f"--dbname={url}"]
    done = subprocess.run(["pg_dump", *options], capture_output=True, text=True, check=True)
    text = re.sub(r"^(--.*|\\(un)?restrict .*)\n", "", done.stdout, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).lstrip()


def check(sql: str, said: dict[str, Any]) -> None:
    """Everything is there that is to be there, and nothing that is not."""
    tables = set(re.findall(r'CREATE TABLE (?:public\.)?"?(\w+)"?', sql))
    filled = set(re.findall(r'INSERT INTO (?:public\.)?"?(\w+)"?', sql))
    assert tables == filled, f"empty tables: {sorted(tables - filled)}"
    (survey,) = [
        row
        for row in said["survey-template/?page_size=1000"]["results"]
        if row["name"] == "unsealed"
    ]
    rows = said["section-template/?page_size=1000"]["results"]
    assert len([row for row in rows if row["survey"] == survey["url"]]) == 11
    for word in (str(Path.home()), str(Path.cwd()), tempfile.gettempdir()):
        assert word not in sql, f"the dump names {word}"
        assert word not in json.dumps(said), f"the snapshot names {word}"


async def make(kind: str, folder: Path) -> None:
    """Play the day on one database, and write its two files."""
    with_server = kind == "postgresql"
    server = Postgres() if with_server else None
    if server is not None:
        await asyncio.to_thread(server.start)
    try:
        async with AsyncExitStack() as stack:
            exchange = Exchange()
            await exchange.start()
            stack.push_async_callback(exchange.stop)
            asterisk = Asterisk(exchange.port)
            asterisk.configure("extensions.conf", lambda text: text + readme_doors() + DOORS)
            await asterisk.start()
            stack.push_async_callback(asterisk.stop)
            database = server.new_database() if server is not None else None
            day = Day(exchange, asterisk, database)
            await day.open(stack)
            await day.play()
            login = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
            async with aiohttp.ClientSession(headers=login) as http:
                said = await snapshot(day.rest, http)
            said["at"] = datetime.now(UTC).isoformat()
            await day.serve.terminate()
            if database is not None:
                sql = dump_postgresql(database)
            else:
                sql = dump_sqlite(day.serve.folder / "telealarm.db")
            for name, text in ((f"{kind}.sql", sql), (f"{kind}.json", written(said))):
                (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
            check(sql, said)
    finally:
        if server is not None:
            await asyncio.to_thread(server.stop)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the databases beside this file anew.")
    parser.add_argument("--to", type=Path, default=HERE, metavar="FOLDER")
    parser.add_argument("kinds", nargs="*", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    for kind in asked.kinds:
        asyncio.run(make(kind, asked.to))


if __name__ == "__main__":
    main()
