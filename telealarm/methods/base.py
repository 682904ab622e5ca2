"""The interface of an alarm method. Each method has its own file here. No other file names it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from telealarm.config.model import Config
from telealarm.errors import TransportError
from telealarm.methods.context import (
    ComposedMessage,
    GatewayContext,
    MessageContext,
    Obstacle,
    OutgoingMessage,
    Transports,
)
from telealarm.rules import phone
from telealarm.rules.delivery import Receipt
from telealarm.words import MessageStatus, MessageTimeline, Reason


class Address(Enum):
    """The kind of address of a recipient. The value is the alarm's field that holds the address.

    A calendar user's `prefixes` limit only phone numbers. Do-not-call lists hold both kinds.
    """

    PHONE = "alarm_phonenumber"
    MAIL = "alarm_email"

    @property
    def field(self) -> str:
        return self.value

    def clean(self, text: str) -> str:
        """Return the address in the form that the alarm's field keeps."""
        return phone.clean(text) if self is Address.PHONE else text


class AlarmMethod(ABC):
    """How an alarm reaches its recipient.

    number        the number of the method in the API and in rows; it never changes
    name          the API's word for the method, also the `action` of plan/
    title         the name of the method in a sentence
    address       the kind of address that its recipients have
    uses_channel  an attempt is a call: it waits for the caps of dialing, and an Asterisk channel
                  speaks its survey. An attempt of any other method is a message in the outbox.
    uses_gateway  a message is sent by the SMS gateway of the calendar setting

    The docstring of a method says what happens to the recipient. The file of a method also has the
    reasons and timeline words that only this method writes, as classes of `Words`.
    """

    number: ClassVar[int]
    name: ClassVar[str]
    title: ClassVar[str]
    address: ClassVar[Address] = Address.PHONE
    uses_channel: ClassVar[bool] = False
    uses_gateway: ClassVar[bool] = False

    @property
    def no_address(self) -> str:
        """Return what is wrong with an alarm if the field of its address is empty."""
        return f"must not be empty in an alarm by {self.title}"

    def missed_text(self, language: str | None) -> str:
        """Return the text of the SMS about an alarm that was not attempted in time."""
        return f"The {self.title} to {{alarm_phonenumber}} was not sent in time: {{title}}"

    def refusal(self, gateway: GatewayContext | None) -> str:
        """Return the reason why an attempt fails at once. It is empty if the attempt can be made.

        `gateway` is the gateway of the calendar setting, if the method uses one. Plans also
        show the reason.
        """
        return ""

    def remarks(self, config: Config) -> list[str]:
        """Return remarks about the configuration, for check-config."""
        return []


class MessageMethod(AlarmMethod):
    """A method whose attempts are messages.

    template  the alarm's field that names its template; empty: the method has no templates
    at_once   how many messages one worker sends at the same time; a gateway has its own limit
    timeline  the timeline's word for a message that was sent or failed, or whose fate is unknown
    """

    template: ClassVar[str] = ""
    at_once: ClassVar[int] = 1
    timeline: ClassVar[Mapping[MessageStatus, str]] = {
        MessageStatus.SENT: MessageTimeline.SENT,
        MessageStatus.FAILED: MessageTimeline.FAILED,
        MessageStatus.UNKNOWN: MessageTimeline.UNKNOWN,
    }

    def obstacle(self, gateway: GatewayContext | None, config: Config) -> Obstacle | None:
        """Return why an attempt must wait, or None if it can be made now."""
        return None

    @abstractmethod
    def compose(self, context: MessageContext) -> ComposedMessage:
        """Return the message. Raise Invalid with the field if its address cannot be used."""

    @abstractmethod
    async def send(self, message: OutgoingMessage, transports: Transports) -> Receipt:
        """Send the message within the time limit of the method, and return its receipt.

        Raise TransportError with the text of the other side if the message was not taken. The error
        is permanent, temporary, or unknown. Unknown: the message may have been taken.
        """


class MissingMethod(MessageMethod):
    """The stand-in for a method whose file is missing. Only the alarms of this method fail."""

    name = title = "missing"

    def __init__(self, number: int) -> None:
        self._why = f"there is no alarm method {number}; put its file back into telealarm/methods"

    def refusal(self, gateway: GatewayContext | None) -> str:
        return Reason.NO_METHOD

    def compose(self, context: MessageContext) -> ComposedMessage:
        raise NotImplementedError(self._why)

    async def send(self, message: OutgoingMessage, transports: Transports) -> Receipt:
        raise TransportError(self._why)
