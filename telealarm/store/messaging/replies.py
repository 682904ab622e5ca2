"""Replies: what people answer by SMS, and what is sent back to them.

A reply that the gateway delivers twice is handled once.
"""

import uuid
from datetime import datetime, timedelta

from telealarm.models import Alarm, Event, InboundSms, Message, SmsGateway
from telealarm.rules import phone, replies
from telealarm.store.engine import dialect, recipients
from telealarm.store.engine.crud import first
from telealarm.store.engine.timeline import record
from telealarm.store.messages.compose import Composer
from telealarm.store.messaging import consent, write_back
from telealarm.store.outcome import answers
from telealarm.words import (
    AlarmResult,
    MessagePurpose,
    MessageStatus,
    ReplyOutcome,
    SmsCancel,
    TimelineWord,
)

# How old messages to a number may be, and how many count. An older number may have a new owner.
REMEMBERED, MOST = timedelta(days=400), 200
# If a gateway gives no ids: the same text from the same number within this time is one message.
REPEATED = timedelta(minutes=1)
LONGEST = 1000
# The number of the lock that one worker at a time holds while it handles a reply.
_LOCK = 0x5345504C59
_ARRIVED = [MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.UNKNOWN]


def reply(
    gateway: SmsGateway, external_id: str, sender: str, text: str, composer: Composer, now: datetime
) -> str:
    """Handle a reply that came in. Return its outcome in one word.

    `external_id` is the gateway's id of the reply. It is empty if the gateway gives none.
    """
    # Two workers may get the same reply, or two replies to one alarm, at the same time.
    dialect.lock(InboundSms._meta.database, _LOCK)
    number, text = phone.clean(sender), text[:LONGEST]
    known = _known(gateway, external_id, number, text, now)
    if known is not None:
        outcome: str = known.outcome
        return outcome
    messages = _messages_to(gateway, number, now)
    asked = [row for row in messages if row.purpose == MessagePurpose.ALARM]
    question = next((row for row in asked if _is_open(row, now)), next(iter(asked), None))
    message = question or next(iter(messages), None)
    outcome = ReplyOutcome.UNKNOWN_NUMBER
    if message is not None:
        meaning = _meaning(gateway, message, text)
        is_closed = question is None or not _is_open(question, now)
        if meaning == replies.STOP:
            outcome = consent.stop(messages, number, now)
        elif meaning == replies.HELP:
            outcome = consent.help(message, composer, now)
        elif _wants_start(meaning, text, is_closed, messages, number):
            outcome = consent.start(messages, number, now)
        elif question is not None:
            outcome = _answer(question, meaning, text, composer, now)
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


def _meaning(gateway: SmsGateway, message: Message, text: str) -> str | None:
    """Return what the reply means to this gateway."""
    language = recipients.language(message.alarm)
    if gateway.sms_cancel == SmsCancel.OPTOUT and replies.is_bare_cancel(text, language):
        return replies.STOP
    return replies.meaning(text, language)


def _wants_start(
    meaning: str | None, text: str, is_closed: bool, messages: list[Message], number: str
) -> bool:
    """Return whether the sender asks for messages again. YES asks for it if nothing else is asked.

    If the number is on no list, START says nothing, and is asked about as any other text.
    """
    if meaning == replies.START:
        return consent.is_listed(messages) or consent.is_stopped(messages, number)
    return is_closed and replies.is_yes(text) and consent.is_stopped(messages, number)


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
    """Return the messages of alarms to this number through this gateway, the latest first.

    The bad news about an alarm is among them: who gets it may want no more of it.
    """
    rows = (
        Message.select(Message, Alarm, Event)
        .join(Alarm)
        .join(Event)
        .where(
            Message.tail == phone.tail(number),
            Message.gateway == gateway.id,
            Message.purpose.in_([MessagePurpose.ALARM, MessagePurpose.FAILURE]),
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

    A thank-you follows each accepted answer. Every other text is sent once for an alarm.
    """
    alarm = message.alarm
    texts = write_back.texts(alarm)
    if meaning not in replies.ANSWERS:
        meaning = None
    if not _is_open(message, now):
        return _too_late(message, meaning, text, composer, now)
    if meaning is None:
        record(alarm.id, TimelineWord.REPLY_UNCLEAR, text, at=now)
        write_back.once(message, texts.unclear, MessagePurpose.UNCLEAR, composer, now)
        return ReplyOutcome.UNCLEAR
    outcome = answers.answer(alarm, int(meaning), f"by SMS from {message.recipient}", now)
    thanks = {"1": texts.confirmed, "2": texts.cancelled, "3": texts.reschedule}[meaning]
    if replies.is_bare_cancel(text, recipients.language(alarm)):
        thanks = f"{thanks} {texts.further}"
    write_back.answer(message, thanks, MessagePurpose.ANSWER, composer, now)
    return str(outcome)


def _too_late(
    message: Message, meaning: str | None, text: str, composer: Composer, now: datetime
) -> str:
    """Handle a reply to an alarm that was answered or cancelled, or is over.

    The first answer stays. The sender is notified once if there was no answer, or if the reply
    means another one. A thank-you for an accepted answer, or the same answer again, gets no SMS.
    """
    alarm = message.alarm
    texts = write_back.texts(alarm)
    record(alarm.id, TimelineWord.REPLY_LATE, text, at=now)
    if alarm.result == AlarmResult.NONE:
        write_back.once(message, texts.late, MessagePurpose.LATE, composer, now)
        return ReplyOutcome.CLOSED
    if meaning is not None and int(meaning) != alarm.result:
        write_back.once(message, texts.answered_before, MessagePurpose.LATE, composer, now)
    return ReplyOutcome.BEFORE
