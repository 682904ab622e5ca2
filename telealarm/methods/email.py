"""Alarms by mail: the text, the invitation (RFC 5545), and how the mail server gets them."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from telealarm import i18n
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Invalid, TransportError
from telealarm.methods.base import Address, MessageMethod
from telealarm.methods.context import (
    ComposedMessage,
    GatewayContext,
    MessageContext,
    Obstacle,
    OutgoingMessage,
    Transports,
)
from telealarm.rules import invitation, mail_bodies, placeholders
from telealarm.rules.delivery import OutgoingMail, Receipt
from telealarm.words import MessageStatus, Words

LONGEST = 200_000
_LONGEST_SUBJECT = 900
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}", re.ASCII)
_OUR_LINKS = ("confirm_url", "cancel_url", "unsubscribe_url")


class Reason(Words):
    """`status_reason` of attempts by mail."""

    NO_MAIL_SERVER = "no_mail_server", "No mail server is configured; the attempt waits for one."


class TimelineWord(Words):
    """`what` of the rows of an alarm's timeline that are about its mails."""

    QUEUED = "mail_queued", "A mail about a moved or cancelled event waits to be sent."
    SENT = "mail_sent", "The mail server took the mail."
    FAILED = "mail_failed", "The mail server did not take the mail."
    UNKNOWN = "mail_unknown", "Nobody can tell whether the mail server took the mail."


class EmailMethod(MessageMethod):
    """The recipient gets a mail."""

    number = 3
    name = title = "email"
    address = Address.MAIL
    template = "mail_template"
    at_once = 1  # all messages use one connection
    timeline: ClassVar[Mapping[MessageStatus, str]] = {
        MessageStatus.SENT: TimelineWord.SENT,
        MessageStatus.FAILED: TimelineWord.FAILED,
        MessageStatus.UNKNOWN: TimelineWord.UNKNOWN,
    }

    def missed_text(self, language: str | None) -> str:
        return i18n.of(language).written.failure.mail_missed

    def obstacle(self, gateway: GatewayContext | None, config: Config) -> Obstacle | None:
        if config.mail_sender is None:
            return Obstacle(Reason.NO_MAIL_SERVER, "smtp.host is not configured")
        return None

    def remarks(self, config: Config) -> list[str]:
        if config.smtp.host is None:
            return ["smtp.host is null: alarms by email wait until they are missed"]
        if config.api.public_url is None:
            return [f"api.public_url is null: links in mails lead to {config.public_url}"]
        return []

    def compose(self, context: MessageContext) -> ComposedMessage:
        bodies = self.bodies(context.template, context.values, context.language)
        return self._addressed(context, bodies, cancelled=False)

    def renewed(self, context: MessageContext, *, cancelled: bool) -> ComposedMessage:
        """Return the mail about the event of an invitation that was moved or cancelled.

        Raise Invalid like `compose`.
        """
        values = dict(context.values)
        words = i18n.of(context.language).written.mail
        subject = placeholders.fill(words.called_off if cancelled else words.moved, values)
        if cancelled:
            values |= {"confirm_url": None, "cancel_url": None}
        bodies = self.bodies(None, values, context.language)
        return self._addressed(context, replace(bodies, subject=subject), cancelled=cancelled)

    def bodies(
        self,
        template: Mapping[str, Any] | None,
        values: Mapping[str, object],
        language: str | None,
    ) -> ComposedMessage:
        """Return the subject and the two bodies (text, html) of a mail by `template`.

        If the template has none of our links, they are added at the end of the bodies.
        """
        ours = i18n.of(language).written.message
        subject = template["subject"] if template else ours.mail_subject
        plain = template["message_plaintext"] if template else ours.mail_text
        markup = template["message_html"] if template else ""
        has_links = any("{" + name + "}" in plain + markup for name in _OUR_LINKS)
        text = placeholders.fill(plain, values, LONGEST)
        html = placeholders.fill(markup, mail_bodies.escaped(values), LONGEST)
        text, html = text or mail_bodies.as_text(html), html or mail_bodies.as_html(text)
        if not has_links:
            words = i18n.of(language).written.mail
            links = {
                getattr(words, name.removesuffix("_url")): str(values[name])
                for name in _OUR_LINKS
                if values.get(name)
            }
            text = f"{text}\n\n{mail_bodies.links_as_text(links)}\n"
            html = mail_bodies.with_links(html, links)
        line = " ".join(placeholders.fill(subject, values).split())
        return ComposedMessage(text=text, subject=line[:_LONGEST_SUBJECT], html=html)

    def _addressed(
        self, context: MessageContext, bodies: ComposedMessage, *, cancelled: bool
    ) -> ComposedMessage:
        if not _ADDRESS.fullmatch(context.recipient):
            raise Invalid({self.address.field: ["an alarm by email needs one address"]})
        template, event = context.template or {}, context.event
        from_address = template.get("from_email") or context.config.mail_sender or ""
        from_name = template.get("from_name") or ""
        return replace(
            bodies,
            sender=f"{from_name} <{from_address}>" if from_name else from_address,
            unsubscribe=context.unsubscribe_url,
            invitation={
                "uid": event.uid,
                "title": event.title,
                "description": event.description,
                "start": event.start.isoformat(),
                "end": event.end.isoformat(),
                "zone": event.zone.key,
                "organizer": from_address,
                "organizer_name": from_name,
                "cancelled": cancelled,
            },
        )

    async def send(self, message: OutgoingMessage, transports: Transports) -> Receipt:
        if transports.mail is None:
            raise TransportError("smtp.host is not configured")
        body = message.body
        name, _, address = body.sender.rpartition(" <")
        calendar, cancelled = "", False
        if body.invitation is not None:
            calendar = await asyncio.to_thread(_calendar_file, message, body.invitation)
            cancelled = body.invitation["cancelled"]
        return await transports.mail.send(
            OutgoingMail(
                id=message.id,
                recipient=message.recipient,
                from_address=address.removesuffix(">"),
                from_name=name,
                subject=body.subject,
                text=body.text,
                html=body.html,
                invitation=calendar,
                method="CANCEL" if cancelled else "REQUEST",
                unsubscribe=body.unsubscribe,
            )
        )


def _calendar_file(message: OutgoingMessage, invited: Mapping[str, Any]) -> str:
    return invitation.write(
        invitation.Invitation(
            uid=invited["uid"],
            sequence=message.sequence,
            title=invited["title"],
            description=invited["description"],
            start=datetime.fromisoformat(invited["start"]),
            end=datetime.fromisoformat(invited["end"]),
            zone=ZoneInfo(invited["zone"]),
            organizer=invited["organizer"],
            organizer_name=invited["organizer_name"],
            attendee=message.recipient,
            stamp=utcnow(),
            cancelled=invited["cancelled"],
        )
    )


METHOD = EmailMethod()
