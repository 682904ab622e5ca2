"""What an alarm method gets and returns: plain values, never rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import aiohttp

from telealarm.config.model import Config
from telealarm.rules.delivery import OutgoingMail, Receipt


@dataclass(frozen=True)
class GatewayContext:
    """An SMS gateway. `settings` are the settings of its provider."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    is_active: bool


@dataclass(frozen=True)
class EventContext:
    """The event of an alarm. `uid` identifies it in calendars."""

    uid: str
    title: str
    description: str
    start: datetime
    end: datetime
    zone: ZoneInfo


@dataclass(frozen=True)
class MessageContext:
    """The data for writing a message.

    recipient        the value of the alarm's field for the address of the method
    language         the recipient's language; None: not known
    values           the values of the placeholders
    template         the columns of the alarm's template; None: the alarm names none
    gateway          the gateway of the message, if the method uses one
    unsubscribe_url  the link with which the recipient stops all messages
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
    """A message that is stored until it is sent. The method decides which fields it uses.

    `encoding` and `segments` are for an SMS. `invitation` is the data of a calendar file.
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
    """A message to send now.

    `id` is the same at each try, so that the other side can drop duplicates. `sequence` counts the
    versions of the invitation (RFC 5545 3.8.7.4).
    """

    id: str
    recipient: str
    body: ComposedMessage
    gateway: GatewayContext | None = None
    sequence: int = 0


@dataclass(frozen=True)
class Obstacle:
    """Why a message waits, as a word and a sentence. The message is checked again soon."""

    reason: str
    why: str


class AmiActions(Protocol):
    """The part of Asterisk's manager interface that methods need."""

    async def action(self, name: str, **fields: str) -> Mapping[str, str]:
        """Return Asterisk's answer. Raise TransportError if AMI is down or refuses the action."""


class MailServer(Protocol):
    """The mail server."""

    async def send(self, mail: OutgoingMail) -> Receipt:
        """Send the mail and return its receipt. Raise TransportError if it is not taken."""


@dataclass(frozen=True)
class Transports:
    """The connections of the methods. `ami` and `mail` are None if they are not configured.

    `http` keeps no connection open: each request uses a new connection.
    """

    http: aiohttp.ClientSession
    ami: AmiActions | None = None
    mail: MailServer | None = None
    config: Config = field(default_factory=Config)
