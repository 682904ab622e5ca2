"""Wrong PINs of callers, so that nobody can try many."""

from peewee import BooleanField, CharField

from telealarm.models.base import BaseModel, UtcField


class PinGuess(BaseModel):
    """A wrong PIN. `digest` is a keyed digest of the callee's number.

    `withheld`: the caller showed no number, and keyed the callee's. Else the call came with the
    callee's number, or with a caller id that somebody forged.
    """

    digest = CharField(max_length=64)
    withheld = BooleanField()
    at = UtcField(index=True)

    class Meta:
        indexes = ((("digest", "withheld", "at"), False),)
