"""SMS that are no attempt go into the outbox; what waits there is called back."""

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
    """An SMS about `alarm` is to be sent, and the timeline tells it, and `what` it is.

    `sender` None is the gateway's own.
    """
    own = str(gateway.settings.get("sender", ""))
    Message.create(
        owner=alarm.owner_id,
        alarm=alarm,
        gateway=gateway,
        method=sms.METHOD.number,
        purpose=purpose,
        recipient=recipient,
        tail=phone.tail(recipient),
        sender=own if sender is None else sender,
        date=now,
        **sms_segments.columns(text),
    )
    why = f"to {recipient}: {what}" if what else f"to {recipient}"
    record(alarm.id, sms.Timeline.QUEUED, why, request_id=request_id, at=now)
    wake("messages")


def withdraw(alarm_ids: list[int], now: datetime, *, sending: bool = False) -> None:
    """Their alarms were called off: their attempts that nobody has sent yet are not sent.

    `sending`: no attempt follows one that is being sent now, if it fails.
    """
    statuses = [MessageStatus.PENDING, *([MessageStatus.SENDING] if sending else [])]
    Message.update(withdrawn=now).where(
        Message.alarm.in_(alarm_ids),
        Message.request.is_null(False),
        Message.status.in_(statuses),
    ).execute()
    wake("messages")
