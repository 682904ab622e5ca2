"""The way out of one message: by its gateway's kind, or by mail."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import aiohttp

from telealarm.clock import utcnow
from telealarm.errors import TransportError
from telealarm.methods.sms.provider import Sms, SmsTransports
from telealarm.methods.sms.providers import providers
from telealarm.models import Message
from telealarm.rules import invitation
from telealarm.transports.smtp import Mail, SmtpTransport
from telealarm.words import Method


class AnyReceipt(Protocol):
    """The message was taken; `reference` is the taker's own id for it, `said` its words."""

    @property
    def reference(self) -> str: ...
    @property
    def said(self) -> str: ...


def sms_session() -> aiohttp.ClientSession:
    """For the gateways. A connection for each request: one that is kept may be closed by the
    gateway just as it is used, and nobody could tell whether the message arrived.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class MessageTransport:
    """Hands messages over. `mailer` is None where no mail server is configured."""

    def __init__(self, means: SmsTransports, mailer: SmtpTransport | None) -> None:
        self._means = means
        self._mailer = mailer

    async def send(self, message: Message) -> AnyReceipt:
        """Raises TransportError. Every way has a time limit of its own."""
        if message.method == Method.EMAIL:
            return await self._mail(message)
        gateway = message.gateway
        assert gateway is not None  # an SMS has one
        kind = providers().get(gateway.kind)
        if kind is None:
            raise TransportError(f"there is no kind {gateway.kind} of gateways")
        sms = Sms(
            id=message.uid,
            recipient=message.recipient,
            sender=message.sender,
            text=message.text,
        )
        return await kind.send(sms, gateway.settings, self._means)

    async def _mail(self, message: Message) -> AnyReceipt:
        if self._mailer is None:
            raise TransportError("smtp.host is not configured")
        name, _, address = message.sender.rpartition(" <")
        calendar, cancelled = "", False
        if message.invitation is not None:
            calendar = await asyncio.to_thread(_invitation, message, message.invitation)
            cancelled = message.invitation["cancelled"]
        return await self._mailer.send(
            Mail(
                id=message.uid,
                recipient=message.recipient,
                from_address=address.removesuffix(">"),
                from_name=name,
                subject=message.subject,
                text=message.text,
                html=message.html,
                invitation=calendar,
                method="CANCEL" if cancelled else "REQUEST",
                unsubscribe=message.unsubscribe,
            )
        )


def _invitation(message: Message, said: Mapping[str, Any]) -> str:
    return invitation.write(
        invitation.Invitation(
            uid=said["uid"],
            sequence=message.sequence,
            title=said["title"],
            description=said["description"],
            start=datetime.fromisoformat(said["start"]),
            end=datetime.fromisoformat(said["end"]),
            zone=ZoneInfo(said["zone"]),
            organizer=said["organizer"],
            organizer_name=said["organizer_name"],
            attendee=message.recipient,
            stamp=utcnow(),
            cancelled=said["cancelled"],
        )
    )
