"""Erasures: the persons who were erased, as keyed digests of their numbers."""

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, OptionalKey, UtcField, created


class Erasure(BaseModel):
    """One person's erasure. `uid` is its name in the file `erasures`, which outlives the database.

    `owner`: only the rows of this manager were erased; null: everybody's. `digests` are those of
    the number's forms. The number itself and the words to erase are kept until the erasure has
    ended: a call that goes on may still write them.

    `person`: the id of the one person who was erased, with the `numbers` that nobody shares; null:
    everybody behind `number`.
    """

    owner = ForeignKeyField(User, null=True, on_delete="CASCADE")
    owner_id: OptionalKey
    uid = CharField(max_length=32, unique=True)
    digests: "Field[list[str]]" = JSONField(default=list)
    number = CharField(max_length=80, default="")
    words: "Field[list[str]]" = JSONField(default=list)
    person = IntegerField(null=True)
    numbers: "Field[list[str] | None]" = JSONField(null=True)
    # How many rows were changed, and how many files were deleted.
    rows = IntegerField(default=0)
    files = IntegerField(default=0)
    created_date = created()
    finished = UtcField(null=True)
