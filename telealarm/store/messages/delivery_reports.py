"""Delivery reports: what happened to a message after its gateway accepted it.

A report may come twice, in any order, and before we have saved that the message was accepted.
`delivered` is final: no later report changes it.
"""

from datetime import datetime, timedelta

from telealarm.methods import sms
from telealarm.models import EarlyReport, Message, SmsGateway
from telealarm.rules.text import kept
from telealarm.store.engine.timeline import record
from telealarm.words import DeliveryReport, MessageStatus, ReportOutcome

LONGEST_SAID = 500
DELIVERED, FAILED = DeliveryReport.DELIVERED, DeliveryReport.FAILED
# How long a report waits until its message has the gateway's id, and how many reports may wait.
EARLY, MOST_EARLY = timedelta(minutes=10), 1000
# Withdrawn, or refused for good: such a message cannot arrive.
_GONE = [MessageStatus.WITHDRAWN, MessageStatus.FAILED]


def find(gateway: SmsGateway, message_id: str) -> Message | None:
    """Return the latest message that the gateway got under this id, ours or the gateway's."""
    was_given = (Message.tries > 0) | (Message.status == MessageStatus.SENDING)
    by_id = (Message.uid == message_id) | (Message.reference == message_id)
    return (
        Message.select()
        .where(Message.gateway == gateway.id, by_id, was_given, Message.status.not_in(_GONE))
        .order_by(Message.id.desc())
        .get_or_none()
    )


def mark(message: Message, delivery: str, said: str, now: datetime) -> str:
    """Save what the report says. Return it, or `known` if it is nothing new."""
    if message.delivery in (delivery, DELIVERED):
        return ReportOutcome.KNOWN
    said = kept(said, LONGEST_SAID)
    Message.update(delivery=delivery, said=said).where(Message.id == message.id).execute()
    message.delivery, message.said = delivery, said
    reported = delivery == DELIVERED
    what = sms.TimelineWord.DELIVERED if reported else sms.TimelineWord.UNDELIVERED
    why = f"to {message.recipient}" + (f": {said}" if said else "")
    record(message.alarm_id, what, why, request_id=message.request_id, at=now)
    return delivery


def keep_early(
    gateway: SmsGateway, message_id: str, delivery: str, said: str, now: datetime
) -> str:
    """Save a report of an unknown message, if it may belong to a message that is being sent."""
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
    """Apply the earlier reports of the message, because the gateway's id of it is known now."""
    if not message.reference:
        return
    of_message = (EarlyReport.gateway == message.gateway_id) & (
        EarlyReport.external_id == message.reference
    )
    fresh = EarlyReport.received > now - EARLY
    for early in EarlyReport.select().where(of_message, fresh).order_by(EarlyReport.id):
        mark(message, early.delivery, early.said, now)
    EarlyReport.delete().where(of_message).execute()
