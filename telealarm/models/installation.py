"""The installation and its workers."""

import secrets

from peewee import CharField, IntegerField

from telealarm.models.base import BaseModel, UtcField, created
from telealarm.models.encrypted import EncryptedField


class Installation(BaseModel):
    """One row. `name` is part of every channel id, so a new database never meets an old CDR.

    `secret` signs the links that are sent out. `key_check` recognises the installation's key.
    """

    name = CharField(max_length=16)
    secret = EncryptedField("link signing", default=lambda: secrets.token_hex(32))
    key_check = CharField(max_length=64, null=True)
    created = created()
    # Since when dialing is paused.
    paused = UtcField(null=True)


class Worker(BaseModel):
    """A process that claims rows. Its Stasis application has its name.

    `fence` grows with each start and takeover. A worker whose lease ran out may be taken over.
    """

    name = CharField(max_length=64, unique=True)
    fence = IntegerField(default=1)
    lease_until = UtcField()
