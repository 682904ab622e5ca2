"""The SMS that answer a reply."""

from datetime import datetime

from telealarm import i18n
from telealarm.i18n.model import ReplyTexts
from telealarm.models import Alarm, Message
from telealarm.rules import placeholders, short_sms
from telealarm.store import do_not_call
from telealarm.store.engine import recipients
from telealarm.store.messages import outbox
from telealarm.store.messages.compose import Composer
from telealarm.words import MessagePurpose


def texts(alarm: Alarm) -> ReplyTexts:
    """Return the texts in the language of the recipient."""
    return i18n.of(recipients.language(alarm)).written.reply


def once(message: Message, text: str, purpose: str, composer: Composer, now: datetime) -> None:
    """Queue the SMS if its alarm has none of this purpose yet.

    Otherwise two machines could write to each other for ever.
    """
    if is_first(message, purpose):
        answer(message, text, purpose, composer, now)


def is_first(message: Message, purpose: str) -> bool:
    """Return whether the alarm has no SMS of this purpose yet."""
    same = (Message.alarm == message.alarm_id) & (Message.purpose == purpose)
    return not Message.select().where(same).exists()


def answer(message: Message, text: str, purpose: str, composer: Composer, now: datetime) -> None:
    """Queue an SMS to the sender, unless their number is on a do-not-call list.

    A confirmation is short, because every accepted answer gets one.
    """
    if not do_not_call.lists_number(message.owner_id, message.recipient):
        fill = short_sms.fill if purpose == MessagePurpose.ANSWER else placeholders.fill
        send(message, fill(text, composer.values(message.alarm, now)), purpose, now)


def send(message: Message, text: str, purpose: str, now: datetime) -> None:
    """Queue an SMS to the sender, even if their number is on a do-not-call list."""
    assert message.gateway is not None  # an SMS reply answers an SMS, which has a gateway
    outbox.queue_sms(
        message.alarm,
        message.gateway,
        message.recipient,
        text,
        now,
        purpose=purpose,
        sender=message.sender,
        what=purpose,
    )
