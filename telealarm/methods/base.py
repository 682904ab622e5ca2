"""What an alarm method is. Each has a file beside this one, and nothing else names it."""

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
    """What a recipient is reached at; the value is the alarm's field that holds it.

    A calendar user's `prefixes` limit phone numbers alone. Do-not-call lists hold both.
    """

    PHONE = "alarm_phonenumber"
    MAIL = "alarm_email"

    @property
    def field(self) -> str:
        return self.value

    def clean(self, text: str) -> str:
        """The address as the alarm's field keeps it."""
        return phone.clean(text) if self is Address.PHONE else text


class AlarmMethod(ABC):
    """How an alarm reaches its recipient.

    number        how the API and the rows name the method; never changed
    name          the API's word for it, also as the `action` of plan/
    title         the same within a sentence
    address       what its recipients are reached at
    uses_channel  an attempt is a call: it waits for the caps of dialing, and an Asterisk channel
                  speaks its survey. An attempt of any other method is a message in the outbox.
    uses_gateway  a message goes out by the SMS gateway of the calendar setting

    The docstring of a method says what happens to its recipient. The words that only the method
    writes into reasons and timelines are classes of `Words` in its file.
    """

    number: ClassVar[int]
    name: ClassVar[str]
    title: ClassVar[str]
    address: ClassVar[Address] = Address.PHONE
    uses_channel: ClassVar[bool] = False
    uses_gateway: ClassVar[bool] = False

    @property
    def no_address(self) -> str:
        """What is wrong with an alarm that has nothing in the field of the address."""
        return f"must not be empty in an alarm by {self.title}"

    def missed_text(self, language: str | None) -> str:
        """The bad news of an alarm that was not attempted in time."""
        return f"The {self.title} to {{alarm_phonenumber}} was not sent in time: {{title}}"

    def refusal(self, gateway: GatewayContext | None) -> str:
        """The reason for which an attempt fails at once; empty if it can be made.

        `gateway` is the calendar setting's, if the method uses one. Plans show it too.
        """
        return ""

    def remarks(self, config: Config) -> list[str]:
        """What is worth knowing about the configuration, for check-config."""
        return []


class MessageMethod(AlarmMethod):
    """A method whose attempts are messages.

    template  the alarm's field that names its template; empty: it has none
    at_once   how many messages one worker sends at the same time; of a gateway, its own field
    timeline  the timeline's word for a message that was sent, failed, or is of unknown fate
    """

    template: ClassVar[str] = ""
    at_once: ClassVar[int] = 1
    timeline: ClassVar[Mapping[MessageStatus, str]] = {
        MessageStatus.SENT: MessageTimeline.SENT,
        MessageStatus.FAILED: MessageTimeline.FAILED,
        MessageStatus.UNKNOWN: MessageTimeline.UNKNOWN,
    }

    def obstacle(self, gateway: GatewayContext | None, config: Config) -> Obstacle | None:
        """Why an attempt waits; None if it can be made now."""
        return None

    @abstractmethod
    def compose(self, context: MessageContext) -> ComposedMessage:
        """Write the message. Raises Invalid, naming the field, if nobody can be reached there."""

    @abstractmethod
    async def send(self, message: OutgoingMessage, transports: Transports) -> Receipt:
        """Hand the message over, within a time limit of the method's own.

        Raises TransportError with the words of the other side: permanent, temporary, or unknown if
        it cannot be told whether the message was taken.
        """


class MissingMethod(MessageMethod):
    """Stands for a method whose file is gone: alarms of it fail, and others go on."""

    name = title = "missing"

    def __init__(self, number: int) -> None:
        self._why = f"there is no alarm method {number}; put its file back into telealarm/methods"

    def refusal(self, gateway: GatewayContext | None) -> str:
        return Reason.NO_METHOD

    def compose(self, context: MessageContext) -> ComposedMessage:
        raise NotImplementedError(self._why)

    async def send(self, message: OutgoingMessage, transports: Transports) -> Receipt:
        raise TransportError(self._why)
