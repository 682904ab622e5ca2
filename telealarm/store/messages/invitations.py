"""Invitations that no longer match their event: the recipients are notified."""

from datetime import datetime
from typing import Any

from telealarm.errors import Invalid
from telealarm.methods import email
from telealarm.models import Alarm, Event, Message
from telealarm.store import do_not_call
from telealarm.store.engine.crud import first
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.store.messages.compose import Composer, columns
from telealarm.words import EventStatus, MessagePurpose, MessageStatus, TimelineWord

BATCH = 50


def continued(alarm: Alarm, recipient: str, invitation: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of an invitation. UID and SEQUENCE continue the recipient's last one.

    RFC 5546 2.1.4: SEQUENCE grows with each change of the event, but not if the same invitation is
    sent again.
    """
    before = first(
        Message.select()
        .join(Alarm)
        .where(
            Alarm.event == alarm.event_id,
            Message.recipient == recipient,
            Message.invitation.is_null(False),
            Message.status.in_([MessageStatus.SENT, MessageStatus.SENDING, MessageStatus.UNKNOWN]),
        )
        .order_by(Message.sequence.desc())
    )
    if before is None or before.invitation is None:
        return {"invitation": invitation, "sequence": 0}
    invitation = invitation | {"uid": before.invitation["uid"]}
    number = before.sequence + (_content(before.invitation) != _content(invitation))
    return {"invitation": invitation, "sequence": number}


def _content(invitation: dict[str, Any]) -> tuple[object, ...]:
    return tuple(invitation.get(name) for name in ("title", "start", "end", "zone", "cancelled"))


def arrived(message: Message) -> None:
    """Mark this invitation as its recipient's current one, instead of older ones of the event.

    After a cancellation, none is current.
    """
    if message.invitation is None:
        return
    event_id = message.alarm.event_id
    of_event = Alarm.select(Alarm.id).where(Alarm.event == event_id)
    Message.update(current=False).where(
        Message.alarm.in_(of_event), Message.recipient == message.recipient, Message.current
    ).execute()
    if not message.invitation["cancelled"]:
        Message.update(current=True).where(Message.id == message.id).execute()


def call_off(event: Event) -> None:
    """Mark all invitations to the event as wrong, because it was cancelled or moved.

    Invitations that are just being sent are included.
    """
    alarms = Alarm.select(Alarm.id).where(Alarm.event == event.id)
    Message.update(starts=None).where(Message.alarm.in_(alarms)).execute()


def outdated(now: datetime) -> list[int]:
    """Return the ids of messages whose invitation is in a calendar, but no longer correct."""
    wrong = (
        Event.deleted.is_null(False)
        | Message.starts.is_null()
        | (Event.start != Message.starts)
        | (Event.end != Message.ends)
    )
    rows = (
        Message.select(Message.id)
        .join(Alarm)
        .join(Event)
        .where(Message.current, Message.ends > now, wrong)
        .order_by(Message.id)
        .limit(BATCH)
    )
    return [row.id for row in rows]


def _successor(old: Message) -> Alarm | None:
    """Return the alarm that replaces that of `old` now; None if the event was cancelled.

    If the first occurrence of a series is moved, it becomes a separate event.
    """
    alarm, event = old.alarm, old.alarm.event
    if event.deleted or old.starts is not None:
        return None if event.deleted else alarm
    moved = (Event.parent_event == event.id) & (Event.original_start == event.start)
    copies = Alarm.select().join(Event).where(Alarm.origin == alarm.id, moved)
    return copies.where(Event.deleted.is_null()).get_or_none()


def renew(message_id: int, composer: Composer, now: datetime) -> None:
    """Notify the recipient once that the event was moved or cancelled."""
    old = Message.get_by_id(message_id)
    ours = Message.update(current=False).where(Message.id == message_id, Message.current)
    if not ours.execute():
        return  # another worker notifies the recipient
    successor = _successor(old)
    cancelled, alarm = successor is None, successor or old.alarm
    event = alarm.event
    if do_not_call.lists_mail(alarm.owner_id, old.recipient):
        return
    if not cancelled and event.status == EventStatus.COMPLETED and event.end <= now:
        return
    # By mail to the old recipient, even if the alarm has another recipient or method by now.
    alarm.alarm_email, alarm.method = old.recipient, email.METHOD.number
    try:
        composed = email.METHOD.renewed(composer.context(alarm, now), cancelled=cancelled)
    except Invalid as error:
        record(alarm.id, TimelineWord.WRONG, str(error), at=now)
        return
    assert old.invitation is not None  # only mails with an invitation are renewed
    kept = ("uid", "title", "start", "end", "zone") if cancelled else ("uid",)
    invitation = (composed.invitation or {}) | {name: old.invitation[name] for name in kept}
    Message.create(
        **columns(alarm, composed)
        | {
            "owner": old.owner_id,
            "alarm": alarm.id,
            "purpose": MessagePurpose.INVITATION,
            "date": now,
            "invitation": invitation,
            "sequence": old.sequence + 1,
        }
    )
    why = f"{'CANCEL' if cancelled else 'update'} of the invitation"
    record(alarm.id, email.TimelineWord.QUEUED, why, at=now)
    wake("messages")
