"""The outbox: SMS that are not attempts are queued, and waiting attempts are withdrawn."""

from datetime import datetime

from telealarm.methods import sms
from telealarm.models import Alarm, Message, SmsGateway
from telealarm.rules import phone, sms_segments
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.words import MessagePurpose, MessageStatus


def queue_sms(
    alarm: Alarm,
    gateway: SmsGateway,
    recipient: str,
    text: str,
    now: datetime,
    *,
    purpose: str = MessagePurpose.ALARM,
    sender: str | None = None,
    what: str = "",
    request_id: int | None = None,
) -> None:
    """Queue an SMS about `alarm`. The timeline records it, and `what` it is.

    If `sender` is None, the gateway's sender is used.
    """
    default_sender = str(gateway.settings.get("sender", ""))
    Message.create(
        owner=alarm.owner_id,
        alarm=alarm,
        gateway=gateway,
        method=sms.METHOD.number,
        purpose=purpose,
        recipient=recipient,
        tail=phone.tail(recipient),
        sender=default_sender if sender is None else sender,
        date=now,
        **sms_segments.columns(text),
    )
    why = f"to {recipient}: {what}" if what else f"to {recipient}"
    record(alarm.id, sms.TimelineWord.QUEUED, why, request_id=request_id, at=now)
    wake("messages")


def withdraw(alarm_ids: list[int], now: datetime, *, sending: bool = False) -> None:
    """Withdraw the waiting messages of these alarms, because the alarms were cancelled.

    Only attempts are withdrawn. `sending`: also mark the messages that are being sent now. Then no
    attempt follows if they fail.
    """
    statuses = [MessageStatus.PENDING, *([MessageStatus.SENDING] if sending else [])]
    Message.update(withdrawn=now).where(
        Message.alarm.in_(alarm_ids),
        Message.request.is_null(False),
        Message.status.in_(statuses),
    ).execute()
    wake("messages")
