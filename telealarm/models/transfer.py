"""Transfers: the channels to agents that are placed during a survey."""

from peewee import CharField, ForeignKeyField, IntegerField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, UtcField, created
from telealarm.models.call import CallRequest
from telealarm.models.gateway import Gateway
from telealarm.models.survey import Section


class Transfer(BaseModel):
    """One call to an agent. The callee hears ringing meanwhile."""

    owner = ForeignKeyField(User)
    owner_id: Key
    call = ForeignKeyField(CallRequest, backref="transfers")
    call_id: Key
    section = ForeignKeyField(Section)
    section_id: Key
    gateway = ForeignKeyField(Gateway)
    gateway_id: Key
    aleg_uuid = CharField(max_length=120, unique=True)
    phone_number = CharField(max_length=80)
    endpoint = CharField(max_length=600)  # what Asterisk dials
    started = created()
    answered = UtcField(null=True)
    taken = UtcField(null=True)  # the agent accepted the call: the talk begins
    ended = UtcField(null=True)
    disposition = CharField(max_length=20, default="")
    hangup_cause = IntegerField(default=0)  # Q.850

    class Meta:
        indexes = (
            (("call", "section"), False),
            (("ended", "gateway"), False),
            (("owner", "id"), False),
        )
