"""What happened to an alarm, and why, in order."""

from peewee import CharField, ForeignKeyField, TextField

from telealarm.models.alarm import Alarm, AlarmRequest
from telealarm.models.base import BaseModel, created


class Timeline(BaseModel):
    alarm = ForeignKeyField(Alarm)
    request = ForeignKeyField(AlarmRequest, null=True)
    at = created()
    what = CharField(max_length=40)
    why = TextField(default="")
