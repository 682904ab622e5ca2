"""The transport of messages: each message goes out by its alarm method."""

import aiohttp

from telealarm import methods
from telealarm.methods.context import ComposedMessage, OutgoingMessage, Transports
from telealarm.models import Message
from telealarm.rules.delivery import Receipt
from telealarm.store.messages.compose import gateway_context


def http_session() -> aiohttp.ClientSession:
    """Return the HTTP session for gateways. It opens a new connection for each request.

    The other side may close a kept connection just when it is used. Then it would be unknown
    whether the message arrived.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class MessageTransport:
    """Sends messages by their methods."""

    def __init__(self, transports: Transports) -> None:
        self._transports = transports

    async def send(self, message: Message) -> Receipt:
        """Send the message. Return the receipt. Raises TransportError.

        Each method has a time limit.
        """
        method = methods.of_message(message.method)
        return await method.send(_outgoing(message), self._transports)


def _outgoing(message: Message) -> OutgoingMessage:
    return OutgoingMessage(
        id=message.uid,
        recipient=message.recipient,
        body=ComposedMessage(
            text=message.text,
            sender=message.sender,
            subject=message.subject,
            html=message.html,
            unsubscribe=message.unsubscribe,
            encoding=message.encoding,
            segments=message.segments,
            invitation=message.invitation,
        ),
        gateway=gateway_context(message.gateway),
        sequence=message.sequence,
    )
