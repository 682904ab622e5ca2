"""A real SMTP server with STARTTLS or TLS, whose certificate the test makes, that can misbehave."""

import asyncio
import ssl
from collections.abc import Callable
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
    """One mail that the server took; `raw` as it came."""

    sender: str
    recipient: str
    raw: bytes
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
    the mail is kept, and the connection cut without an answer; while `answers` is not set, it
    thinks about the data, and is `thinking`. `on_taken` is called when a mail was taken, before
    that is answered.

    `name` is what its certificate is for. `security`: starttls, tls, or none, as if somebody in
    the middle had taken STARTTLS out of its words.
    """

    user, password = "clinic", "p455word"

    def __init__(self, folder: Path, *, security: str = "starttls", name: str = HOST) -> None:
        self.letters: list[Letter] = []
        self.replies: dict[str, str] = {}
        self.vanishes = False
        self.answers = asyncio.Event()
        self.answers.set()
        self.thinking = False
        self.on_taken: Callable[[Letter], None] = lambda letter: None
        self.logins = 0
        self.connections = 0
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(self._context)
        self._security = security
        self._server: asyncio.Server | None = None
        self._transports: set[Any] = set()
        self.port = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        starttls = self._security == "starttls"
        make = partial(
            SMTP,
            self,
            hostname="localhost",
            tls_context=self._context if starttls else None,
            require_starttls=starttls,
            authenticator=self._authenticate,
            # It cannot see the encryption of a connection that begins with TLS, and would warn.
            auth_required=starttls,
            auth_require_tls=starttls,
            loop=loop,
        )

        def count() -> SMTP:
            self.connections += 1
            protocol = make()
            self._transports.add(protocol)
            return protocol

        self._server = await loop.create_server(
            count, HOST, self.port, ssl=self._context if self._security == "tls" else None
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
            "security": "tls" if self._security == "tls" else "starttls",
            "user": self.user,
            "password": self.password,
            "sender": "noreply@clinic.example",
            "ca_file": str(self.ca_file),
            **more,
        }

    def _authenticate(
        self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins += 1
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
        self.thinking = True
        await self.answers.wait()
        self.thinking = False
        for recipient in envelope.rcpt_tos:
            letter = Letter(envelope.mail_from or "", recipient, envelope.content, message)
            self.letters.append(letter)
            self.on_taken(letter)
        if self.vanishes:
            server.transport.abort()
        return "250 taken"
