"""What a kind of SMS gateway is, and the words that all kinds share."""

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
class Sms:
    """`id` is the same each time the message is tried, so that a gateway can drop doubles."""

    id: str
    recipient: str
    sender: str
    text: str


@dataclass(frozen=True)
class SmsTransports:
    """What gateways are reached by. `ami` is None where none is configured."""

    http: aiohttp.ClientSession
    ami: AmiActions | None


class SmsProvider(ABC):
    """A kind of gateway: the settings that it takes, and how a message is handed over."""

    name: str

    @abstractmethod
    def check(self, settings: Mapping[str, Any]) -> None:
        """Raises ValueError with a sentence that says what would be right."""

    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """The settings as a JSON Schema, for the API's document."""

    @abstractmethod
    async def send(self, sms: Sms, settings: Mapping[str, Any], means: SmsTransports) -> Receipt:
        """Hand the message over, within a time limit of the kind's own.

        Raises TransportError with the gateway's words: permanent, temporary, or unknown where it
        cannot be told whether the gateway took it.
        """


def filled(template: str, sms: Sms, escape: Callable[[str], str]) -> str:
    """`template` with {to}, {from}, {text} and {id} put in, each escaped.

    What a value holds is not looked at again.
    """
    values = {"to": sms.recipient, "from": sms.sender, "text": sms.text, "id": sms.id}
    return _PLACEHOLDER.sub(lambda match: escape(values[match[1]]), template)


def only(value: Any, known: set[str], name: str) -> None:
    """Raises ValueError unless `value` is an object of the `known` keys."""
    if not isinstance(value, dict):
        raise ValueError(f"{name}: must be a JSON object")
    unknown = set(value) - known
    if unknown:
        raise ValueError(
            f"{name}: {', '.join(sorted(unknown))} is unknown; it may hold"
            f" {', '.join(sorted(known))}"
        )


def one_line(value: Any, name: str) -> None:
    """Raises ValueError unless `value` is a text without control characters."""
    if not isinstance(value, str):
        raise ValueError(f"{name}: must be a text")
    if not value.isprintable():
        raise ValueError(f"{name}: must be a text of one line, without control characters")


def found_at(answer: Any, path: str) -> Any:
    """The value at `messages.0.id` of an answer, or None."""
    for step in path.split("."):
        if isinstance(answer, dict):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isascii() and step.isdigit() and len(step) < 9:
            answer = answer[int(step)] if int(step) < len(answer) else None
        else:
            return None
    return answer
