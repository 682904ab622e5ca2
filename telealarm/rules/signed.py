"""Links that are sent out: what they stand for, signed, so that nobody can make another.

A token is `<kind>-<alarm>-<expiry>-<signature>`, in characters that no address has to escape.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

KINDS = ("confirm", "cancel", "unsubscribe")
# 96 bits: nobody guesses them over a network, and a link still fits into an SMS.
_DIGITS = 24


@dataclass(frozen=True)
class Link:
    """What a token stands for."""

    kind: str
    alarm_id: int
    expires: datetime


def token(secret: str, link: Link) -> str:
    """The token of `link`, which ends a link."""
    said = f"{link.kind}-{link.alarm_id:x}-{int(link.expires.timestamp()):x}"
    return f"{said}-{_signature(secret, said)}"


def read(secret: str, text: str) -> Link | None:
    """What a token stands for, be it expired or not; None where it is not ours."""
    said, _, signature = text.rpartition("-") if text.count("-") == 3 else ("", "", "")
    if not said or not text.isascii() or len(text) > 100:
        return None
    if not hmac.compare_digest(_signature(secret, said), signature):
        return None
    kind, alarm, expires = said.split("-")
    return Link(kind, int(alarm, 16), datetime.fromtimestamp(int(expires, 16), UTC))


def _signature(secret: str, said: str) -> str:
    return hmac.digest(secret.encode(), b"link:" + said.encode(), "sha256").hex()[:_DIGITS]
