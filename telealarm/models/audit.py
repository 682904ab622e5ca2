"""The audit log: who wrote what, when, and what it was before."""

from typing import Any

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, OptionalKey, created


class AuditEntry(BaseModel):
    """One write. It is written in the same transaction, and never changed: only erased.

    `owner` owns the written row; null: nobody does, or the owner was deleted. `who` is the name of
    the login, or the system's user who ran a command. `changes` has, for each field, the values
    before and after. A secret is only said to have changed.
    """

    owner = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False, backref="+")
    owner_id: OptionalKey
    at = created()
    who = CharField(max_length=150)
    road = CharField(max_length=20)
    # The id of the token that was used.
    token = IntegerField(null=True)
    resource = CharField(max_length=40)
    object_id = IntegerField(null=True)
    action = CharField(max_length=40)
    changes: "Field[dict[str, Any]]" = JSONField(default=dict)

    class Meta:
        indexes = (
            (("owner", "id"), False),
            (("resource", "object_id", "id"), False),
            (("at", "id"), False),
        )
