"""Calling back what waits in the outbox."""

from datetime import datetime

from telealarm.models import Message
from telealarm.rules.states import MessageStatus
from telealarm.store.database import wake


def withdraw(alarm_ids: list[int], now: datetime) -> None:
    """Their alarms were called off: their attempts that nobody has sent yet are not sent."""
    Message.update(withdrawn=now).where(
        Message.alarm.in_(alarm_ids),
        Message.request.is_null(False),
        Message.status == MessageStatus.PENDING,
    ).execute()
    wake("messages")
