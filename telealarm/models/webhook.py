"""Webhooks: the endpoints of a manager's programs, and the notifications sent to them."""

from typing import Any

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField, TextField

from telealarm.models.account import User
from telealarm.models.alarm import Alarm
from telealarm.models.base import BaseModel, ClaimableModel, Key, OptionalKey, UtcField, created
from telealarm.models.encrypted import EncryptedField
from telealarm.models.gateway import ACTIVE
from telealarm.words import DeliveryStatus


class Webhook(BaseModel):
    """An endpoint. `events`: the changes that are sent to it; empty: all changes.

    The secret can be decrypted, because it signs each delivery. `old_secret` signs as well until
    `old_until`. `failing_since`: the first failure since the last accepted delivery.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    target_url = CharField(max_length=500)
    events: "Field[list[str]]" = JSONField(default=list)
    secret = EncryptedField("webhook secrets")
    old_secret = EncryptedField("webhook secrets", null=True)
    old_until = UtcField(null=True)
    status = IntegerField(default=ACTIVE)
    status_reason = CharField(max_length=300, default="")
    failing_since = UtcField(null=True)
    created_date = created()
    updated_date = created()


class WebhookDelivery(ClaimableModel):
    """One change to send to one endpoint; without a webhook, to the URL of an alarm.

    `payload` is the body, byte for byte as it is signed. `tries` lists each try: at, status (HTTP,
    or null), seconds, why. `attempt` counts the tries of the schedule; a redelivery starts it
    again. Deliveries of one `lane` are sent one after the other. `endpoint` names the host, for the
    caps.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    webhook = ForeignKeyField(Webhook, null=True, on_delete="CASCADE")
    webhook_id: OptionalKey
    alarm = ForeignKeyField(Alarm, null=True)
    alarm_id: OptionalKey
    message_id = CharField(max_length=40, unique=True)
    type = CharField(max_length=40)
    target_url = CharField(max_length=500)
    endpoint = CharField(max_length=300)
    lane = CharField(max_length=330)
    payload = TextField()
    status = IntegerField(default=DeliveryStatus.PENDING)
    date = UtcField()
    attempt = IntegerField(default=0)
    tries: "Field[list[dict[str, Any]]]" = JSONField(default=list)
    created_date = created()

    class Meta:
        indexes = (
            (("status", "date"), False),
            (("owner", "id"), False),
            (("created_date",), False),
            (("lane", "status"), False),
        )
