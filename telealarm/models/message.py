"""The outbox: SMS and mails."""

import uuid
from typing import Any

from peewee import (
    SQL,
    BooleanField,
    CharField,
    Field,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from telealarm.methods import sms
from telealarm.models.account import User
from telealarm.models.alarm import Alarm, AlarmRequest
from telealarm.models.base import BaseModel, ClaimableModel, Key, OptionalKey, UtcField, created
from telealarm.models.gateway import SmsGateway
from telealarm.words import MessagePurpose, MessageStatus


class Message(ClaimableModel):
    """An SMS or a mail. It is sent once.

    With a `request`, the message is an attempt of its alarm, and its end is the request's end.
    `uid` is sent to the gateway. If a message's fate is unknown, the next one has the same `uid`:
    the gateway can drop the duplicate. A mail has no gateway.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    alarm = ForeignKeyField(Alarm)
    alarm_id: Key
    request = ForeignKeyField(AlarmRequest, null=True, unique=True, backref="messages")
    request_id: OptionalKey
    gateway = ForeignKeyField(SmsGateway, null=True)
    gateway_id: OptionalKey
    # The number of its alarm method: 2 SMS, 3 email.
    method = IntegerField(default=sms.METHOD.number)
    # Why it is sent.
    purpose = CharField(max_length=20, default=MessagePurpose.ALARM)
    uid = CharField(max_length=80, default=lambda: uuid.uuid4().hex, index=True)
    recipient = CharField(max_length=254)
    # The recipient as the caps of a person count it; null: the message does not count.
    contact = CharField(max_length=254, null=True)
    # The last digits of the number. They match a reply to its message.
    tail = CharField(max_length=8, default="", index=True)
    sender = CharField(max_length=340, default="")
    subject = CharField(max_length=1000, default="")
    text = TextField()
    html = TextField(default="")
    unsubscribe = CharField(max_length=700, default="")
    encoding = CharField(max_length=10, default="")
    segments = IntegerField(default=0)
    status = IntegerField(default=MessageStatus.PENDING)
    date = UtcField()
    tries = IntegerField(default=0)
    # The gateway's id for the message, and the gateway's last answer.
    reference = CharField(max_length=200, default="", index=True)
    said = CharField(max_length=500, default="")
    # The delivery report: delivered, failed, or empty if there is none yet.
    delivery = CharField(max_length=12, default="")
    sent = UtcField(null=True)
    # When its alarm was called off. It is not sent if there is still time; no other follows it.
    withdrawn = UtcField(null=True)
    created_date = created()
    # Of a mail with an invitation: the content of its calendar file (rules.invitation) and its
    # times. `starts` is null if this one occurrence was called off or moved. `current`: the
    # recipient's calendar shows this invitation.
    invitation: "Field[dict[str, Any] | None]" = JSONField(null=True)
    sequence = IntegerField(default=0)
    starts = UtcField(null=True)
    ends = UtcField(null=True)
    current = BooleanField(default=False)

    class Meta:
        indexes = (
            (("status", "date"), False),
            (("owner", "id"), False),
            (("current", "ends"), False),
        )


Message.add_index(
    Message.index(Message.contact, where=SQL("contact IS NOT NULL"), name="message_contact")
)


class InboundSms(BaseModel):
    """A received SMS.

    `external_id` is the gateway's id. It identifies duplicates. If the gateway gives none, it is an
    id of ours.
    """

    gateway = ForeignKeyField(SmsGateway)
    gateway_id: Key
    external_id = CharField(max_length=200)
    sender = CharField(max_length=50)
    text = CharField(max_length=1000)
    alarm = ForeignKeyField(Alarm, null=True)
    alarm_id: OptionalKey
    outcome = CharField(max_length=40, default="")
    received = created()

    class Meta:
        indexes = ((("gateway", "external_id"), True), (("gateway", "sender", "received"), False))


class EarlyReport(BaseModel):
    """A delivery report that arrived before the gateway's id of its message was known."""

    gateway = ForeignKeyField(SmsGateway, on_delete="CASCADE")
    gateway_id: Key
    external_id = CharField(max_length=200)
    delivery = CharField(max_length=12)
    said = CharField(max_length=500)
    received = created()

    class Meta:
        indexes = ((("gateway", "external_id"), False),)
