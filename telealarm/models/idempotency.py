"""The answers to POSTs with an Idempotency-Key."""

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField

from telealarm.clock import utcnow
from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, UtcField
from telealarm.models.encrypted import EncryptedField


class IdempotencyKey(BaseModel):
    """The first answer to a POST of a user, to a path, with a key.

    The row is written in the transaction that carries out the POST. So the row exists if and only
    if the POST was carried out. `key` and `digest` are keyed digests: of the key, and of the
    request's body. `body` is the answer's; it is empty if it is not kept.
    """

    owner = ForeignKeyField(User, on_delete="CASCADE")
    owner_id: Key
    path = CharField(max_length=255)
    key = CharField(max_length=255)
    digest = CharField(max_length=64)
    status = IntegerField()
    headers: "Field[dict[str, str]]" = JSONField()
    body = EncryptedField("idempotency answers")
    created = UtcField(default=utcnow, index=True)

    class Meta:
        indexes = ((("owner", "path", "key"), True),)
