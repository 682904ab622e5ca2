"""Protect what a database of an earlier version holds in clear, once, when it gets its key."""

import json
from collections.abc import Iterator
from typing import Any

from peewee import Database, Model

from telealarm.installation_key import InstallationKey
from telealarm.models import (
    ApiToken,
    CalendarUser,
    IdempotencyKey,
    Installation,
    SmsGateway,
    User,
    Webhook,
)
from telealarm.store.access import idempotency, passwords, tokens
from telealarm.store.engine import keys

_HASHED = "$argon2"


def encrypt_all(database: Database, key: InstallationKey) -> None:
    """Encrypt or digest every secret, and keep the key's check value. Call it in a transaction."""
    for row_id, secret in _raw(database, Installation, "secret"):
        Installation.update(secret=secret).where(Installation.id == row_id).execute()
    for row_id, secret, old in _raw(database, Webhook, "secret", "old_secret"):
        columns = {"secret": secret, "old_secret": old}
        Webhook.update(columns).where(Webhook.id == row_id).execute()
    for row_id, secret, settings in _raw(database, SmsGateway, "secret", "settings"):
        plain = json.loads(settings) if isinstance(settings, str) else settings
        columns = {"secret": secret, "settings": plain}
        SmsGateway.update(columns).where(SmsGateway.id == row_id).execute()
    for row_id, digest in _raw(database, ApiToken, "digest"):
        ApiToken.update(digest=tokens.keyed(digest)).where(ApiToken.id == row_id).execute()
    for model in (User, CalendarUser):
        for row_id, stored in _raw(database, model, "password_hash"):
            if stored.startswith(_HASHED):
                hidden = passwords.encrypted(stored)
                model.update(password_hash=hidden).where(model.id == row_id).execute()
    for row_id, name, digest, body in _raw(database, IdempotencyKey, "key", "digest", "body"):
        columns = {"key": idempotency.keyed(name), "digest": idempotency.keyed(digest)}
        IdempotencyKey.update({**columns, "body": body}).where(
            IdempotencyKey.id == row_id
        ).execute()
    Installation.update(key_check=keys.check_value(key)).execute()


def _raw(database: Database, model: type[Model], *columns: str) -> Iterator[tuple[Any, ...]]:
    """Return the rows' ids and columns as the database has them."""
    names = ", ".join(f'"{name}"' for name in ("id", *columns))
    query = f'SELECT {names} FROM "{model._meta.table_name}"'
    return iter(database.execute_sql(query).fetchall())
