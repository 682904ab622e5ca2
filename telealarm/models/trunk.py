"""Trunks: their states, as each worker's Asterisk reports them."""

from peewee import CharField

from telealarm.models.base import BaseModel, UtcField
from telealarm.words import TrunkState

UP, DOWN, UNKNOWN = TrunkState.UP, TrunkState.DOWN, TrunkState.UNKNOWN


class Trunk(BaseModel):
    """The state of a PJSIP endpoint, `since` when, and the worker that reports it."""

    worker = CharField(max_length=64)
    name = CharField(max_length=64)
    state = CharField(max_length=10)
    why = CharField(max_length=300, default="")
    since = UtcField()

    class Meta:
        indexes = ((("worker", "name"), True),)
