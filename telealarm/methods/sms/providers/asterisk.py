"""A gateway that is our own Asterisk: SIP MESSAGE (RFC 3428), through AMI's MessageSend.

Asterisk takes the message and sends it on. We do not get the answer of the far end.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from telealarm.errors import TransportError
from telealarm.methods.sms.provider import (
    OutgoingSms,
    SmsProvider,
    SmsTransports,
    one_line,
    only,
)
from telealarm.rules.delivery import Receipt

# pjsip:<endpoint>/sip:{to}@host:port, or pjsip:{to}. No characters that the dialplan interprets.
_DESTINATION = re.compile(
    r"pjsip:[A-Za-z0-9_.:@/+\[\];=-]{0,200}\{to\}[A-Za-z0-9_.:@/+\[\];=-]{0,200}", re.ASCII
)
_FROM = re.compile(r"(?:[A-Za-z0-9 ]{0,40}<)?sips?:[A-Za-z0-9_.+@:-]{1,200}>?", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9A-D*#]{1,40}", re.ASCII)
# Bytes of one MESSAGE. The body is one line of AMI, in base64. A line of AMI has at most 1024
# characters. A MESSAGE has at most 1300 bytes (RFC 3428 8).
_LONGEST = 720
# Asterisk's answer if it does not know the endpoint, or if no phone is registered there.
_FAILED = "Message failed to send"


class AsteriskProvider(SmsProvider):
    """`{"destination": "pjsip:trunk/sip:{to}@provider", "from": "sip:clinic@provider"}`."""

    name = "asterisk"

    def check(self, settings: Mapping[str, Any]) -> None:
        only(settings, {"destination", "from", "sender", "inbound", "report"}, "settings")
        destination = settings.get("destination")
        if not isinstance(destination, str) or not _DESTINATION.fullmatch(destination):
            raise ValueError("destination: must look like pjsip:trunk/sip:{to}@provider.example")
        if "from" in settings:
            one_line(settings["from"], "from")
            if not _FROM.fullmatch(settings["from"]):
                raise ValueError("from: must look like sip:clinic@provider.example")
        one_line(settings.get("sender", ""), "sender")
        for hook in ("inbound", "report"):
            if settings.get(hook, {}) != {}:
                raise ValueError(f"{hook}: has no meaning for this kind; leave it out")

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "destination": {
                    "type": "string",
                    "pattern": r"^pjsip:[a-z0-9]{1,20}/sip:\{to\}@[a-z0-9.-]{1,60}$",
                },
                "from": {"type": "string", "pattern": r"^sip:[a-z0-9]{1,20}@[a-z0-9.-]{1,60}$"},
                "sender": {"type": "string", "pattern": r"^[\x20-\x7e]{0,40}$"},
            },
            "required": ["destination"],
            "additionalProperties": False,
        }

    async def send(
        self, sms: OutgoingSms, settings: Mapping[str, Any], means: SmsTransports
    ) -> Receipt:
        if means.ami is None:
            raise TransportError("asterisk.ami.user is not configured")
        if not _NUMBER.fullmatch(sms.recipient):
            raise TransportError(f"{sms.recipient!r} is no phone number", permanent=True)
        fields = {
            "Destination": settings["destination"].replace("{to}", sms.recipient),
            "Variable": f"X-TeleAlarm-Id={sms.id}",
        }
        if settings.get("from"):
            fields["From"] = settings["from"]
        answer: Mapping[str, str] = {}
        parts = _parts(sms.text)
        for number, part in enumerate(parts, 1):
            body = base64.b64encode(part.encode()).decode()
            try:
                answer = await means.ami.action("MessageSend", **fields, Base64Body=body)
            except TransportError as error:
                raise _explained(error, number, len(parts)) from error
        return Receipt("", answer.get("message", ""))


PROVIDER = AsteriskProvider()


def _parts(text: str) -> list[str]:
    """Return the text in parts that each fit into a MESSAGE. No character is split."""
    parts, current = [], ""
    for char in text:
        if len((current + char).encode()) > _LONGEST:
            parts.append(current)
            current = ""
        current += char
    return [*parts, current]


def _explained(error: TransportError, number: int, count: int) -> TransportError:
    """Return the error that says whether the text may be sent again.

    A refused text may be sent again: its phone may register later. If Asterisk took a part of the
    text, it is not sent again.
    """
    why = str(error)
    not_now = _FAILED in why
    if not_now:
        why += " Asterisk knows no such endpoint, or no phone is registered at it"
    if number > 1:
        return TransportError(f"part {number} of {count}: {why}", unknown=True)
    permanent = error.permanent and not not_now
    return TransportError(why, permanent=permanent, unknown=error.unknown)
