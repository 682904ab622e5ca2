"""Webhooks: where a manager's programs want to be told, and what they were told."""

from typing import Any

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField, TextField

from telealarm.models.account import User
from telealarm.models.alarm import Alarm
from telealarm.models.base import BaseModel, ClaimableModel, Key, OptionalKey, UtcField, created
from telealarm.models.gateway import ACTIVE
from telealarm.words import DeliveryStatus


class Webhook(BaseModel):
    """An endpoint. `events`: the changes that it is told of; empty: all.

    The secret is kept as it is, since each delivery is signed with it; `old_secret` signs beside
    it until `old_until`. `failing_since`: the first failure after which nothing was taken.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    target_url = CharField(max_length=500)
    events: "Field[list[str]]" = JSONField(default=list)
    secret = CharField(max_length=60)
    old_secret = CharField(max_length=60, null=True)
    old_until = UtcField(null=True)
    status = IntegerField(default=ACTIVE)
    status_reason = CharField(max_length=300, default="")
    failing_since = UtcField(null=True)
    created_date = created()
    updated_date = created()


class WebhookDelivery(ClaimableModel):
    """One change that is to be told to one endpoint; without a webhook, to an alarm's own URL.

    `payload` is the body, byte for byte what is signed. `tries` tells each one: at, status (HTTP,
    or null), seconds, why. `attempt` counts those of the schedule, which a redelivery begins anew.
    Deliveries of one `lane` are sent one after the other; `endpoint` is whose host it is, for the
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
