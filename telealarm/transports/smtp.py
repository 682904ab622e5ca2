"""Mail by SMTP (RFC 5321): one connection, reused while it is open."""

import asyncio
import contextlib
import ssl
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.policy import EmailPolicy
from email.utils import format_datetime, quote
from typing import Any

import aiosmtplib

from telealarm.clock import monotonic, utcnow
from telealarm.config.model import SmtpConfig
from telealarm.errors import TransportError
from telealarm.rules.delivery import OutgoingMail, Receipt

# Servers close idle connections after some minutes (RFC 5321 4.5.3.2.7: 5). We close first.
IDLE_SECONDS = 60.0


class SmtpTransport:
    """Sends mails one after the other. Close it when done."""

    def __init__(self, config: SmtpConfig) -> None:
        self._config = config
        self._client: aiosmtplib.SMTP | None = None
        self._used = 0.0
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Close the connection."""
        async with self._lock:
            await self._hang_up()

    async def send(self, mail: OutgoingMail) -> Receipt:
        """Send the mail. Raises TransportError.

        It is permanent for 5xx, temporary for 4xx and if the server is down. If the connection is
        lost during the data, the fate is unknown.
        """
        message = compose(mail, self._config.sender).as_bytes()
        async with self._lock:
            try:
                return await self._transmit(mail, message)
            except asyncio.CancelledError:
                # A late answer would be taken for the answer to the next mail.
                self._drop()
                raise

    async def _transmit(self, mail: OutgoingMail, message: bytes) -> Receipt:
        client = await self._with_envelope(mail)
        try:
            reply = await client.data(message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise await self._failed(error, in_data=True) from error
        self._used = monotonic()
        return Receipt(message_id(mail, self._config.sender), f"{reply.code} {reply.message}")

    async def _with_envelope(self, mail: OutgoingMail) -> aiosmtplib.SMTP:
        """Return a connection on which the server accepted the envelope."""
        reused = self._client is not None
        client = await self._connected()
        try:
            await client.mail(self._config.sender)
            await client.rcpt(mail.recipient)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            failure = await self._failed(error, in_data=False)
            if reused and _code(error) is None:
                # The server closed the idle connection. Nothing of this mail was sent yet.
                return await self._with_envelope(mail)
            raise failure from error
        return client

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and monotonic() - self._used > IDLE_SECONDS:
            await self._hang_up()
        if self._client is None or not self._client.is_connected:
            client = None
            try:
                client = aiosmtplib.SMTP(**await asyncio.to_thread(_options, self._config))
                await client.connect()
            except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
                if client is not None:
                    client.close()
                raise TransportError(f"the mail server is not reached: {_words(error)}") from error
            self._client = client
        self._used = monotonic()
        return self._client

    async def _failed(self, error: Exception, *, in_data: bool) -> TransportError:
        """Return what an error means, and make the connection ready for the next mail."""
        code = _code(error)
        if code is None:
            await self._hang_up()
            return TransportError(f"broken off: {_words(error)}", unknown=in_data)
        if self._client is not None:
            try:
                await self._client.rset()
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                await self._hang_up()
        return TransportError(_words(error), permanent=code >= 500)

    async def _hang_up(self) -> None:
        if self._client is not None:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await self._client.quit(timeout=2.0)
        self._drop()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


def compose(mail: OutgoingMail, sender: str) -> EmailMessage:
    """Return the message: plain text, HTML, and the invitation, as alternatives.

    Raises TransportError (permanent) for a line break in a header.
    """
    message = EmailMessage(policy=POLICY)
    from_address = _address("From", mail.from_address or sender)
    headers = {
        "From": f"{_name('From', mail.from_name)} <{from_address}>"
        if mail.from_name
        else from_address,
        "To": _address("To", mail.recipient),
        "Subject": _encoded("Subject", mail.subject),
        "Date": format_datetime(utcnow()),
        "Message-ID": message_id(mail, sender),
        "Auto-Submitted": "auto-generated",
    }
    if mail.unsubscribe:
        headers["List-Unsubscribe"] = f"<{_line('List-Unsubscribe', mail.unsubscribe)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for name, value in headers.items():
        message[name] = _RawHeader(name, value)
    message.set_content(mail.text or " ", cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.invitation:
        message.add_alternative(
            mail.invitation, subtype="calendar", params={"method": mail.method}, cte="base64"
        )
    return message


class _RawHeader(str):
    """A header's value, written unchanged.

    The library would decode it and fold it again. A long link would then be split into words that
    no mail program recognises.
    """

    name: str

    def __new__(cls, name: str, value: str) -> "_RawHeader":
        header = super().__new__(cls, value)
        header.name = name
        return header

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the header line as it is."""
        return f"{self.name}: {self}{policy.linesep}"


def _line(header: str, text: str) -> str:
    if len(text.splitlines()) > 1 or "\0" in text:
        raise TransportError(f"{header} must be one line", permanent=True)
    return text


def _is_plain(text: str) -> bool:
    """Return whether `text` needs no encoding. A text that looks encoded (RFC 2047) needs it."""
    return text.isascii() and "=?" not in text


def _encoded(header: str, text: str) -> str:
    """Return a text in the form for a header."""
    if _is_plain(_line(header, text)):
        return text
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def _name(header: str, text: str) -> str:
    """Return the display name before an address (RFC 5322 3.4)."""
    return f'"{quote(_line(header, text))}"' if _is_plain(text) else _encoded(header, text)


def _address(header: str, text: str) -> str:
    if not text.isascii() or not text.isprintable() or "=?" in text or set(text) & set(' <>,;:"'):
        raise TransportError(f"{header} must be one address, on one line", permanent=True)
    return text


def message_id(mail: OutgoingMail, sender: str) -> str:
    """Return the id that all tries share, so that servers and readers can drop duplicates."""
    return f"<{mail.id}@{sender.rpartition('@')[2]}>"


def _options(config: SmtpConfig) -> dict[str, Any]:
    """Return the options of aiosmtplib. Reads the certificates from disk; raises OSError."""
    trust = ssl.create_default_context()
    if config.ca_file:
        trust.load_verify_locations(config.ca_file)
    return {
        "hostname": config.host,
        "port": config.port,
        "timeout": config.timeout_seconds,
        "use_tls": config.security == "tls",
        "start_tls": config.security == "starttls",
        "username": config.user or None,
        "password": config.password or None,
        "tls_context": trust,
    }


def _code(error: Exception) -> int | None:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return error.recipients[0].code if error.recipients else None
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return error.code if error.code > 0 else None
    return None


def _words(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {' '.join(str(error.message).split())}"[:300]
    return (" ".join(str(error).split()) or type(error).__name__)[:300]
