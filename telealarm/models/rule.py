"""How an event recurs."""

from peewee import CharField, ForeignKeyField, TextField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, OptionalKey, created


class Rule(BaseModel):
    """A recurrence rule, as `params` (`count:10;byweekday:0,1`) or as an `rrule` of RFC 5545.

    A rule without an owner is predefined: everybody may use it, and nobody may change it. Its days
    and times are those of `timezone`. Null: those of the event's time zone.
    """

    owner = ForeignKeyField(User, null=True)
    owner_id: OptionalKey
    name = CharField(max_length=100)
    description = TextField(default="")
    frequency = CharField(max_length=10)
    params = CharField(max_length=500, default="")
    rrule = CharField(max_length=500, null=True)
    timezone = CharField(max_length=64, null=True)
    created_date = created()
    updated_date = created()
