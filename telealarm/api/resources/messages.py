"""message/: the SMS and mails that were written for alarms, and what became of them."""

from typing import Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.rest.resource import Resource
from telealarm.models import Message
from telealarm.words import MessageStatus

STATUSES = {
    MessageStatus.PENDING: "pending",
    MessageStatus.SENDING: "sending",
    MessageStatus.SENT: "sent",
    MessageStatus.FAILED: "failed",
    MessageStatus.HELD: "waiting",
    MessageStatus.UNKNOWN: "unknown",
    MessageStatus.WITHDRAWN: "withdrawn",
}


def show(visit: RequestContext, row: Message) -> dict[str, Any]:
    return {
        "url": visit.links.to("message", row.id),
        "alarm": visit.links.to("alarm", row.alarm_id),
        "alarm_request": visit.links.maybe("alarm-request", row.request_id),
        "method": row.method,
        "purpose": row.purpose,
        "recipient": row.recipient,
        "sender": row.sender,
        "subject": row.subject,
        "text": row.text,
        "encoding": row.encoding,
        "segments": row.segments,
        # The delivery report, where one came, says more than that it was sent.
        "status": row.delivery or STATUSES[MessageStatus(row.status)],
        "said": row.said,
        "tries": row.tries,
        "reference": row.reference,
        "date": stamp(row.date),
        "sent": stamp(row.sent),
        "created_date": stamp(row.created_date),
    }


MESSAGE = Resource(
    name="message",
    model=Message,
    show=show,
    filters={
        "alarm": Message.alarm,
        "recipient": Message.recipient,
        "method": Message.method,
        "purpose": Message.purpose,
    },
    shapes={
        "url": json_schema.LINK,
        "alarm": json_schema.LINK,
        "alarm_request": json_schema.MAYBE_LINK,
        "status": {
            "type": "string",
            "enum": [*STATUSES.values(), "delivered"],
        },
        **json_schema.of_columns(
            Message,
            "method",
            "purpose",
            "recipient",
            "sender",
            "subject",
            "text",
            "encoding",
            "segments",
            "said",
            "tries",
            "reference",
            "date",
            "sent",
            "created_date",
        ),
    },
)
