"""What an alarm by SMS or mail says: its template with the placeholders put in."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telealarm import i18n
from telealarm.errors import Invalid
from telealarm.models import Alarm, CalendarSetting, Event, Installation, MailTemplate, SmsTemplate
from telealarm.rules import mail_bodies, phone, placeholders, signed_links, sms_segments
from telealarm.store.engine import time_zones
from telealarm.store.engine.timeline import record
from telealarm.store.messages.template_values import values
from telealarm.words import MessageTimeline, Method

LONGEST_MAIL = 200_000
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}", re.ASCII)
_OWN_LINKS = ("confirm_url", "cancel_url", "unsubscribe_url")
# How long the link that ends mails works.
UNSUBSCRIBE = timedelta(days=365)


@dataclass(frozen=True)
class Composer:
    """Writes messages. `public_url` and `mail_sender` are the configuration's."""

    public_url: str = "http://127.0.0.1:8000"
    # The From of templates that name none; None where no mail server is configured.
    mail_sender: str | None = None

    @property
    def has_mail_server(self) -> bool:
        return self.mail_sender is not None

    def message(self, alarm: Alarm, setting: CalendarSetting, now: datetime) -> dict[str, Any]:
        """The columns of the alarm's message. Raises Invalid where it cannot be written."""
        if alarm.method == Method.EMAIL:
            return self._mail(alarm, now)
        if not phone.is_dialable(alarm.alarm_phonenumber):
            raise Invalid({"alarm_phonenumber": ["an alarm by SMS needs a phone number"]})
        template = alarm.sms_template
        text = self.sms(template, self.values(alarm, now), alarm.language)
        columns = sms_segments.columns(text)
        if columns["text"] != text:
            needed = sms_segments.size(text).segments
            why = f"the text needs {needed} segments; {sms_segments.MOST_SEGMENTS} are sent"
            record(alarm.id, MessageTimeline.SMS_CUT, why, at=now)
        assert setting.sms_gateway is not None  # without one the attempt has failed already
        own = str(setting.sms_gateway.settings.get("sender", ""))
        return {
            "method": Method.SMS,
            "gateway": setting.sms_gateway,
            "recipient": alarm.alarm_phonenumber,
            "tail": phone.tail(alarm.alarm_phonenumber),
            "sender": (template.sender_phonenumber if template else "") or own,
            **columns,
        }

    def sms(
        self, template: SmsTemplate | None, said: dict[str, object], language: str | None
    ) -> str:
        """What an SMS by `template` says; it may be too long to be sent whole."""
        text = template.sms_text if template else i18n.of(language).written.message.sms
        return placeholders.fill(text, said)

    def mail(
        self, template: MailTemplate | None, said: dict[str, object], language: str | None
    ) -> dict[str, Any]:
        """The subject and the two bodies of a mail by `template`.

        One that has no link of ours in it gets them at its end.
        """
        ours = i18n.of(language).written.message
        subject = template.subject if template else ours.mail_subject
        plain = template.message_plaintext if template else ours.mail_text
        markup = template.message_html if template else ""
        has_links = any("{" + name + "}" in plain + markup for name in _OWN_LINKS)
        text = placeholders.fill(plain, said, LONGEST_MAIL)
        html = placeholders.fill(markup, mail_bodies.escaped(said), LONGEST_MAIL)
        text, html = text or mail_bodies.as_text(html), html or mail_bodies.as_html(text)
        if not has_links:
            words = i18n.of(language).written.mail
            links = {
                getattr(words, name.removesuffix("_url")): str(said[name])
                for name in _OWN_LINKS
                if said.get(name)
            }
            text = f"{text}\n\n{mail_bodies.links_as_text(links)}\n"
            html = mail_bodies.with_links(html, links)
        line = " ".join(placeholders.fill(subject, said).split())
        return {"subject": line[:900], "text": text, "html": html}

    def _mail(self, alarm: Alarm, now: datetime) -> dict[str, Any]:
        event, template = alarm.event, alarm.mail_template
        written = self.mail(template, self.values(alarm, now), alarm.language)
        return written | self.envelope(alarm, event, template, now)

    def envelope(
        self, alarm: Alarm, event: Event, template: MailTemplate | None, now: datetime
    ) -> dict[str, Any]:
        """The columns of any mail to the recipient of `alarm`. Raises Invalid."""
        if not _ADDRESS.fullmatch(alarm.alarm_email):
            raise Invalid({"alarm_email": ["an alarm by email needs one address"]})
        own_address = (template.from_email if template else "") or self.mail_sender
        own_name = template.from_name if template else ""
        return {
            "method": Method.EMAIL,
            "gateway": None,
            "recipient": alarm.alarm_email,
            "sender": f"{own_name} <{own_address}>" if own_name else own_address,
            "unsubscribe": self._unsubscribe(alarm, now),
            "starts": event.start,
            "ends": event.end,
            "invitation": {
                "uid": f"event-{event.id}@{Installation.get().name}.telealarm",
                "title": event.title,
                "description": event.description or "",
                "start": event.start.isoformat(),
                "end": event.end.isoformat(),
                "zone": time_zones.of_event(event).key,
                "organizer": own_address,
                "organizer_name": own_name,
                "cancelled": False,
            },
        }

    def values(self, alarm: Alarm, now: datetime) -> dict[str, object]:
        """What placeholders stand for; of an alarm that is not written yet, without links."""
        event = alarm.event
        said: dict[str, object] = {
            "alarm_email": alarm.alarm_email,
            **values(alarm, event, now),
        }
        if alarm.id is not None:
            said |= {
                "confirm_url": self._link("confirm", alarm, event.end),
                "cancel_url": self._link("cancel", alarm, event.end),
                "unsubscribe_url": self._unsubscribe(alarm, now),
            }
        return said

    def _unsubscribe(self, alarm: Alarm, now: datetime) -> str:
        """A link for whom it is sent to, also when the alarm has another recipient by then."""
        recipient = alarm.alarm_phonenumber
        if alarm.method == Method.EMAIL:
            recipient = alarm.alarm_email
        return self._link("unsubscribe", alarm, now + UNSUBSCRIBE, recipient)

    def _link(self, kind: str, alarm: Alarm, expires: datetime, recipient: str = "") -> str:
        link = signed_links.Link(kind, alarm.id, expires, recipient)
        return f"{self.public_url}/links/{signed_links.token(Installation.get().secret, link)}"
