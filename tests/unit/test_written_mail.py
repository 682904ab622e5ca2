"""Mails as they are written, read by other parsers: each header once, and as it was meant."""

import base64
import quopri
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import default
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm.errors import TransportError
from telealarm.rules.delivery import OutgoingMail
from telealarm.transports.smtp import compose

MAIL = OutgoingMail("id-1", "ann@example.com", "clinic@example.com", "The Clinic", "Visit", "Hello")
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
UNSUBSCRIBE = "https://clinic.example/links/unsubscribe-1f-6999c0d0-" + "61" * 60 + "-" + "0" * 24

# One line by any reading, as the API takes it.
LINES = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=75
).filter(lambda text: text.strip() == text)


def raw(**changed: Any) -> bytes:
    return compose(
        OutgoingMail(**{**MAIL.__dict__, **changed}), "noreply@clinic.example"
    ).as_bytes()


def old_parser(mail: bytes) -> Message:
    """The parser of RFC 2822 that knows nothing of what wrote the mail."""
    return message_from_bytes(mail)


def plain(value: Any) -> str:
    return str(make_header(decode_header(value)))


def body(mail: bytes) -> str:
    part = old_parser(mail)
    while part.is_multipart():
        part = part.get_payload(0)  # type: ignore[assignment]
    text = part.get_payload()
    assert isinstance(text, str)
    return quopri.decodestring(text).decode().replace("\r\n", "\n")


@given(subject=LINES, name=LINES, text=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_what_is_read_is_what_was_meant(subject: str, name: str, text: str) -> None:
    mail = raw(subject=subject, from_name=name, text=text, html="<p>x</p>")
    head = old_parser(mail)
    assert [one for one in head if one in HEADERS] == HEADERS
    assert set(head.keys()) == {*HEADERS, "MIME-Version", "Content-Type"}
    assert plain(head["Subject"]) == subject
    shown, address = parseaddr(head["From"])
    assert (plain(shown), address) == (name, "clinic@example.com")
    assert body(mail).rstrip() == text.rstrip()
    new = message_from_bytes(mail, policy=default)
    (author,) = new["From"].addresses
    assert author.addr_spec == "clinic@example.com"
    assert mail.isascii()
    assert max(map(len, mail.split(b"\r\n"))) <= 998
    assert b"\n" not in mail.replace(b"\r\n", b""), "RFC 5321: CR and LF come together"


ENCODED = [
    "=?utf-8?q?x=0D=0ABcc:_evil@example.com?=",
    "=?utf-8?b?eA0KQmNjOiBldmlsQGV4YW1wbGUuY29t?=",
    "Visit =?us-ascii?Q?x=0ABcc:_evil@example.com?= tomorrow",
    "=?utf-8?q?x?=\t=?utf-8?q?=0D=0A=0D=0Abody?=",
]


@pytest.mark.parametrize("text", ENCODED)
@pytest.mark.parametrize("field", ["subject", "from_name"])
def test_what_looks_encoded_is_read_as_it_stands_and_makes_no_header(field: str, text: str) -> None:
    mail = raw(**{field: text})
    for message in (old_parser(mail), message_from_bytes(mail, policy=default)):
        assert message["Bcc"] is None
        assert set(message.keys()) >= set(HEADERS)
    head = old_parser(mail)
    found = head["Subject"] if field == "subject" else parseaddr(head["From"])[0]
    assert plain(found) == text
    assert body(mail).strip() == "Hello"


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028"])
@pytest.mark.parametrize(
    "field", ["recipient", "from_address", "from_name", "subject", "unsubscribe"]
)
def test_a_line_break_in_a_header_is_refused(field: str, line_break: str) -> None:
    with pytest.raises(TransportError, match="one line") as caught:
        raw(**{field: f"x{line_break}Bcc: evil@example.com"})
    assert caught.value.permanent


@pytest.mark.parametrize(
    "address",
    [
        *("a@b.c, d@e.f", "Ann <a@b.c>", '"a b"@c.d', "a@b.c;", "á@b.c", "a@b.c\0"),
        *("=?utf-8?q?a=0aBcc=3ab?=@example.com", *ENCODED),
    ],
)
@pytest.mark.parametrize("field", ["recipient", "from_address"])
def test_an_address_is_one_plain_address(field: str, address: str) -> None:
    with pytest.raises(TransportError, match="must be one address") as caught:
        raw(**{field: address})
    assert caught.value.permanent


def test_the_link_to_unsubscribe_stands_there_as_it_is_clicked() -> None:
    """RFC 2369, RFC 8058: mail programs look for the address itself, unencoded."""
    lines = raw(unsubscribe=UNSUBSCRIBE).split(b"\r\n")
    assert f"List-Unsubscribe: <{UNSUBSCRIBE}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_long_addresses_and_subjects_keep_to_their_line() -> None:
    address = f"{'a' * 64}@{'b' * 180}.example"
    mail = raw(recipient=address, subject="x" * 900)
    assert old_parser(mail)["To"] == address
    assert old_parser(mail)["Subject"] == "x" * 900


def test_the_invitation_is_an_alternative_that_names_its_method() -> None:
    mail = old_parser(raw(html="<p>x</p>", invitation="BEGIN:VCALENDAR\r\n", method="CANCEL"))
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html", "text/calendar"]
    part = list(mail.walk())[-1]
    assert (part.get_param("method"), part.get_content_charset()) == ("CANCEL", "utf-8")
    encoded = part.get_payload()
    assert isinstance(encoded, str)
    assert base64.b64decode(encoded) == b"BEGIN:VCALENDAR\r\n"
    assert re.fullmatch(r"[A-Za-z0-9+/=\s]+", encoded)
