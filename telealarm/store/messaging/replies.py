"""Replies: what people answer by SMS, and what is sent back to them.

A reply that the gateway delivers twice is handled once.
"""

import uuid
from datetime import datetime, timedelta

from telealarm import i18n
from telealarm.i18n.model import Reply
from telealarm.models import Alarm, Event, InboundSms, Message, SmsGateway
from telealarm.rules import phone, placeholders, replies
from telealarm.store import do_not_call
from telealarm.store.engine.crud import first
from telealarm.store.engine.timeline import record
from telealarm.store.messages import outbox
from telealarm.store.messages.compose import Composer
from telealarm.store.outcome import answers
from telealarm.words import AlarmResult, MessagePurpose, MessageStatus, ReplyOutcome, TimelineWord

# How old messages to a number may be, and how many count. An older number may have a new owner.
REMEMBERED, MOST = timedelta(days=400), 200
# If a gateway gives no ids: the same text from the same number within this time is one message.
REPEATED = timedelta(minutes=1)
LONGEST = 1000
_ARRIVED = [MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.UNKNOWN]


def reply(
    gateway: SmsGateway, external_id: str, sender: str, text: str, composer: Composer, now: datetime
) -> str:
    """Handle a reply that came in. Return its outcome in one word.

    `external_id` is the gateway's id of the reply. It is empty if the gateway gives none.
    """
    number, text = phone.clean(sender), text[:LONGEST]
    known = _known(gateway, external_id, number, text, now)
    if known is not None:
        outcome: str = known.outcome
        return outcome
    messages = _messages_to(gateway, number, now)
    message = next((row for row in messages if _is_open(row, now)), next(iter(messages), None))
    if message is None:
        outcome = ReplyOutcome.UNKNOWN_NUMBER
    else:
        meaning = replies.meaning(text, message.alarm.language)
        if meaning == replies.STOP:
            outcome = _stop(messages, number, now)
        else:
            answer = meaning if meaning in replies.ANSWERS else None
            outcome = _answer(message, answer, text, composer, now)
    InboundSms.create(
        gateway=gateway,
        external_id=external_id or uuid.uuid4().hex,
        sender=number,
        text=text,
        received=now,
        alarm=message and message.alarm,
        outcome=outcome,
    )
    return outcome


def _known(
    gateway: SmsGateway, external_id: str, number: str, text: str, now: datetime
) -> InboundSms | None:
    """Return the same SMS if the gateway has delivered it before."""
    if external_id:
        same = InboundSms.external_id == external_id
    else:
        same = (InboundSms.sender == number) & (InboundSms.text == text)
        same &= InboundSms.received > now - REPEATED
    return first(InboundSms.select().where(InboundSms.gateway == gateway.id, same))


def _messages_to(gateway: SmsGateway, number: str, now: datetime) -> list[Message]:
    """Return the alarm messages to this number through this gateway, the latest first."""
    rows = (
        Message.select(Message, Alarm, Event)
        .join(Alarm)
        .join(Event)
        .where(
            Message.tail == phone.tail(number),
            Message.gateway == gateway.id,
            Message.purpose == MessagePurpose.ALARM,
            Message.status.in_(_ARRIVED),
            Message.created_date > now - REMEMBERED,
        )
        .order_by(Message.date.desc(), Message.id.desc())
        .limit(MOST)
    )
    return [row for row in rows if phone.same(row.recipient, number)]


def _is_open(message: Message, now: datetime) -> bool:
    alarm = message.alarm
    return alarm.result == AlarmResult.NONE and answers.is_open(alarm, alarm.event, now)


def _answer(
    message: Message, meaning: str | None, text: str, composer: Composer, now: datetime
) -> str:
    """Handle an answer to the message of an alarm. Return its outcome in one word.

    A thank-you follows each accepted answer. Every other text is sent once for an alarm: otherwise
    two machines could write to each other for ever.
    """
    alarm = message.alarm
    if not _is_open(message, now):
        return _too_late(message, meaning, text, composer, now)
    if meaning is None:
        record(alarm.id, TimelineWord.REPLY_UNCLEAR, text, at=now)
        _write_back_once(message, _texts(alarm).unclear, MessagePurpose.UNCLEAR, composer, now)
        return ReplyOutcome.UNCLEAR
    outcome = answers.answer(alarm, int(meaning), f"by SMS from {message.recipient}", now)
    texts = _texts(alarm)
    thanks = {"1": texts.confirmed, "2": texts.cancelled, "3": texts.reschedule}[meaning]
    _write_back(message, thanks, MessagePurpose.ANSWER, composer, now)
    return str(outcome)


def _too_late(
    message: Message, meaning: str | None, text: str, composer: Composer, now: datetime
) -> str:
    """Handle a reply to an alarm that was answered or cancelled, or is over.

    The first answer stays. The sender is notified once if there was no answer, or if the reply
    means another one. A thank-you for an accepted answer, or the same answer again, gets no SMS.
    """
    alarm = message.alarm
    record(alarm.id, TimelineWord.REPLY_LATE, text, at=now)
    if alarm.result == AlarmResult.NONE:
        _write_back_once(message, _texts(alarm).late, MessagePurpose.LATE, composer, now)
        return ReplyOutcome.CLOSED
    if meaning is not None and int(meaning) != alarm.result:
        _write_back_once(message, _texts(alarm).answered_before, MessagePurpose.LATE, composer, now)
    return ReplyOutcome.BEFORE


def _write_back_once(
    message: Message, text: str, purpose: str, composer: Composer, now: datetime
) -> None:
    before = Message.select().where(Message.alarm == message.alarm_id, Message.purpose == purpose)
    if not before.exists():
        _write_back(message, text, purpose, composer, now)


def _write_back(
    message: Message, text: str, purpose: str, composer: Composer, now: datetime
) -> None:
    """Queue an SMS to the sender, unless their number is on a do-not-call list."""
    if do_not_call.lists_number(message.owner_id, message.recipient):
        return
    filled = placeholders.fill(text, composer.values(message.alarm, now))
    _send(message, filled, purpose, now)


def _texts(alarm: Alarm) -> Reply:
    return i18n.of(alarm.language).written.reply


def _send(message: Message, text: str, purpose: str, now: datetime) -> None:
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


def _stop(messages: list[Message], number: str, now: datetime) -> str:
    """Stop calls and messages to this number from each owner that wrote to it. Confirm it once."""
    newest = messages[0]
    if do_not_call.lists_number(newest.owner_id, newest.recipient):
        return ReplyOutcome.STOPPED_BEFORE
    for owner_id, recipient in {(row.owner_id, row.recipient) for row in messages}:
        do_not_call.opt_out(owner_id, number=recipient)
        if number.startswith(("+", "00")):  # with a country code, the number is unambiguous
            do_not_call.opt_out(owner_id, number=number)
    record(newest.alarm_id, TimelineWord.STOP, f"{newest.recipient} wants no more messages", at=now)
    _send(newest, _texts(newest.alarm).stopped, MessagePurpose.ANSWER, now)
    return ReplyOutcome.STOPPED
