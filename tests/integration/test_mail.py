"""Alarms by mail: a real SMTP server with TLS, and the mails read by another parser."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.header import decode_header
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import time_machine
from icalendar import Calendar as ICalendar

from telealarm.clock import utcnow
from telealarm.config.model import ApiConfig, Config, SmtpConfig
from telealarm.messaging.dispatcher import MessageDispatcher
from telealarm.messaging.invitation_updater import InvitationUpdater
from telealarm.messaging.transport import MessageTransport, http_session
from telealarm.methods.context import Transports
from telealarm.models import (
    Alarm,
    DncContact,
    DncList,
    Event,
    MailTemplate,
    Message,
    Rule,
    WebhookDelivery,
)
from telealarm.planning.series import SeriesPlanner
from telealarm.store.calendars import events, occurrences
from telealarm.store.dialing.admission import Admission
from telealarm.store.engine.database import Database
from telealarm.store.messages import invitations
from telealarm.store.messages.compose import Composer
from telealarm.store.messaging import claim
from telealarm.store.webhooks import webhooks
from telealarm.transports.smtp import SmtpTransport
from telealarm.words import AlarmStatus, MessageStatus
from tests.integration.stages import HOUR, Stages
from tests.lab.mail_server import Letter, MailServer

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CALL, SMS, EMAIL = 1, 2, 3  # the numbers of the methods


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    made = MailServer(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def mailer(server: MailServer) -> AsyncIterator[SmtpTransport]:
    made = SmtpTransport(SmtpConfig(**server.settings()))
    yield made
    await made.close()


class Mailing(Stages):
    server: MailServer
    mailer: SmtpTransport
    sender: MessageDispatcher
    renewer: InvitationUpdater

    async def connect(
        self, server: MailServer, mailer: SmtpTransport, transports: Transports
    ) -> None:
        self.server, self.mailer = server, mailer
        self.composer = Composer(
            Config(
                api=ApiConfig(public_url="https://clinic.example"),
                smtp=SmtpConfig(host="mail.clinic.example", sender="noreply@clinic.example"),
            )
        )
        self.admission = Admission(self.holder, self.composer)
        self.sender = MessageDispatcher(self.db, self.holder, MessageTransport(transports).send)
        self.renewer = InvitationUpdater(self.db, self.composer)
        owner = self.calendar.owner_id
        self.template = await self.write(
            MailTemplate.create,
            owner=owner,
            label="t",
            from_email="desk@clinic.example",
            from_name="The Clinic",
            subject="{title} with {doc}",
            message_plaintext="Dear {who},\nsee you at {start_time}.",
            message_html="<p>Dear <b>{who}</b></p>",
        )

    async def mail(self, address: str = "ann@example.com", **columns: Any) -> int:
        columns.setdefault("data", {"who": "Ann <script>", "doc": "Dr. Ng"})
        columns.setdefault("mail_template", self.template)
        columns.setdefault("start", MORNING + 24 * HOUR)
        columns.setdefault("advance_notice", 24 * 3600)
        return await self.alarm("", method=EMAIL, alarm_email=address, **columns)

    async def go(self) -> None:
        await self.renewer.step()
        await self.claim()
        await self.sender.step()
        await self.sender.settled()


@pytest_asyncio.fixture
async def mailing(
    db: Database, server: MailServer, mailer: SmtpTransport
) -> AsyncIterator[Mailing]:
    with at(MORNING):
        async with http_session() as session:
            stages = await Mailing.build(db)
            assert isinstance(stages, Mailing)
            await stages.connect(server, mailer, Transports(session, mail=mailer))
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
    (zone,) = ICalendar.from_ical(letter.part("text/calendar")).walk("VTIMEZONE")
    assert str(zone["TZID"]) == "Europe/Madrid"
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
        events.change(event, times, utcnow())

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


class Weekly:
    """A series of visits whose first one the recipient was invited to."""

    def __init__(self, mailing: Mailing, alarm_id: int) -> None:
        self.mailing, self.alarm_id = mailing, alarm_id

    @classmethod
    async def begin(cls, mailing: Mailing) -> "Weekly":
        weekly = cls(mailing, await mailing.mail())

        def recur() -> None:
            rule = Rule.create(name="weekly", frequency="WEEKLY", params="count:3")
            event = weekly.event()
            values = {"rule": rule, "made_to": event.start, "next_child_due": utcnow()}
            Event.update(values).where(Event.id == event.id).execute()

        await mailing.write(recur)
        await weekly.go()
        return weekly

    def event(self) -> Event:
        found: Event = Alarm.get_by_id(self.alarm_id).event
        return found

    async def change(self, work: Callable[..., Any], *at: datetime) -> None:
        await self.mailing.write(lambda: work(self.event(), *at, utcnow()))
        await self.go()

    async def go(self) -> None:
        await SeriesPlanner(self.mailing.db).step()
        for _ in range(3):
            await self.mailing.go()

    def said(self) -> list[tuple[str, str, int, datetime]]:
        """METHOD, UID, SEQUENCE and start of all that came."""
        found = [invitation(letter) for letter in self.mailing.server.letters]
        return [
            (method, str(one["UID"]), int(one["SEQUENCE"]), one["DTSTART"].dt.astimezone(UTC))
            for method, one in found
        ]


FIRST = MORNING + 24 * HOUR


async def test_the_first_occurrence_alone_is_called_off(mailing: Mailing) -> None:
    weekly = await Weekly.begin(mailing)
    await weekly.change(occurrences.cancel, FIRST)
    (_, uid, _, _), told = weekly.said()
    assert told == ("CANCEL", uid, 1, FIRST)


async def test_the_first_occurrence_alone_is_moved_and_then_called_off(mailing: Mailing) -> None:
    weekly = await Weekly.begin(mailing)
    later = FIRST + 26 * HOUR
    await weekly.change(occurrences.move, FIRST, later)
    (_, uid, _, _), moved = weekly.said()
    assert moved == ("REQUEST", uid, 1, later)
    with at(later - 24 * HOUR):
        await weekly.go()  # its own reminder is a repetition
        assert weekly.said()[2:] == [("REQUEST", uid, 1, later)]
        await weekly.change(occurrences.cancel, later)
    assert weekly.said()[3:] == [("CANCEL", uid, 2, later)]


async def test_another_occurrence_has_an_invitation_of_its_own_that_follows_it(
    mailing: Mailing,
) -> None:
    weekly = await Weekly.begin(mailing)
    second = FIRST + timedelta(days=7)
    with at(second - 24 * HOUR):
        await weekly.go()
        (_, first, _, _), (_, uid, sequence, start) = weekly.said()
        assert (uid != first, sequence, start) == (True, 0, second)
        await weekly.change(occurrences.move, second, second + HOUR)
        await weekly.change(occurrences.cancel, second + HOUR)
    assert weekly.said()[2:] == [
        ("REQUEST", uid, 1, second + HOUR),
        ("CANCEL", uid, 2, second + HOUR),
    ]


async def test_what_may_have_arrived_is_cancelled_too(mailing: Mailing) -> None:
    mailing.server.vanishes = True
    alarm_id = await mailing.mail()
    await mailing.go()
    mailing.server.vanishes = False
    assert (await mailing.get(alarm_id)).status_reason == "unknown"
    await mailing.write(lambda: events.delete(Alarm.get_by_id(alarm_id).event, utcnow()))
    await mailing.go()
    assert [invitation(one)[0] for one in mailing.server.letters] == ["REQUEST", "CANCEL"]


async def test_an_alarm_that_tells_another_by_now_still_cancels_for_whom_it_invited(
    mailing: Mailing,
) -> None:
    alarm_id = await mailing.mail()
    await mailing.go()

    def change() -> None:
        columns = {"alarm_email": "bob@example.com", "method": CALL}
        Alarm.update(columns | {"alarm_phonenumber": "600"}).where(Alarm.id == alarm_id).execute()
        events.delete(Alarm.get_by_id(alarm_id).event, utcnow())

    await mailing.write(change)
    await mailing.go()
    await mailing.go()
    first, second = mailing.server.letters
    assert first.recipient == second.recipient == "ann@example.com"
    assert invitation(second)[0] == "CANCEL"
    assert b"ann@example.com".hex() in second.message["List-Unsubscribe"]


async def test_two_workers_renew_an_invitation_once(mailing: Mailing) -> None:
    alarm_id = await mailing.mail()
    await mailing.go()
    await mailing.write(lambda: events.delete(Alarm.get_by_id(alarm_id).event, utcnow()))
    other = Database(mailing.db.peewee)  # threads, and with them connections, of its own
    other.start()
    try:
        (wrong,) = await mailing.db.read(invitations.outdated, utcnow())
        await asyncio.gather(
            *(
                one.write(invitations.renew, wrong, mailing.composer, utcnow())
                for one in (mailing.db, other)
                for _ in range(3)
            )
        )
    finally:
        await other.close()
    await mailing.go()
    await mailing.go()
    assert [invitation(one)[0] for one in mailing.server.letters] == ["REQUEST", "CANCEL"]


async def test_a_title_like_an_encoded_word_makes_no_header(mailing: Mailing) -> None:
    """It is a subject's placeholder, so it passes by what the API says of templates."""
    title = "=?utf-8?q?x=0D=0ABcc:_evil@example.com?="
    await mailing.mail(mail_template=None)
    await mailing.write(lambda: Event.update(title=title).execute())
    await mailing.go()
    (letter,) = mailing.server.letters
    assert b"Bcc" not in letter.raw.partition(b"\r\n\r\n")[0]
    (told,) = decode_header(message_from_bytes(letter.raw)["Subject"])
    assert told[0].decode().startswith(title)


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


