"""Bearer tokens: create, recognise, revoke."""

import hashlib
import secrets
from datetime import datetime, timedelta

from telealarm.errors import Invalid
from telealarm.models import ApiToken, User
from telealarm.store.engine import crud, keys

# People, and scanners for leaked secrets, recognise a token by this.
PREFIX = "ta_"
RANDOM_BYTES = 32
LONGEST_NAME = 80
# `last_used` is exact to this: a busy program must not cause a write for each request.
USED_EVERY = timedelta(minutes=1)


def add(owner: User, name: str) -> str:
    """Create a token of `owner` and return its text, which is not stored. Raises Invalid."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid({"name": [f"must be 1 to {LONGEST_NAME} printable characters"]})
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    crud.insert(ApiToken, {"owner": owner, "name": name, "digest": _digest(text)})
    return text


def recognise(text: str) -> ApiToken | None:
    """Return the token with this text, with its owner, if both are active."""
    return (
        ApiToken.select(ApiToken, User)
        .join(User)
        .where(
            ApiToken.digest == _digest(text),
            ApiToken.revoked.is_null(),
            User.is_active == True,  # noqa: E712 - an expression of SQL
        )
        .get_or_none()
    )


def is_news(token: ApiToken, now: datetime) -> bool:
    """Return whether a use at `now` must be recorded with `used`."""
    return token.last_used is None or now - token.last_used >= USED_EVERY


def used(token: ApiToken, now: datetime) -> None:
    """Record the use, unless it was recorded within the last minute."""
    ApiToken.update(last_used=now).where(
        ApiToken.id == token.id,
        ApiToken.last_used.is_null() | (ApiToken.last_used <= now - USED_EVERY),
    ).execute()


def of(owner: User | None) -> list[ApiToken]:
    """Return the tokens of `owner`, or of everybody, with their owners, oldest first."""
    query = ApiToken.select(ApiToken, User).join(User).order_by(ApiToken.id)
    return list(query if owner is None else query.where(ApiToken.owner == owner.id))


def revoke(token_id: int, now: datetime) -> ApiToken:
    """Revoke a token for good; it may be revoked already. Raises Invalid if there is none."""
    token: ApiToken | None = None
    if token_id < 2**31:  # SQLite refuses much larger numbers
        token = ApiToken.get_or_none(ApiToken.id == token_id)
    if token is None:
        raise Invalid({"id": [f"there is no token {token_id}; `telealarm token list` names them"]})
    if token.revoked is None:
        crud.change(token, {"revoked": now})
    return token


def revoke_all(owner: User, now: datetime) -> int:
    """Revoke the tokens of `owner`, and return how many there were."""
    valid = ApiToken.revoked.is_null()
    revoking = ApiToken.update(revoked=now).where(ApiToken.owner == owner.id, valid)
    return int(revoking.execute())


def keyed(digest: str) -> str:
    """Return what is stored of a token whose SHA-256 is `digest`.

    Without the installation's key, nobody who can write into the database can make a token.
    """
    return keys.current().digest("API tokens", digest)


def _digest(text: str) -> str:
    return keyed(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
