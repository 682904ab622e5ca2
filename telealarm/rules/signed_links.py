"""Links that are sent out: what they stand for, signed, so that nobody can make another.

A token is `<kind>-<alarm>-<expiry>-<signature>`, with the recipient (in hex) before the signature
where the link is about that one. It has no character that an address would have to escape.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

KINDS = ("confirm", "cancel", "unsubscribe")
# 96 bits: nobody guesses them over a network, and a link still fits into an SMS.
_DIGITS = 24
_LONGEST = 700


@dataclass(frozen=True)
class Link:
    """What a token stands for. `recipient`: the number or the mail address that it was sent to,
    where that counts whatever becomes of the alarm; else empty.
    """

    kind: str
    alarm_id: int
    expires: datetime
    recipient: str = ""


def token(secret: str, link: Link) -> str:
    """The token of `link`, which ends a link."""
    said = f"{link.kind}-{link.alarm_id:x}-{int(link.expires.timestamp()):x}"
    if link.recipient:
        said += f"-{link.recipient.encode().hex()}"
    return f"{said}-{_signature(secret, said)}"


def read(secret: str, text: str) -> Link | None:
    """What a token stands for, be it expired or not; None where it is not ours."""
    said, _, signature = text.rpartition("-")
    if not text.isascii() or len(text) > _LONGEST:
        return None
    if not hmac.compare_digest(_signature(secret, said), signature):
        return None
    kind, alarm, expires, *recipient = said.split("-")
    return Link(
        kind,
        int(alarm, 16),
        datetime.fromtimestamp(int(expires, 16), UTC),
        bytes.fromhex("".join(recipient)).decode(),
    )


def _signature(secret: str, said: str) -> str:
    return hmac.digest(secret.encode(), b"link:" + said.encode(), "sha256").hex()[:_DIGITS]
