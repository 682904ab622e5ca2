"""How much a manager uses of what is limited."""

from peewee import BigIntegerField, CharField, ForeignKeyField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, UtcField


class LimitUse(BaseModel):
    """The use of one limit. store/access/limits.py explains `kind`.

    `day`: a day of the manager's zone, as 2026-12-01; empty: the limit is not one of a day.
    `counted`: when a use that is not one of a day was last counted anew.
    """

    owner = ForeignKeyField(User, on_delete="CASCADE", index=False)
    owner_id: Key
    kind = CharField(max_length=12)
    day = CharField(max_length=10, default="")
    used = BigIntegerField(default=0)
    counted = UtcField(null=True)

    class Meta:
        indexes = ((("owner", "kind", "day"), True),)
