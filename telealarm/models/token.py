"""Bearer tokens, with which programs log in."""

from peewee import CharField, ForeignKeyField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, UtcField, created


class ApiToken(BaseModel):
    """A token of a user, without its text. The text is shown once, when the token is created.

    `digest` is a keyed digest of the text's SHA-256. A password needs argon2id, because people
    choose among few passwords. A token has 256 random bits: nobody can try them all, at any speed.
    So a fast digest is as safe. It can be found by an index, and it costs a request no time.
    """

    owner = ForeignKeyField(User, on_delete="CASCADE")
    owner_id: Key
    name = CharField(max_length=80)
    digest = CharField(max_length=64, unique=True)
    created = created()
    last_used = UtcField(null=True)
    revoked = UtcField(null=True)
