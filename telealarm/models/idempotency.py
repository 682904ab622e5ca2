"""What POSTs with an Idempotency-Key were answered with."""

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField, TextField

from telealarm.clock import utcnow
from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, UtcField


class IdempotencyKey(BaseModel):
    """The first answer to a POST of a login, to a path, with a key.

    Written in the transaction that makes what the answer tells of, so it needs no state: the row
    is there if and only if the POST was carried out. `digest` tells its body from another.
    """

    owner = ForeignKeyField(User, on_delete="CASCADE")
    owner_id: Key
    path = CharField(max_length=255)
    key = CharField(max_length=255)
    digest = CharField(max_length=64)
    status = IntegerField()
    headers: "Field[dict[str, str]]" = JSONField()
    body = TextField()
    created = UtcField(default=utcnow, index=True)

    class Meta:
        indexes = ((("owner", "path", "key"), True),)
