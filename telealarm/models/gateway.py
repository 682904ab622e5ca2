"""Gateways for calls and for SMS. Only superusers write them."""

import secrets
from typing import Any

from peewee import (
    BooleanField,
    CharField,
    Field,
    FloatField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from telealarm.models.base import BaseModel, OptionalKey, UtcField, created
from telealarm.models.encrypted import EncryptedField, EncryptedJsonField
from telealarm.rules.phone import DEFAULT_PATTERN
from telealarm.words import SmsCancel, Switch

ACTIVE, INACTIVE = Switch.ACTIVE, Switch.INACTIVE


def new_secret() -> str:
    """Return a secret for the addresses of an SMS gateway."""
    return secrets.token_urlsafe(18)


class Gateway(BaseModel):
    """A dial template such as `PJSIP/{number}@trunk`, and the numbers and load that it accepts."""

    name = CharField(unique=True)
    status = IntegerField(default=ACTIVE)
    description = TextField(null=True)
    addprefix = CharField(max_length=60, default="")
    removeprefix = CharField(max_length=60, default="")
    gateways = CharField(max_length=500)
    gateway_codecs = CharField(max_length=500, default="")
    gateway_timeouts = CharField(max_length=500, default="")
    gateway_retries = CharField(max_length=500, default="")
    originate_dial_string = CharField(max_length=500, default="")
    failover: "ForeignKeyField[Gateway | None]" = ForeignKeyField("self", null=True)
    failover_id: OptionalKey
    addparameter = CharField(max_length=360, default="")
    maximum_call = IntegerField(default=0)  # 0: no cap
    calls_per_second = FloatField(default=0)  # 0: no cap
    # When the next call may leave. All workers take their turns from here.
    next_slot = UtcField(null=True)
    number_pattern = CharField(max_length=200, default=DEFAULT_PATTERN)
    allowed_prefixes: "Field[list[str]]" = JSONField(default=list)  # empty: all
    # The region of its emergency numbers, like ES; null: the default region.
    region = CharField(max_length=2, null=True)
    # It reaches our own phones. No number is an emergency number there.
    extensions = BooleanField(default=False)
    # Since when dialing through it is paused.
    paused = UtcField(null=True)
    created_date = created()
    updated_date = created()


class SmsGateway(BaseModel):
    """A gateway for SMS. `settings` depend on its kind.

    `secret` is part of the addresses to which the gateway sends reports and replies; `old_secret`
    is as good until `old_until`. `next_send` is
    the earliest time of the next message, for all workers: by the gateway's rate, or because the
    gateway asked to wait.
    """

    name = CharField(unique=True)
    kind = CharField(max_length=20, default="http")
    settings: "Field[dict[str, Any]]" = EncryptedJsonField("gateway settings", default=dict)
    status = IntegerField(default=ACTIVE)
    messages_per_second = FloatField(default=0)  # 0: no cap
    maximum_sending = IntegerField(default=4)  # messages of one worker at once
    next_send = UtcField(null=True)
    secret = EncryptedField("gateway secrets", default=new_secret)
    old_secret = EncryptedField("gateway secrets", null=True)
    old_until = UtcField(null=True)
    # What a reply of CANCEL means.
    sms_cancel = CharField(max_length=12, default=SmsCancel.APPOINTMENT)
    created_date = created()
    updated_date = created()
