"""Mail by SMTP (RFC 5321): one connection, reused as long as it lives."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime
from typing import Any

import aiosmtplib

from telealarm.clock import monotonic, utcnow
from telealarm.config import Smtp
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
class Receipt:
    """The server took the mail."""

    reference: str
    said: str


class Mailer:
    """Sends mails one after the other. Close it when done."""

    def __init__(self, config: Smtp) -> None:
        self._config = config
        self._client: aiosmtplib.SMTP | None = None
        self._used = 0.0
        self._alone = asyncio.Lock()

    async def close(self) -> None:
        async with self._alone:
            await self._hang_up()

    async def send(self, mail: Mail) -> Receipt:
        """Hand the mail over. Raises TransportError: 5xx is permanent, 4xx and a server that is
        away are temporary, and a connection lost in the data leaves the fate unknown.
        """
        message = written(mail, self._config.sender).as_bytes()
        async with self._alone:
            client = await self._begun(mail)
            try:
                reply = await client.data(message)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                raise await self._failed(error, in_data=True) from error
            self._used = monotonic()
            return Receipt(message_id(mail, self._config.sender), f"{reply.code} {reply.message}")

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
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=2.0)
            client.close()


def written(mail: Mail, sender: str) -> EmailMessage:
    """The message: plain text, HTML, and the invitation as an alternative of theirs.

    Raises TransportError, permanent, for a header with a line break in it.
    """
    message = EmailMessage(policy=POLICY)
    if len(mail.from_name.splitlines()) > 1:
        raise TransportError("From must be one line", permanent=True)
    try:
        own = Address(mail.from_name, addr_spec=mail.from_address or sender)
    except ValueError as error:
        raise TransportError(f"From: {error}", permanent=True) from error
    headers = {
        "From": own,
        "To": mail.recipient,
        "Subject": mail.subject,
        "Date": format_datetime(utcnow()),
        "Message-ID": message_id(mail, sender),
        "Auto-Submitted": "auto-generated",
    }
    if mail.unsubscribe:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    for name, value in headers.items():
        if len(str(value).splitlines()) > 1:
            raise TransportError(f"{name} must be one line", permanent=True)
        try:
            message[name] = value
        except ValueError as error:
            raise TransportError(f"{name}: {error}", permanent=True) from error
    message.set_content(mail.text or " ", cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.invitation:
        message.add_alternative(
            mail.invitation, subtype="calendar", params={"method": mail.method}, cte="base64"
        )
    return message


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
