"""webhook-delivery/: what was told to webhooks and to alarms' own addresses, with each try."""

import json
from typing import Any

from telealarm.api import schemas
from telealarm.api.resource import Action, Resource, Values
from telealarm.api.visit import Visit, stamp
from telealarm.models import WebhookDelivery
from telealarm.rules.states import DeliveryStatus
from telealarm.store import deliveries

TRY = schemas.thing(
    {
        "at": schemas.MOMENT,
        "status": {"type": ["integer", "null"]},
        "seconds": {"type": "number"},
        "why": {"type": "string"},
    }
)


def show(visit: Visit, row: Any) -> dict[str, Any]:
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


def redeliver(visit: Visit, row: Any, values: Values) -> dict[str, Any]:
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
    actions=(Action("redeliver", "POST", redeliver, reply=schemas.ref("WebhookDelivery")),),
    shapes={
        "url": schemas.LINK,
        "webhook": schemas.MAYBE_LINK,
        "alarm": schemas.MAYBE_LINK,
        **schemas.of_columns(WebhookDelivery, "message_id", "type", "target_url"),
        "status": {
            "enum": [status.value for status in DeliveryStatus],
            "description": ", ".join(f"{one.value} {one.name.lower()}" for one in DeliveryStatus),
        },
        "next_try": schemas.nullable(schemas.MOMENT),
        "tries": {"type": "array", "items": TRY},
        "payload": {"type": "object"},
        "created_date": schemas.MOMENT,
    },
)
