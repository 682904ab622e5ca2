"""What SMS gateways tell us: replies, and delivery reports. Told twice, it is done once."""

from datetime import datetime, timedelta

from telealarm.models import Alarm, Event, InboundSms, Message, SmsGateway
from telealarm.rules import languages, phone, placeholders, sms
from telealarm.rules.states import AlarmResult, MessageStatus, Method
from telealarm.store import answers, do_not_call
from telealarm.store.answers import Answered
from telealarm.store.composing import Composer
from telealarm.store.database import wake
from telealarm.store.timeline import tell

# How far back a number is known: an older message is nobody's any more.
REMEMBERED = timedelta(days=400)
_ARRIVED = [MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.UNKNOWN]


def reply(
    gateway: SmsGateway, external_id: str, sender: str, text: str, composer: Composer, now: datetime
) -> str:
    """A reply came in; returns what became of it, in one word."""
    known = InboundSms.get_or_none(
        InboundSms.gateway == gateway.id, InboundSms.external_id == external_id
    )
    if known is not None:
        outcome: str = known.outcome
        return outcome
    number = phone.clean(sender)
    row = InboundSms.create(
        gateway=gateway, external_id=external_id, sender=sender, text=text[:1000], received=now
    )
    messages = _messages_to(gateway, number, now)
    open_ones = [one for one in messages if _is_open(one, now)]
    language = (open_ones or messages)[0].alarm.language if messages else None
    meaning = languages.meaning(text, language)
    if meaning == languages.STOP:
        outcome = _stop(messages, number, gateway, now)
    elif not open_ones:
        outcome = "no_open_alarm"
    else:
        row.alarm = open_ones[0].alarm
        outcome = _answer(open_ones[0], meaning, composer, now)
    row.outcome = outcome
    row.save()
    return outcome


def _messages_to(gateway: SmsGateway, number: str, now: datetime) -> list[Message]:
    """The alarms by SMS that went to this number through this gateway, the latest first."""
    rows = (
        Message.select(Message, Alarm, Event)
        .join(Alarm)
        .join(Event)
        .where(
            Message.tail == phone.tail(number),
            Message.gateway == gateway.id,
            Message.request.is_null(False),
            Message.status.in_(_ARRIVED),
            Message.created_date > now - REMEMBERED,
        )
        .order_by(Message.date.desc(), Message.id.desc())
    )
    return [row for row in rows if phone.same(row.recipient, number)]


def _is_open(message: Message, now: datetime) -> bool:
    alarm = message.alarm
    return alarm.result == AlarmResult.NONE and answers.is_open(alarm, alarm.event, now)


def _answer(message: Message, meaning: str | None, composer: Composer, now: datetime) -> str:
    alarm = message.alarm
    if meaning is None:
        tell(alarm.id, "reply_unclear", "the recipient is asked once more", at=now)
        asked = Message.select().where(Message.alarm == alarm.id, Message.purpose == "unclear")
        if not asked.exists():  # once: two machines shall not talk for ever
            _write_back(message, "unclear", composer, now)
        return "unclear"
    done = answers.answer(alarm, int(meaning), f"by SMS from {message.recipient}", now)
    if done is Answered.TAKEN:
        _write_back(message, meaning, composer, now)
    return str(done)


def _write_back(message: Message, key: str, composer: Composer, now: datetime) -> None:
    alarm = message.alarm
    text = placeholders.fill(languages.of(alarm.language).texts[key], composer.values(alarm, now))
    _send(message, text, "unclear" if key == "unclear" else "answer", now)


def _send(message: Message, text: str, purpose: str, now: datetime) -> None:
    Message.create(
        owner=message.owner_id,
        alarm=message.alarm_id,
        gateway=message.gateway_id,
        method=Method.SMS,
        purpose=purpose,
        recipient=message.recipient,
        tail=message.tail,
        sender=message.sender,
        date=now,
        **sms.columns(text),
    )
    tell(message.alarm_id, "sms_queued", f"to {message.recipient}: {purpose}", at=now)
    wake("messages")


def _stop(messages: list[Message], number: str, gateway: SmsGateway, now: datetime) -> str:
    """No more calls and messages to this number, for whoever wrote to it; told once."""
    if not messages:
        return "unknown_number"
    newest = messages[0]
    if do_not_call.lists_number(newest.owner_id, newest.recipient):
        return "stopped_before"
    for owner_id, recipient in {(one.owner_id, one.recipient) for one in messages}:
        do_not_call.opt_out(owner_id, number=recipient)
    tell(newest.alarm_id, "stop", f"{newest.recipient} wants no more messages", at=now)
    _send(newest, languages.of(newest.alarm.language).texts["stop"], "answer", now)
    return "stopped"


def report(gateway: SmsGateway, message_id: str, delivered: bool, said: str, now: datetime) -> str:
    """A delivery report, by our id or the gateway's; returns what became of it, in one word."""
    by_id = (Message.uid == message_id) | (Message.reference == message_id)
    message = (
        Message.select()
        .where(Message.gateway == gateway.id, by_id, Message.status.in_(_ARRIVED))
        .order_by(Message.id.desc())
        .first()
    )
    if message is None:
        return "unknown_message"
    delivery = "delivered" if delivered else "failed"
    if message.delivery in (delivery, "delivered"):
        return "known"
    Message.update(delivery=delivery, said=said[:500]).where(Message.id == message.id).execute()
    what = "sms_delivered" if delivered else "sms_undelivered"
    why = f"to {message.recipient}" + (f": {said[:500]}" if said else "")
    tell(message.alarm_id, what, why, request_id=message.request_id, at=now)
    return delivery