async def test_webhooks_are_told_of_attempts_by_mail_as_of_calls(mailing: Mailing) -> None:
    hook = {"target_url": "https://example.com/told", "events": []}
    await mailing.write(webhooks.add, mailing.calendar.owner_id, hook)
    mailing.server.replies = {"ann@example.com": "550 no such user"}
    failed, sent = await mailing.mail(), await mailing.mail("bob@example.com")
    await mailing.go()
    await mailing.go()

    def told(alarm_id: int) -> list[tuple[str, int]]:
        rows = WebhookDelivery.select().where(WebhookDelivery.alarm == alarm_id)
        return [(one.type, json.loads(one.payload)["data"]["status"]) for one in rows]

    ended = "attempt.ended"
    assert await mailing.write(told, failed) == [(ended, 3), ("alarm.failed", 3)]
    assert await mailing.write(told, sent) == [(ended, 5)]


@pytest.mark.long
async def test_a_server_down_for_an_hour_what_is_wanted_is_sent_once_and_the_rest_is_missed(
    mailing: Mailing,
) -> None:
    await mailing.server.stop()
    late = await mailing.mail("late@x.y", start=MORNING + HOUR / 2, advance_notice=1800)
    wanted = [await mailing.mail(f"{number}@x.y") for number in range(5)]
    for minutes in range(0, 90, 5):
        if minutes == 60:
            await mailing.server.start()
        with at(MORNING + timedelta(minutes=minutes)):
            await mailing.go()
    took = sorted(letter.recipient for letter in mailing.server.letters)
    assert took == [f"{number}@x.y" for number in range(5)]
    for alarm_id in wanted:
        alarm = await mailing.get(alarm_id)
        assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)
    alarm = await mailing.get(late)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.MISSED, "late")


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
    mailing.admission = Admission(mailing.holder, Composer())
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
    message = await mailing.write(Message.get, Message.alarm == alarm_id)
    assert message.status == MessageStatus.SENT


async def test_mails_that_find_no_room_in_the_outbox_hold_up_no_sms(mailing: Mailing) -> None:
    for _ in range(25):
        await mailing.mail()
    await mailing.claim()
    sms = await mailing.alarm("600100", method=SMS)
    await mailing.claim(limit=1)
    count = await mailing.write(lambda: Message.select().where(Message.method == EMAIL).count())
    assert count == claim.OUTBOX == 20
    assert await mailing.write(lambda: Message.select().where(Message.alarm == sms).count()) == 1
