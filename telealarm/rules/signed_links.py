"""Signed links for messages: what they stand for. Nobody else can make one.

A token is `<kind>-<alarm>-<expiry>-<signature>`. If the link concerns a recipient, the recipient
(in hex) stands before the signature. No character of a token needs escaping in a URL.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

KINDS = ("confirm", "cancel", "unsubscribe")
# 96 bits: nobody can guess them over a network, and a link still fits into an SMS.
_DIGITS = 24
_LONGEST = 700


@dataclass(frozen=True)
class Link:
    """What a token stands for.

    `recipient`: the number or mail address that received the link, if the link is valid whatever
    happens to the alarm; else empty.
    """

    kind: str
    alarm_id: int
    expires: datetime
    recipient: str = ""


def token(secret: str, link: Link) -> str:
    """Return the token of `link`, the last part of its URL."""
    content = f"{link.kind}-{link.alarm_id:x}-{int(link.expires.timestamp()):x}"
    if link.recipient:
        content += f"-{link.recipient.encode().hex()}"
    return f"{content}-{_signature(secret, content)}"


def read(secret: str, text: str) -> Link | None:
    """Return what a token stands for, even if it has expired; None if we did not sign it."""
    content, _, signature = text.rpartition("-")
    if not text.isascii() or len(text) > _LONGEST:
        return None
    if not hmac.compare_digest(_signature(secret, content), signature):
        return None
    kind, alarm, expires, *recipient = content.split("-")
    return Link(
        kind,
        int(alarm, 16),
        datetime.fromtimestamp(int(expires, 16), UTC),
        bytes.fromhex("".join(recipient)).decode(),
    )


def _signature(secret: str, content: str) -> str:
    return hmac.digest(secret.encode(), b"link:" + content.encode(), "sha256").hex()[:_DIGITS]
