"""Bearer tokens: how programs log in."""

from peewee import CharField, ForeignKeyField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, UtcField, created


class ApiToken(BaseModel):
    """A token of a login, without its text: that is shown once, when it is made.

    `digest` is the SHA-256 of the text. A password needs argon2id because people choose it among
    few; a token is 256 random bits, which nobody can try through at any speed, so a fast digest
    guards it as well, can be looked up by an index, and costs a request nothing.
    """

    owner = ForeignKeyField(User, on_delete="CASCADE")
    owner_id: Key
    name = CharField(max_length=80)
    digest = CharField(max_length=64, unique=True)
    created = created()
    last_used = UtcField(null=True)
    revoked = UtcField(null=True)
