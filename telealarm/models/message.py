"""The outbox."""

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from telealarm.models.account import User
from telealarm.models.alarm import Alarm
from telealarm.models.base import ClaimableModel, UtcField, created
from telealarm.models.gateway import SmsGateway
from telealarm.rules.states import MessageStatus


class Message(ClaimableModel):
    """An SMS that is to be sent once; `reference` is the gateway's own id for it."""

    owner = ForeignKeyField(User)
    alarm = ForeignKeyField(Alarm)
    gateway = ForeignKeyField(SmsGateway)
    recipient = CharField(max_length=50)
    text = TextField()
    status = IntegerField(default=MessageStatus.PENDING)
    date = UtcField()
    tries = IntegerField(default=0)
    reference = CharField(max_length=200, default="")
    created_date = created()

    class Meta:
        indexes = ((("status", "date"), False),)
