"""message/: the SMS and mails that were written for alarms, and what became of them."""

from typing import ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import COLUMN, Computed, Link
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


def status(context: RequestContext, row: Message) -> str:
    """The delivery report, where one came, says more than that it was sent."""
    return row.delivery or STATUSES[MessageStatus(row.status)]


class MessageReply(Reply):
    url: ClassVar = Link("message")
    alarm: ClassVar = Link("alarm", "alarm_id")
    alarm_request: ClassVar = Link("alarm-request", "request_id", null=True)
    status: ClassVar = Computed(
        status, {"type": "string", "enum": [*STATUSES.values(), "delivered"]}
    )
    method: ClassVar = COLUMN
    purpose: ClassVar = COLUMN
    recipient: ClassVar = COLUMN
    sender: ClassVar = COLUMN
    subject: ClassVar = COLUMN
    text: ClassVar = COLUMN
    encoding: ClassVar = COLUMN
    segments: ClassVar = COLUMN
    said: ClassVar = COLUMN
    tries: ClassVar = COLUMN
    reference: ClassVar = COLUMN
    date: ClassVar = COLUMN
    sent: ClassVar = COLUMN
    created_date: ClassVar = COLUMN


MESSAGE = Resource(
    name="message",
    model=Message,
    reply=MessageReply,
    show_first=(
        *("url", "alarm", "alarm_request", "method", "purpose", "recipient", "sender", "subject"),
        *("text", "encoding", "segments"),
    ),
    filters={
        "alarm": Message.alarm,
        "recipient": Message.recipient,
        "method": Message.method,
        "purpose": Message.purpose,
    },
)
