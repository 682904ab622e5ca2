"""Alarms by mail: a real SMTP server with TLS, and the mails read by another parser."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
import time_machine
from icalendar import Calendar as ICalendar

from telealarm.clock import utcnow
from telealarm.config import Smtp
from telealarm.dialing.admission import Admission
from telealarm.errors import TransportError
from telealarm.messaging.outbound import Outbound, sms_session
from telealarm.messaging.renewer import Renewer
from telealarm.messaging.sender import Sender
from telealarm.models import Alarm, DncContact, DncList, Event, MailTemplate, Message
from telealarm.notify import mail as notify_mail
from telealarm.notify.mail import Mail, Mailer
from telealarm.rules.states import AlarmStatus, MessageStatus, Method
from telealarm.sms_kinds.kind import Means
from telealarm.store import events
from telealarm.store.composing import Composer
from telealarm.store.database import Database
from tests.integration.stages import HOUR, Stages
from tests.lab.mail_server import Letter, MailServer

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MAIL = Mail("id-1", "ann@example.com", "clinic@example.com", "Clínica", "Visit", "Hello\n.\nbye")


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    made = MailServer(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def mailer(server: MailServer) -> AsyncIterator[Mailer]:
    made = Mailer(Smtp(**server.settings()))
    yield made
    await made.close()


# The sender alone


async def test_one_connection_is_reused_and_mended(server: MailServer, mailer: Mailer) -> None:
    for _ in range(3):
        await mailer.send(MAIL)
    assert (len(server.letters), server.connections) == (3, 1)
    server.cut()
    await mailer.send(MAIL)
    assert (len(server.letters), server.connections) == (4, 2)
    letter = server.letters[0]
    assert (letter.sender, letter.recipient) == ("noreply@clinic.example", "ann@example.com")
    assert letter.message["From"] == "Clínica <clinic@example.com>"
    assert letter.part("text/plain").split() == ["Hello", ".", "bye"]
    ids = {one.message["Message-ID"] for one in server.letters}
    assert ids == {"<id-1@clinic.example>"}


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    server = MailServer(tmp_path, tls=True)
    await server.start()
    mailer = Mailer(Smtp(**server.settings()))
    await mailer.send(MAIL)
    await mailer.close()
    assert len(server.letters) == 1
    await server.stop()


async def test_a_certificate_that_nobody_vouches_for_gets_no_password(server: MailServer) -> None:
    mailer = Mailer(Smtp(**server.settings(ca_file=None)))
    with pytest.raises(TransportError, match="not reached") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, False)
    assert server.letters == []


async def test_5xx_is_permanent_4xx_is_not_and_a_lost_answer_is_unknown(
    server: MailServer, mailer: Mailer
) -> None:
    server.replies = {"ann@example.com": "550 no such user"}
    with pytest.raises(TransportError, match="550 no such user") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (True, False)
    server.replies = {"ann@example.com": "451 greylisted"}
    with pytest.raises(TransportError, match="451 greylisted") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, False)
    server.replies = {}
    server.vanishes = True
    with pytest.raises(TransportError) as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, True)
    server.vanishes = False
    await mailer.send(MAIL)
    await server.stop()
    with pytest.raises(TransportError, match="not reached") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, False)


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\u2028"])
@pytest.mark.parametrize("field", ["recipient", "from_name", "subject", "unsubscribe"])
def test_a_line_break_in_a_header_is_refused(field: str, line_break: str) -> None:
    bad = {"subject": MAIL.subject} | {field: f"x{line_break}Bcc: evil@example.com"}
    values: dict[str, Any] = {**MAIL.__dict__, **bad}
    with pytest.raises(TransportError) as caught:
        notify_mail.written(Mail(**values), "a@b.c")
    assert caught.value.permanent


# Through the stages


class Mailing(Stages):
    server: MailServer
    mailer: Mailer
    sender: Sender
    renewer: Renewer

    async def connect(self, server: MailServer, mailer: Mailer, means: Means) -> None:
        self.server, self.mailer = server, mailer
        zone = ZoneInfo("Europe/Madrid")
        self.composer = Composer(zone, "https://clinic.example", "noreply@clinic.example")
        self.admission = Admission(self.holder, zone, self.composer)
        self.sender = Sender(self.db, self.holder, Outbound(means, mailer).send, zone)
        self.renewer = Renewer(self.db, self.composer)
        owner = self.calendar.owner_id
        self.template = await self.write(
            lambda: MailTemplate.create(
                owner=owner,
                label="t",
                from_email="desk@clinic.example",
                from_name="The Clinic",
                subject="{title} with {doc}",
                message_plaintext="Dear {who},\nsee you at {start_time}.",
                message_html="<p>Dear <b>{who}</b></p>",
            )
        )

    async def mail(self, address: str = "ann@example.com", **columns: Any) -> int:
        columns.setdefault("data", {"who": "Ann <script>", "doc": "Dr. Ng"})
        columns.setdefault("mail_template", self.template)
        columns.setdefault("start", MORNING + 24 * HOUR)
        columns.setdefault("advance_notice", 24 * 3600)
        return await self.alarm("", method=Method.EMAIL, alarm_email=address, **columns)

    async def go(self) -> None:
        await self.renewer.step()
        await self.claim()
        await self.sender.step()
        await self.sender.settled()


@pytest_asyncio.fixture
async def mailing(db: Database, server: MailServer, mailer: Mailer) -> AsyncIterator[Mailing]:
    with at(MORNING):
        async with sms_session() as session:
            stages = await Mailing.build(db)
            assert isinstance(stages, Mailing)
            await stages.connect(server, mailer, Means(session, None))
            yield stages
            await stages.sender.settled()


def invitation(letter: Letter) -> tuple[str, Any]:
    """METHOD and the event, as icalendar reads them."""
    calendar = ICalendar.from_ical(letter.part("text/calendar"))
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


async def test_a_mail_says_it_in_two_forms_and_invites(mailing: Mailing) -> None:
    alarm_id = await mailing.mail()
    await mailing.go()
    await mailing.go()
    (letter,) = mailing.server.letters
    assert letter.message["Subject"] == "Visit with Dr. Ng"
    assert letter.message["From"] == "The Clinic <desk@clinic.example>"
    assert letter.message["To"] == letter.recipient == "ann@example.com"
    assert letter.message.get_content_type() == "multipart/alternative"
    assert "Dear Ann <script>,\nsee you at 10:00 AM." in letter.part("text/plain").replace("\r", "")
    assert "<b>Ann &lt;script&gt;</b>" in letter.part("text/html")
    for kind in ("text/plain", "text/html"):
        assert len(re.findall(r"https://clinic\.example/links/confirm-", letter.part(kind))) == 1
        assert len(re.findall(r"https://clinic\.example/links/cancel-", letter.part(kind))) == 1
    unsubscribe = letter.message["List-Unsubscribe"]
    assert re.fullmatch(r"<https://clinic\.example/links/unsubscribe-[0-9a-f-]+>", unsubscribe)
    assert letter.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    method, event = invitation(letter)
    assert (method, event["SEQUENCE"], str(event["SUMMARY"])) == ("REQUEST", 0, "Visit")
    start = event["DTSTART"]
    assert start.params["TZID"] == "Europe/Madrid"
    assert start.dt == MORNING + 24 * HOUR
    assert str(event["ATTENDEE"]) == "MAILTO:ann@example.com"
    assert str(event["ORGANIZER"]).lower() == "mailto:desk@clinic.example"
    alarm = await mailing.get(alarm_id)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)


async def test_moved_and_cancelled_the_invitation_follows_for_those_who_had_it(
    mailing: Mailing,
) -> None:
    had = await mailing.mail()
    await mailing.mail("bob@example.com", advance_notice=3600)  # has had nothing yet
    await mailing.go()
    uid = invitation(mailing.server.letters[0])[1]["UID"]
    later = MORNING + 26 * HOUR

    def move() -> None:
        event = Alarm.get_by_id(had).event
        times = {"start": later, "end": later + HOUR}
        events.change(event, times, utcnow(), ZoneInfo("UTC"))

    await mailing.write(move)
    await mailing.go()
    await mailing.go()
    _, moved = mailing.server.letters
    method, event = invitation(moved)
    assert (method, event["UID"], event["SEQUENCE"]) == ("REQUEST", uid, 1)
    assert event["DTSTART"].dt == later
    assert moved.message["Subject"] == "Moved: Visit, Tuesday, March 3 12:00 PM"
    await mailing.write(lambda: events.delete(Alarm.get_by_id(had).event, utcnow()))
    await mailing.go()
    await mailing.go()
    assert len(mailing.server.letters) == 3
    method, event = invitation(mailing.server.letters[2])
    assert (method, event["UID"], event["SEQUENCE"]) == ("CANCEL", uid, 2)
    assert str(event["STATUS"]) == "CANCELLED"
    assert mailing.server.letters[2].recipient == "ann@example.com"
    assert "/links/confirm-" not in mailing.server.letters[2].part("text/plain")


async def test_a_second_reminder_of_an_event_is_no_change_of_it(mailing: Mailing) -> None:
    first = await mailing.mail()
    await mailing.go()

    def again() -> None:
        alarm = Alarm.get_by_id(first)
        alarm.id, alarm.status, alarm.num_attempt = None, AlarmStatus.PENDING, 0
        alarm.due = MORNING
        alarm.save(force_insert=True)

    await mailing.write(again)
    await mailing.go()
    one, two = (invitation(letter)[1] for letter in mailing.server.letters)
    assert (one["UID"], one["SEQUENCE"]) == (two["UID"], two["SEQUENCE"])
    assert await mailing.write(Message.select().where(Message.current).count) == 1


async def test_the_servers_5xx_is_final_its_4xx_is_tried_again(mailing: Mailing) -> None:
    mailing.server.replies = {"ann@example.com": "550 no such user", "bob@example.com": "451 wait"}
    final = await mailing.mail(maxretry=5)
    later = await mailing.mail("bob@example.com")
    await mailing.go()
    await mailing.go()
    alarm = await mailing.get(final)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "refused")
    assert "550 no such user" in dict(await mailing.words(final))["mail_failed"]
    mailing.server.replies = {}
    with at(MORNING + timedelta(seconds=11)):
        await mailing.go()
        await mailing.go()
    assert [letter.recipient for letter in mailing.server.letters] == ["bob@example.com"]
    assert (await mailing.get(later)).status == AlarmStatus.SUCCESS


async def test_a_lost_answer_to_the_data_is_an_unknown_fate(mailing: Mailing) -> None:
    mailing.server.vanishes = True
    alarm_id = await mailing.mail(maxretry=1, retry_delay=60)
    await mailing.go()
    mailing.server.vanishes = False
    alarm = await mailing.get(alarm_id)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.RETRY, "unknown")
    with at(MORNING + timedelta(seconds=61)):
        await mailing.go()
    first, second = mailing.server.letters
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert (await mailing.get(alarm_id)).status == AlarmStatus.SUCCESS


async def test_a_listed_address_gets_nothing_and_a_wrong_one_fails(mailing: Mailing) -> None:
    def opt_out() -> None:
        dnc = DncList.create(owner=mailing.calendar.owner_id, name="d")
        DncContact.create(dnc=dnc, email="ann@example.com")

    await mailing.write(opt_out)
    listed = await mailing.mail("Ann@Example.com")
    wrong = await mailing.mail("a@b.c, d@e.f")
    await mailing.go()
    assert mailing.server.letters == []
    assert (await mailing.get(listed)).status_reason == "do_not_call"
    assert (await mailing.get(wrong)).status_reason == "no_recipient"


async def test_without_a_mail_server_the_alarm_waits_and_says_why(mailing: Mailing) -> None:
    mailing.admission = Admission(mailing.holder, ZoneInfo("UTC"), Composer(ZoneInfo("UTC")))
    alarm_id = await mailing.mail()
    await mailing.go()
    told = dict(await mailing.words(alarm_id))["deferred"]
    assert told.startswith("smtp.host is not configured; looked at again at ")


async def test_a_title_with_line_breaks_stays_one_header(mailing: Mailing) -> None:
    alarm_id = await mailing.mail(mail_template=None)
    await mailing.write(lambda: Event.update(title="Visit\r\nBcc: evil@example.com").execute())
    await mailing.go()
    (letter,) = mailing.server.letters
    assert letter.message["Bcc"] is None
    assert letter.message["Subject"].startswith("Visit Bcc: evil@example.com: Tuesday, March 3")
    _, event = invitation(letter)
    assert "Bcc: evil" in str(event["SUMMARY"])
    message = await mailing.write(lambda: Message.get(Message.alarm == alarm_id))
    assert message.status == MessageStatus.SENT
