"""Do-not-call lists: numbers and mail addresses that get no alarms from the list's owner."""

from peewee import BooleanField, CharField, ForeignKeyField, TextField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, created


class DncList(BaseModel):
    owner = ForeignKeyField(User)
    owner_id: Key
    name = CharField(max_length=100)
    description = TextField(null=True)
    created_date = created()
    updated_date = created()


class DncContact(BaseModel):
    """A number without punctuation, or a mail address in lower case.

    `e164` is the same number in E.164 form; null: no plan can place it.
    """

    dnc = ForeignKeyField(DncList, on_delete="CASCADE", backref="contacts")
    dnc_id: Key
    phone_number = CharField(max_length=50, null=True)
    e164 = CharField(max_length=20, null=True, index=True)
    email = CharField(max_length=254, null=True)
    # The keyed digests of these, if the person was erased. The entry still works.
    phone_digest = CharField(max_length=64, null=True, index=True)
    e164_digest = CharField(max_length=64, null=True, index=True)
    email_digest = CharField(max_length=64, null=True, index=True)
    # A reply of STOP made it. START removes it.
    by_stop = BooleanField(default=False)
    created_date = created()
    updated_date = created()

    class Meta:
        indexes = ((("phone_number", "dnc"), True), (("email", "dnc"), True))
