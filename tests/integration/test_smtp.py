"""The sender of mails alone, with a real SMTP server: one connection, TLS, and whom it trusts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from telealarm.config.model import SmtpConfig
from telealarm.errors import TransportError
from telealarm.rules.delivery import OutgoingMail
from telealarm.transports import smtp
from telealarm.transports.smtp import SmtpTransport
from tests.lab.mail_server import MailServer
from tests.lab.waiting import until

MAIL = OutgoingMail(
    "id-1", "ann@example.com", "clinic@example.com", "Clínica", "Visit", "Hello\n.\nbye"
)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    made = MailServer(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture
async def mailer(server: MailServer) -> AsyncIterator[SmtpTransport]:
    made = SmtpTransport(SmtpConfig(**server.settings()))
    yield made
    await made.close()


async def test_one_connection_is_reused_and_mended(
    server: MailServer, mailer: SmtpTransport
) -> None:
    for _ in range(3):
        await mailer.send(MAIL)
    assert (len(server.letters), server.connections) == (3, 1)
    server.cut()
    await mailer.send(MAIL)
    assert (len(server.letters), server.connections) == (4, 2)
    letter = server.letters[0]
    assert (letter.sender, letter.recipient) == ("noreply@clinic.example", "ann@example.com")
    assert letter.message["From"] == "Clínica <clinic@example.com>"
    assert letter.part("text/plain").split() == ["Hello", ".", "bye"]
    ids = {one.message["Message-ID"] for one in server.letters}
    assert ids == {"<id-1@clinic.example>"}


async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    server: MailServer, mailer: SmtpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    await mailer.send(MAIL)
    monkeypatch.setattr(smtp, "IDLE_SECONDS", -1.0)
    await mailer.send(MAIL)
    assert (len(server.letters), server.connections) == (2, 2)


async def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    server = MailServer(tmp_path, security="tls")
    await server.start()
    mailer = SmtpTransport(SmtpConfig(**server.settings()))
    await mailer.send(MAIL)
    await mailer.close()
    assert len(server.letters) == 1
    await server.stop()


async def refused(server: MailServer, **settings: str | None) -> None:
    """Nothing is said to the server, least of all the password; later it may be in order."""
    mailer = SmtpTransport(SmtpConfig(**server.settings(**settings)))
    with pytest.raises(TransportError, match="not reached") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, False)
    assert (server.letters, server.logins) == ([], 0)
    await mailer.close()


async def test_a_certificate_that_nobody_vouches_for_gets_no_password(server: MailServer) -> None:
    await refused(server, ca_file=None)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_of_another_name_gets_no_password(
    tmp_path: Path, security: str
) -> None:
    server = MailServer(tmp_path, security=security, name="mail.elsewhere.example")
    await server.start()
    await refused(server)
    await server.stop()


async def test_without_starttls_where_it_is_asked_for_nothing_is_sent(tmp_path: Path) -> None:
    server = MailServer(tmp_path, security="none")
    await server.start()
    await refused(server)
    await server.stop()


async def test_a_late_answer_is_not_taken_for_that_to_the_next_mail(
    server: MailServer, mailer: SmtpTransport
) -> None:
    server.answers.clear()
    sending = asyncio.create_task(mailer.send(MAIL))
    await until(lambda: server.thinking, 10, "the server has the first mail")
    sending.cancel()  # as a time limit does
    with pytest.raises(asyncio.CancelledError):
        await sending
    server.replies = {"bob@example.com": "550 no such user"}
    server.answers.set()
    with pytest.raises(TransportError, match="550 no such user"):
        await mailer.send(OutgoingMail("id-2", "bob@example.com", "", "", "Visit", "Hello"))
    await mailer.send(MAIL)
    assert server.connections == 2


async def test_5xx_is_permanent_4xx_is_not_and_a_lost_answer_is_unknown(
    server: MailServer, mailer: SmtpTransport
) -> None:
    server.replies = {"ann@example.com": "550 no such user"}
    with pytest.raises(TransportError, match="550 no such user") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (True, False)
    server.replies = {"ann@example.com": "451 greylisted"}
    with pytest.raises(TransportError, match="451 greylisted") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, False)
    server.replies = {}
    server.vanishes = True
    with pytest.raises(TransportError) as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, True)
    server.vanishes = False
    await mailer.send(MAIL)
    await server.stop()
    with pytest.raises(TransportError, match="not reached") as caught:
        await mailer.send(MAIL)
    assert (caught.value.permanent, caught.value.unknown) == (False, False)
