"""A real SMTP server with STARTTLS or TLS, whose certificate the test makes, that can misbehave."""

import asyncio
import ssl
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.lab.ports import HOST


@dataclass(frozen=True)
class Letter:
    """One mail that the server took."""

    sender: str
    recipient: str
    message: EmailMessage

    def part(self, kind: str) -> str:
        """The text of the part of this media type."""
        for part in self.message.walk():
            if part.get_content_type() == kind:
                content = part.get_content()
                return content.decode() if isinstance(content, bytes) else str(content)
        raise AssertionError(f"no {kind} in the mail")


class MailServer:
    """`replies` says what is answered to a recipient instead of 250; `vanishes`: after the data
    the mail is kept, and the connection cut without an answer.
    """

    user, password = "clinic", "p455word"

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self.letters: list[Letter] = []
        self.replies: dict[str, str] = {}
        self.vanishes = False
        self.connections = 0
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", HOST).configure_cert(self._context)
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._transports: set[Any] = set()
        self.port = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        make = partial(
            SMTP,
            self,
            hostname="localhost",
            tls_context=None if self._tls else self._context,
            require_starttls=not self._tls,
            authenticator=self._authenticate,
            # It cannot see the encryption of a connection that begins with TLS, and would warn.
            auth_required=not self._tls,
            auth_require_tls=not self._tls,
            loop=loop,
        )

        def count() -> SMTP:
            self.connections += 1
            protocol = make()
            self._transports.add(protocol)
            return protocol

        self._server = await loop.create_server(
            count, HOST, self.port, ssl=self._context if self._tls else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self.cut()
            self._server = None
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Hang up on everybody, without a word."""
        for protocol in self._transports:
            if protocol.transport is not None:
                protocol.transport.abort()
        self._transports.clear()

    def settings(self, **more: Any) -> dict[str, Any]:
        """The section `smtp` of a configuration for it."""
        return {
            "host": HOST,
            "port": self.port,
            "security": "tls" if self._tls else "starttls",
            "user": self.user,
            "password": self.password,
            "sender": "noreply@clinic.example",
            "ca_file": str(self.ca_file),
            **more,
        }

    def _authenticate(
        self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            self.user.encode(),
            self.password.encode(),
        )
        return AuthResult(success=right)

    async def handle_RCPT(
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.replies.get(address)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        for recipient in envelope.rcpt_tos:
            self.letters.append(Letter(envelope.mail_from or "", recipient, message))
        if self.vanishes:
            server.transport.abort()
        return "250 taken"
