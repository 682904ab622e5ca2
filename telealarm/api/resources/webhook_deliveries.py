"""webhook-delivery/: what was told to webhooks and to alarms' own addresses, with each try."""

import json
from typing import Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
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
    }
)


def show(visit: RequestContext, row: WebhookDelivery) -> dict[str, Any]:
    waits = row.status == DeliveryStatus.PENDING
    return {
        "url": visit.links.to("webhook-delivery", row.id),
        "webhook": visit.links.maybe("webhook", row.webhook_id),
        "alarm": visit.links.maybe("alarm", row.alarm_id),
        "message_id": row.message_id,
        "type": row.type,
        "target_url": row.target_url,
        "status": row.status,
        "next_try": stamp(row.date) if waits else None,
        "tries": row.tries,
        "payload": json.loads(row.payload),
        "created_date": stamp(row.created_date),
    }


def redeliver(visit: RequestContext, row: WebhookDelivery, values: Values) -> dict[str, Any]:
    """Send it now, with the same id, and a day of tries before it."""
    deliveries.redeliver(row, visit.now)
    return show(visit, WebhookDelivery.get_by_id(row.id))


WEBHOOK_DELIVERY = Resource(
    name="webhook-delivery",
    model=WebhookDelivery,
    show=show,
    filters={
        "webhook": WebhookDelivery.webhook,
        "alarm": WebhookDelivery.alarm,
        "status": WebhookDelivery.status,
        "type": WebhookDelivery.type,
        "created_date": WebhookDelivery.created_date,
    },
    actions=(Action("redeliver", "POST", redeliver, reply=json_schema.ref("WebhookDelivery")),),
    shapes={
        "url": json_schema.LINK,
        "webhook": json_schema.MAYBE_LINK,
        "alarm": json_schema.MAYBE_LINK,
        **json_schema.of_columns(WebhookDelivery, "message_id", "type", "target_url"),
        "status": {
            "enum": [status.value for status in DeliveryStatus],
            "description": ", ".join(f"{one.value} {one.name.lower()}" for one in DeliveryStatus),
        },
        "next_try": json_schema.nullable(json_schema.MOMENT),
        "tries": {"type": "array", "items": TRY},
        "payload": {"type": "object"},
        "created_date": json_schema.MOMENT,
    },
)
