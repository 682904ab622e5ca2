"""Delivery reports: what became of a message after its gateway took it.

They come twice, in any order, and before we have kept that the message was taken. `delivered` is
the last word.
"""

from datetime import datetime, timedelta

from telealarm.methods import sms
from telealarm.models import EarlyReport, Message, SmsGateway
from telealarm.rules.text import kept
from telealarm.store.engine.timeline import record
from telealarm.words import DeliveryReport, MessageStatus, ReportOutcome

LONGEST_SAID = 500
DELIVERED, FAILED = DeliveryReport.DELIVERED, DeliveryReport.FAILED
# For how long a report waits for its message to be known by the gateway's id, and how many do.
EARLY, MOST_EARLY = timedelta(minutes=10), 1000
# Withdrawn, and refused for good: nothing of it can arrive.
_GONE = [MessageStatus.WITHDRAWN, MessageStatus.FAILED]


def find(gateway: SmsGateway, message_id: str) -> Message | None:
    """The latest message that the gateway was given under this id, ours or its own."""
    was_given = (Message.tries > 0) | (Message.status == MessageStatus.SENDING)
    by_id = (Message.uid == message_id) | (Message.reference == message_id)
    return (
        Message.select()
        .where(Message.gateway == gateway.id, by_id, was_given, Message.status.not_in(_GONE))
        .order_by(Message.id.desc())
        .get_or_none()
    )


def mark(message: Message, delivery: str, said: str, now: datetime) -> str:
    """Keep what the report says; returns it, or `known` where it is nothing new."""
    if message.delivery in (delivery, DELIVERED):
        return ReportOutcome.KNOWN
    said = kept(said, LONGEST_SAID)
    Message.update(delivery=delivery, said=said).where(Message.id == message.id).execute()
    message.delivery, message.said = delivery, said
    reported = delivery == DELIVERED
    what = sms.Timeline.DELIVERED if reported else sms.Timeline.UNDELIVERED
    why = f"to {message.recipient}" + (f": {said}" if said else "")
    record(message.alarm_id, what, why, request_id=message.request_id, at=now)
    return delivery


def keep_early(
    gateway: SmsGateway, message_id: str, delivery: str, said: str, now: datetime
) -> str:
    """A report of no message that is known: kept while one is being sent that it may be of."""
    EarlyReport.delete().where(EarlyReport.received < now - EARLY).execute()
    being_sent = Message.select().where(
        Message.gateway == gateway.id, Message.status == MessageStatus.SENDING
    )
    early = EarlyReport.select().where(EarlyReport.gateway == gateway.id)
    if not being_sent.exists() or early.count() >= MOST_EARLY:
        return ReportOutcome.UNKNOWN_MESSAGE
    EarlyReport.create(
        gateway=gateway,
        external_id=message_id,
        delivery=delivery,
        said=kept(said, LONGEST_SAID),
        received=now,
    )
    return ReportOutcome.KEPT


def catch_up(message: Message, now: datetime) -> None:
    """The gateway's id of the message is known now: what was reported of it before is its."""
    if not message.reference:
        return
    its = (EarlyReport.gateway == message.gateway_id) & (
        EarlyReport.external_id == message.reference
    )
    fresh = EarlyReport.received > now - EARLY
    for early in EarlyReport.select().where(its, fresh).order_by(EarlyReport.id):
        mark(message, early.delivery, early.said, now)
    EarlyReport.delete().where(its).execute()
