"""The outbox: messages between the outcome that wrote them and the gateway that takes them."""

from datetime import datetime

from telealarm.models import Message
from telealarm.rules.states import MessageStatus
from telealarm.store.change import move
from telealarm.store.claim import Holder, claim, oldest
from telealarm.store.timeline import tell


def take(holder: Holder, now: datetime, limit: int) -> list[Message]:
    """Claim what is to be sent now, with its gateway."""
    waiting = oldest(Message, now, limit, pending=MessageStatus.PENDING)
    rows: list[Message] = claim(waiting, holder, now, claimed=MessageStatus.SENDING)
    for row in rows:
        _ = row.gateway  # read it here: outside the write nothing is read
    return rows


def put_back(holder: Holder) -> None:
    """What this worker claimed and did not end: its fate is unknown, and it is sent again."""
    for row in Message.select().where(
        Message.worker == holder.name,
        Message.fence == holder.fence,
        Message.status == MessageStatus.SENDING,
    ):
        unknown(row)


def unknown(message: Message) -> None:
    """It may have been sent or not; it is sent again, and the timeline says so."""
    move(message, MessageStatus.PENDING, worker=None)
    tell(message.alarm_id, "sms_unknown", "it may have been sent; it is sent again")


def sent(message: Message, reference: str) -> None:
    """The gateway took it."""
    move(message, MessageStatus.SENT, tries=message.tries + 1, reference=reference)
    tell(message.alarm_id, "sms_sent", f"to {message.recipient}")


def failed(message: Message, why: str, again: datetime | None) -> None:
    """The gateway did not take it; it is tried again at `again`, or never."""
    status = MessageStatus.FAILED if again is None else MessageStatus.PENDING
    move(
        message,
        status,
        tries=message.tries + 1,
        date=again or message.date,
        worker=None,
    )
    after = "given up" if again is None else f"again at {again.isoformat(timespec='seconds')}"
    tell(message.alarm_id, "sms_failed", f"to {message.recipient}: {why}; {after}")


def next_due(now: datetime) -> datetime | None:
    """When the next message comes due after `now`."""
    row = (
        Message.select(Message.date)
        .where(Message.status == MessageStatus.PENDING, Message.date > now)
        .order_by(Message.date)
        .first()
    )
    return row.date if row else None
