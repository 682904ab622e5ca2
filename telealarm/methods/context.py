"""What an alarm method is given, and what it returns: plain values, never rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import aiohttp

from telealarm.config.model import Config
from telealarm.rules.delivery import Mail, Receipt


@dataclass(frozen=True)
class GatewayContext:
    """An SMS gateway; `settings` are those that its provider asks for."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    is_active: bool


@dataclass(frozen=True)
class EventContext:
    """The event of an alarm; `uid` is its name in calendars."""

    uid: str
    title: str
    description: str
    start: datetime
    end: datetime
    zone: ZoneInfo


@dataclass(frozen=True)
class MessageContext:
    """What a message is written from.

    recipient        what the alarm has in the field of the method's address
    language         the recipient's; None: nobody knows it
    values           what placeholders stand for
    template         the columns of the alarm's template; None: it names none
    gateway          what the message goes out by, if the method uses a gateway
    unsubscribe_url  the link by which the recipient ends all messages
    note             writes a word and a sentence into the alarm's timeline
    """

    recipient: str
    language: str | None
    values: Mapping[str, object]
    template: Mapping[str, Any] | None
    gateway: GatewayContext | None
    event: EventContext
    unsubscribe_url: str
    config: Config
    note: Callable[[str, str], None]


@dataclass(frozen=True)
class ComposedMessage:
    """A message as it is kept until it is sent; which of the fields count is up to the method.

    `encoding` and `segments` are those of an SMS; `invitation` is what a calendar file will say.
    """

    text: str
    sender: str = ""
    subject: str = ""
    html: str = ""
    unsubscribe: str = ""
    encoding: str = ""
    segments: int = 0
    invitation: dict[str, Any] | None = None


@dataclass(frozen=True)
class OutgoingMessage:
    """A message that is to be sent now.

    `id` is the same each time it is tried, so that the other side can drop doubles; `sequence`
    counts the versions of its invitation (RFC 5545 3.8.7.4).
    """

    id: str
    recipient: str
    body: ComposedMessage
    gateway: GatewayContext | None = None
    sequence: int = 0


@dataclass(frozen=True)
class Obstacle:
    """Why a message waits, in a word and in a sentence. It is looked at again soon."""

    reason: str
    why: str


class AmiActions(Protocol):
    """Asterisk's manager interface, as far as methods need it."""

    async def action(self, name: str, **fields: str) -> Mapping[str, str]:
        """Asterisk's answer. Raises TransportError where it cannot be asked, or says no."""


class MailServer(Protocol):
    """The mail server."""

    async def send(self, mail: Mail) -> Receipt:
        """Hand the mail over. Raises TransportError."""


@dataclass(frozen=True)
class Transports:
    """What methods send by. `ami` and `mail` are None if they are not configured.

    `http` keeps no connection open, so that each request has one of its own.
    """

    http: aiohttp.ClientSession
    ami: AmiActions | None = None
    mail: MailServer | None = None
    config: Config = field(default_factory=Config)
