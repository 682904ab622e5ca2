"""webhook-delivery/: the deliveries to webhooks and to addresses of alarms, with each try."""

import json
from typing import Any, ClassVar

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import COLUMN, CREATED, Column, Computed, RowLink, SelfLink
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.models import WebhookDelivery
from telealarm.store.webhooks import deliveries
from telealarm.words import DeliveryStatus

TRY = json_schema.thing(
    {
        "at": json_schema.MOMENT,
        "status": {"type": ["integer", "null"]},
        "seconds": {"type": "number"},
        "why": {"type": "string"},
    },
    "DeliveryTry",
)


def redeliver(context: RequestContext, row: WebhookDelivery, values: Values) -> dict[str, Any]:
    """Send the delivery now, with the same id. It is retried for a day"""
    deliveries.redeliver(row, context.now)
    return WEBHOOK_DELIVERY.show(context, WebhookDelivery.get_by_id(row.id))


def next_try(context: RequestContext, row: WebhookDelivery) -> str | None:
    return stamp(row.date) if row.status == DeliveryStatus.PENDING else None


class WebhookDeliveryReply(Reply):
    url: ClassVar = SelfLink("webhook-delivery")
    webhook: ClassVar = RowLink("webhook", "webhook_id", null=True)
    alarm: ClassVar = RowLink("alarm", "alarm_id", null=True)
    message_id: ClassVar = COLUMN
    type: ClassVar = COLUMN
    target_url: ClassVar = COLUMN
    status: ClassVar = Column(
        shape=json_schema.numbers({s.value: s.name.lower() for s in DeliveryStatus}),
    )
    next_try: ClassVar = Computed(
        next_try, json_schema.nullable(json_schema.MOMENT), meaning="When it is sent again."
    )
    tries: ClassVar = Column(
        shape={"type": "array", "items": TRY}, meaning="Each try, with the status of its answer."
    )
    payload: ClassVar = Computed(
        lambda context, row: json.loads(row.payload),
        json_schema.ANY_OBJECT,
        meaning="The body that is sent.",
    )
    created_date: ClassVar = CREATED


WEBHOOK_DELIVERY = Resource(
    name="webhook-delivery",
    model=WebhookDelivery,
    reply=WebhookDeliveryReply,
    filters={
        "webhook": WebhookDelivery.webhook,
        "alarm": WebhookDelivery.alarm,
        "status": WebhookDelivery.status,
        "type": WebhookDelivery.type,
        "created_date": WebhookDelivery.created_date,
    },
    actions=(Action("redeliver", "POST", redeliver, reply=json_schema.ref("WebhookDelivery")),),
)
