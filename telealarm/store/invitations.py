"""Invitations that no longer say what their event says: whoever had one is told."""

from datetime import datetime
from typing import Any

from telealarm.errors import Invalid
from telealarm.models import Alarm, Event, Message
from telealarm.rules import languages, placeholders
from telealarm.rules.states import EventStatus, MessageStatus
from telealarm.store import do_not_call
from telealarm.store.composing import Composer
from telealarm.store.database import wake
from telealarm.store.timeline import tell

CROWD = 50


def sequence(alarm: Alarm, recipient: str, invitation: dict[str, Any]) -> int:
    """The SEQUENCE of an invitation: one more than the last that said something else.

    RFC 5546 2.1.4: it grows with each change of the event, and not with a mere repetition.
    """
    before = (
        Message.select()
        .join(Alarm)
        .where(
            Alarm.event == alarm.event_id,
            Message.recipient == recipient,
            Message.invitation.is_null(False),
            Message.status.in_([MessageStatus.SENT, MessageStatus.SENDING, MessageStatus.UNKNOWN]),
        )
        .order_by(Message.sequence.desc())
        .first()
    )
    if before is None:
        return 0
    number: int = before.sequence
    return number if _content(before.invitation) == _content(invitation) else number + 1


def _content(invitation: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(invitation.get(name) for name in ("title", "start", "end", "zone", "cancelled"))


def taken(message: Message) -> None:
    """The recipient has this invitation now, and no older one of the event."""
    if message.invitation is None:
        return
    event_id = message.alarm.event_id
    of_event = Alarm.select(Alarm.id).where(Alarm.event == event_id)
    Message.update(current=False).where(
        Message.alarm.in_(of_event), Message.recipient == message.recipient, Message.current
    ).execute()
    if not message.invitation["cancelled"]:
        Message.update(current=True).where(Message.id == message.id).execute()


def outdated(now: datetime) -> list[int]:
    """The ids of messages whose invitation stands in a calendar, and is wrong there."""
    wrong = (
        Event.deleted.is_null(False) | (Event.start != Message.starts) | (Event.end != Message.ends)
    )
    rows = (
        Message.select(Message.id)
        .join(Alarm)
        .join(Event)
        .where(Message.current, Message.ends > now, wrong)
        .order_by(Message.id)
        .limit(CROWD)
    )
    return [row.id for row in rows]


def renew(message_id: int, composer: Composer, now: datetime) -> None:
    """Tell the recipient that the event was moved or cancelled, once."""
    old = Message.get_by_id(message_id)
    if not old.current:
        return
    Message.update(current=False).where(Message.id == message_id).execute()
    alarm, event = old.alarm, old.alarm.event
    if do_not_call.lists_mail(alarm.owner_id, old.recipient):
        return
    cancelled = event.deleted is not None
    if not cancelled and event.status == EventStatus.COMPLETED and event.end <= now:
        return
    alarm.alarm_email = old.recipient
    try:
        columns = composer.envelope(alarm, event, alarm.mail_template, now)
    except Invalid as error:
        tell(alarm.id, "wrong", str(error), at=now)
        return
    invitation = columns["invitation"] | {"cancelled": cancelled}
    if cancelled:
        kept = {name: old.invitation[name] for name in ("title", "start", "end", "zone")}
        invitation |= kept
    said = composer.values(alarm, now)
    words = languages.of(alarm.language).texts
    subject = placeholders.fill(words["called_off" if cancelled else "moved"], said)
    if cancelled:
        said |= {"confirm_url": None, "cancel_url": None}
    body = composer.mail(None, said, alarm.language)
    Message.create(
        **columns
        | body
        | {
            "owner": old.owner_id,
            "alarm": alarm.id,
            "purpose": "invitation",
            "subject": subject,
            "date": now,
            "invitation": invitation,
            "sequence": sequence(alarm, old.recipient, invitation),
        }
    )
    tell(
        alarm.id, "mail_queued", f"{'CANCEL' if cancelled else 'update'} of the invitation", at=now
    )
    wake("messages")
