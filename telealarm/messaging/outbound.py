"""The way out of one message: by its gateway's kind, or by mail."""

import aiohttp

from telealarm.errors import TransportError
from telealarm.gateways import kinds
from telealarm.gateways.kind import Means, Receipt, Sms
from telealarm.models import Message


def sms_session() -> aiohttp.ClientSession:
    """For the gateways. A connection for each request: one that is kept may be closed by the
    gateway just as it is used, and nobody could tell whether the message arrived.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class Outbound:
    """Hands messages over."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def send(self, message: Message) -> Receipt:
        """Raises TransportError. Every kind has a time limit of its own."""
        gateway = message.gateway
        kind = kinds().get(gateway.kind)
        if kind is None:
            raise TransportError(f"there is no kind {gateway.kind} of gateways")
        sms = Sms(
            id=message.uid,
            recipient=message.recipient,
            sender=message.sender,
            text=message.text,
        )
        return await kind.send(sms, gateway.settings, self._means)
