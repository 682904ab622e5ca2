"""The interface of an SMS provider, and the functions that all providers share."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from telealarm.methods.context import AmiActions
from telealarm.rules.delivery import Receipt

_PLACEHOLDER = re.compile(r"\{(to|from|text|id)\}")


@dataclass(frozen=True)
class OutgoingSms:
    """An SMS to send. `id` is the same at each try, so that a gateway can drop duplicates."""

    id: str
    recipient: str
    sender: str
    text: str


@dataclass(frozen=True)
class SmsTransports:
    """The connections to gateways. `ami` is None if it is not configured."""

    http: aiohttp.ClientSession
    ami: AmiActions | None


class SmsProvider(ABC):
    """A kind of gateway: its settings, and how it sends a message."""

    name: str

    @abstractmethod
    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise ValueError if the settings are wrong. Its text says what to change."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the settings, for the API's document."""

    @abstractmethod
    async def send(
        self, sms: OutgoingSms, settings: Mapping[str, Any], means: SmsTransports
    ) -> Receipt:
        """Send the message within the time limit of the provider, and return its receipt.

        Raise TransportError with the gateway's text if the message was not taken. The error is
        permanent, temporary, or unknown. Unknown: the gateway may have taken the message.
        """


def filled(template: str, sms: OutgoingSms, escape: Callable[[str], str]) -> str:
    """Return `template` with the values of {to}, {from}, {text} and {id}, each escaped.

    Placeholders inside a value are not replaced.
    """
    values = {"to": sms.recipient, "from": sms.sender, "text": sms.text, "id": sms.id}
    return _PLACEHOLDER.sub(lambda match: escape(values[match[1]]), template)


def only(value: Any, known: set[str], name: str) -> None:
    """Raise ValueError if `value` is not an object, or has other keys than `known`."""
    if not isinstance(value, dict):
        raise ValueError(f"{name}: must be a JSON object")
    unknown = set(value) - known
    if unknown:
        raise ValueError(
            f"{name}: {', '.join(sorted(unknown))} is unknown; it may hold"
            f" {', '.join(sorted(known))}"
        )


def one_line(value: Any, name: str) -> None:
    """Raise ValueError if `value` is not a text, or has control characters."""
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be a text")
    if not value.isprintable():
        raise ValueError(f"{name}: must be a text of one line, without control characters")


def found_at(answer: Any, path: str) -> Any:
    """Return the value at a path like `messages.0.id` of an answer, or None."""
    for step in path.split("."):
        if isinstance(answer, dict):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isascii() and step.isdigit() and len(step) < 9:
            answer = answer[int(step)] if int(step) < len(answer) else None
        else:
            return None
    return answer
