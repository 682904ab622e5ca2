"""Mail by SMTP (RFC 5321): one connection, reused as long as it lives."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.policy import EmailPolicy
from email.utils import format_datetime, quote
from typing import Any

import aiosmtplib

from telealarm.clock import monotonic, utcnow
from telealarm.config.model import Smtp
from telealarm.errors import TransportError

# Servers hang up on the idle after some minutes; we go first (RFC 5321 4.5.3.2.7: 5 minutes).
IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Mail:
    """`id` is the same each time it is tried. `invitation` is a calendar file with its METHOD."""

    id: str
    recipient: str
    from_address: str
    from_name: str
    subject: str
    text: str
    html: str = ""
    invitation: str = ""
    method: str = "REQUEST"
    unsubscribe: str = ""


@dataclass(frozen=True)
class SmtpReceipt:
    """The server took the mail."""

    reference: str
    said: str


class SmtpTransport:
    """Sends mails one after the other. Close it when done."""

    def __init__(self, config: Smtp) -> None:
        self._config = config
        self._client: aiosmtplib.SMTP | None = None
        self._used = 0.0
        self._alone = asyncio.Lock()

    async def close(self) -> None:
        async with self._alone:
            await self._hang_up()

    async def send(self, mail: Mail) -> SmtpReceipt:
        """Hand the mail over. Raises TransportError: 5xx is permanent, 4xx and a server that is
        away are temporary, and a connection lost in the data leaves the fate unknown.
        """
        message = written(mail, self._config.sender).as_bytes()
        async with self._alone:
            try:
                return await self._hand_over(mail, message)
            except asyncio.CancelledError:
                # A late answer would be taken for that to the next mail.
                self._drop()
                raise

    async def _hand_over(self, mail: Mail, message: bytes) -> SmtpReceipt:
        client = await self._begun(mail)
        try:
            reply = await client.data(message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise await self._failed(error, in_data=True) from error
        self._used = monotonic()
        return SmtpReceipt(message_id(mail, self._config.sender), f"{reply.code} {reply.message}")

    async def _begun(self, mail: Mail) -> aiosmtplib.SMTP:
        """A connection on which the envelope was taken."""
        reused = self._client is not None
        client = await self._connected()
        try:
            await client.mail(self._config.sender)
            await client.rcpt(mail.recipient)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            failure = await self._failed(error, in_data=False)
            if reused and _code(error) is None:
                # The server hung up on the idle connection; nothing of this mail was said yet.
                return await self._begun(mail)
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
        """What an error means; the connection is made ready for the next mail."""
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


def written(mail: Mail, sender: str) -> EmailMessage:
    """The message: plain text, HTML, and the invitation as an alternative of theirs.

    Raises TransportError, permanent, for a header with a line break in it.
    """
    message = EmailMessage(policy=POLICY)
    own = _address("From", mail.from_address or sender)
    headers = {
        "From": f"{_name('From', mail.from_name)} <{own}>" if mail.from_name else own,
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
        message[name] = _Written(name, value)
    message.set_content(mail.text or " ", cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.invitation:
        message.add_alternative(
            mail.invitation, subtype="calendar", params={"method": mail.method}, cte="base64"
        )
    return message


class _Written(str):
    """A header's value, written as it stands: the library would decode and break it anew, and
    make of a long link words that no mail program takes for one.
    """

    name: str

    def __new__(cls, name: str, value: str) -> "_Written":
        made = super().__new__(cls, value)
        made.name = name
        return made

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _line(header: str, text: str) -> str:
    if len(text.splitlines()) > 1 or "\0" in text:
        raise TransportError(f"{header} must be one line", permanent=True)
    return text


def _is_plain(text: str) -> bool:
    """Whether it need not be encoded; what looks as if it were (RFC 2047) must be."""
    return text.isascii() and "=?" not in text


def _encoded(header: str, text: str) -> str:
    """A text as a header may hold it."""
    if _is_plain(_line(header, text)):
        return text
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def _name(header: str, text: str) -> str:
    """The name before an address (RFC 5322 3.4)."""
    return f'"{quote(_line(header, text))}"' if _is_plain(text) else _encoded(header, text)


def _address(header: str, text: str) -> str:
    if not text.isascii() or not text.isprintable() or "=?" in text or set(text) & set(' <>,;:"'):
        raise TransportError(f"{header} must be one address, on one line", permanent=True)
    return text


def message_id(mail: Mail, sender: str) -> str:
    """The same for every try, so that servers and readers can drop doubles."""
    return f"<{mail.id}@{sender.rpartition('@')[2]}>"


def _options(config: Smtp) -> dict[str, Any]:
    """What aiosmtplib is told. Reads the certificates from the disk; raises OSError."""
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
