"""The timeline: what happened to an alarm and why, in order."""

from peewee import CharField, ForeignKeyField, TextField

from telealarm.models.alarm import Alarm, AlarmRequest
from telealarm.models.base import BaseModel, Key, OptionalKey, created


class Timeline(BaseModel):
    alarm = ForeignKeyField(Alarm)
    alarm_id: Key
    request = ForeignKeyField(AlarmRequest, null=True)
    request_id: OptionalKey
    at = created()
    what = CharField(max_length=40)
    why = TextField(default="")
