"""message/: the SMS and mails of alarms, and what happened to them."""

from typing import ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import COLUMN, CREATED, Column, Computed, RowLink, SelfLink
from telealarm.api.rest.resource import Resource
from telealarm.models import Message
from telealarm.words import DeliveryReport, MessageStatus

STATUSES = {status: status.word for status in MessageStatus}


def status(context: RequestContext, row: Message) -> str:
    """Return the delivery report if there is one, else the status."""
    return row.delivery or STATUSES[MessageStatus(row.status)]


class MessageReply(Reply):
    url: ClassVar = SelfLink("message")
    alarm: ClassVar = RowLink("alarm", "alarm_id")
    alarm_request: ClassVar = RowLink("alarm-request", "request_id", null=True)
    status: ClassVar = Computed(
        status,
        json_schema.words([*STATUSES.values(), DeliveryReport.DELIVERED]),
        meaning="What happened to the message.",
    )
    method: ClassVar = COLUMN
    purpose: ClassVar = COLUMN
    recipient: ClassVar = COLUMN
    sender: ClassVar = COLUMN
    subject: ClassVar = COLUMN
    text: ClassVar = Column(meaning="The text as it was sent.")
    encoding: ClassVar = COLUMN
    segments: ClassVar = Column(meaning="How many SMS the text needs.")
    said: ClassVar = COLUMN
    tries: ClassVar = Column(meaning="How often the system tried to send it.")
    reference: ClassVar = COLUMN
    date: ClassVar = COLUMN
    sent: ClassVar = COLUMN
    created_date: ClassVar = CREATED


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
