"""People: whom events are about, and the numbers that reach them."""

from peewee import (
    BooleanField,
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    TextField,
    TimeField,
)

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, OptionalKey, UtcField, created


class Person(BaseModel):
    """A person of a manager. Alarms of their events need no number of their own.

    `daily_start` and `daily_stop` are null if any hour is welcome. `consent` is null if nobody has
    asked. `carer_mode` is `instead`, `also`, or empty without a carer.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    name = CharField(max_length=200)
    first_name = CharField(max_length=100, default="")
    email = CharField(max_length=254, default="")
    language = CharField(max_length=10, null=True)
    timezone = CharField(max_length=64, null=True)
    daily_start = TimeField(null=True)
    daily_stop = TimeField(null=True)
    carer: "ForeignKeyField[Person | None]" = ForeignKeyField("self", null=True)
    carer_id: OptionalKey
    carer_mode = CharField(max_length=10, default="")
    consent = BooleanField(null=True)
    consent_source = CharField(max_length=200, default="")
    consent_date = DateField(null=True)
    notes = TextField(default="")
    # The id of the person in the manager's own software; null: none.
    external_id = CharField(max_length=100, null=True)
    created_date = created()
    updated_date = created()
    # The person is being erased: nobody sees the row any more.
    deleted = UtcField(null=True)

    # These are no columns: store.person.people.load reads them for the people of a list.
    known_numbers: "list[PersonNumber]"
    do_not_call: bool

    class Meta:
        indexes = (
            (("owner", "external_id"), True),
            (("owner", "id", "deleted"), False),
            (("owner", "name", "id", "deleted"), False),
        )


class PersonNumber(BaseModel):
    """A number of a person; the lowest position is preferred.

    `e164` is the number in E.164 form; null: no plan can place it. Several people may share one.
    """

    person = ForeignKeyField(Person, on_delete="CASCADE", index=False)
    person_id: Key
    position = IntegerField()
    number = CharField(max_length=50, index=True)
    e164 = CharField(max_length=20, null=True, index=True)

    class Meta:
        indexes = ((("person", "position"), True),)
