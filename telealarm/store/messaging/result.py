"""How the sending of a message ends, and with it the attempt. Each function is one write."""

from datetime import datetime, timedelta

from telealarm import methods, metrics
from telealarm.errors import Stale
from telealarm.models import Alarm, AlarmRequest, Event, Message, SmsGateway
from telealarm.rules.outcome import Attempt
from telealarm.rules.text import kept
from telealarm.store.alarms import alarms
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move, put
from telealarm.store.messages import delivery_reports, invitations
from telealarm.store.outcome import apply
from telealarm.words import AlarmStatus, MessageStatus, Reason, TimelineWord

LONGEST_SAID, LONGEST_REFERENCE = delivery_reports.LONGEST_SAID, 200
# How often a message that is not an attempt is sent if its outcome stays unknown, and the pause.
MOST_UNKNOWN = 3
UNKNOWN_PAUSE = timedelta(minutes=1)


def held(message_id: int, fence: int) -> Message:
    """Return the message that is being sent, read again. Raises Stale if this run lost it."""
    message = Message.get_by_id(message_id)
    if message.status != MessageStatus.SENDING or message.fence != fence:
        raise Stale(f"message {message_id} is held by nobody, or by another")
    return message


def taken(message: Message, reference: str, said: str, now: datetime) -> None:
    """End a message that the gateway accepted. The attempt is a success."""
    move(
        message,
        MessageStatus.SENT,
        tries=message.tries + 1,
        reference=kept(reference, LONGEST_REFERENCE),
        said=message.said if message.delivery else kept(said, LONGEST_SAID),
        sent=now,
    )
    _tell(message, MessageStatus.SENT, f"to {message.recipient}", now)
    invitations.arrived(message)
    delivery_reports.catch_up(message, now)
    if (request := _attempt(message)) is not None:
        _count(request.alarm, notice=True)
        _settle(message, request, Attempt(ended=now), now)
    wake("dialing")  # there is room in the outbox


def away(
    message: Message,
    why: str,
    again: datetime | None,
    now: datetime,
    leave_alone: datetime | None = None,
) -> None:
    """Send the message again at `again`, because the gateway is away. If None, give it up.

    An alarm's attempt waits as a request. The try does not count as an attempt, and the wait ends
    with the expiry. If the attempt was cancelled meanwhile, it is given up. `leave_alone`: until
    when the gateway wants no messages at all.
    """
    why = kept(why, LONGEST_SAID)
    again = None if message.withdrawn else again
    if leave_alone is not None:
        earlier = SmsGateway.next_send.is_null() | (SmsGateway.next_send < leave_alone)
        SmsGateway.update(next_send=leave_alone).where(
            SmsGateway.id == message.gateway_id, earlier
        ).execute()
    after = "given up" if again is None else f"again at {again.isoformat(timespec='seconds')}"
    _tell(message, MessageStatus.FAILED, f"to {message.recipient}: {why}; {after}", now)
    tries = message.tries + 1
    if again is None:
        move(message, MessageStatus.FAILED, tries=tries, said=why)
    elif message.request_id is None:
        move(
            message,
            MessageStatus.PENDING,
            tries=tries,
            said=why,
            date=again,
            worker=None,
        )
    else:
        put(message, tries=tries, said=why)
        put_back(message, again, Reason.GATEWAY_AWAY, "")
        return
    if (request := _attempt(message)) is not None:
        _settle(message, request, Attempt(ended=now, reason=Reason.FAILED, given_up=True), now)


def refused(message: Message, why: str, now: datetime) -> None:
    """End a message that the gateway will never accept. The attempt failed; a retry cannot help."""
    why = kept(why, LONGEST_SAID)
    move(message, MessageStatus.FAILED, tries=message.tries + 1, said=why)
    _tell(message, MessageStatus.FAILED, f"to {message.recipient}: {why}; given up", now)
    if (request := _attempt(message)) is not None:
        _count(request.alarm, notice=False)
        _settle(message, request, Attempt(ended=now, reason=Reason.REFUSED), now)
    wake("dialing")


def unknown(message: Message, why: str, now: datetime) -> None:
    """End a message that may or may not have been accepted.

    For an attempt, the alarm's `on_unknown` decides what follows. Any other message is sent again a
    few times, with the same uid.
    """
    if message.delivery == delivery_reports.DELIVERED:
        taken(message, message.reference, "", now)
        return
    why = kept(why, LONGEST_SAID)
    metrics.MESSAGES_UNKNOWN.inc()
    wake("messages")
    tries = message.tries + 1
    if message.request_id is None:
        if tries < MOST_UNKNOWN:
            date = now + tries * UNKNOWN_PAUSE
            move(message, MessageStatus.PENDING, worker=None, tries=tries, date=date)
            what = "it is sent again"
        else:
            move(message, MessageStatus.UNKNOWN, tries=tries, said=why)
            invitations.arrived(message)
            what = "given up"
        _tell(message, MessageStatus.UNKNOWN, f"{why}; it may have been sent; {what}", now)
        return
    move(message, MessageStatus.UNKNOWN, tries=tries, said=why)
    invitations.arrived(message)
    _tell(
        message, MessageStatus.UNKNOWN, f"to {message.recipient}: {why}; it may have been sent", now
    )
    if (request := _attempt(message)) is not None:
        _count(request.alarm, notice=True)
        _settle(message, request, Attempt(ended=now, reason=Reason.UNKNOWN), now)


def report(gateway: SmsGateway, message_id: str, delivered: bool, said: str, now: datetime) -> str:
    """Handle a delivery report, by our id or the gateway's. Return its outcome in one word."""
    delivery = delivery_reports.DELIVERED if delivered else delivery_reports.FAILED
    message = delivery_reports.find(gateway, message_id)
    if message is None:
        return delivery_reports.keep_early(gateway, message_id, delivery, said, now)
    outcome = delivery_reports.mark(message, delivery, said, now)
    if outcome == delivery_reports.DELIVERED:
        _arrived(message, now)
    return outcome


def _arrived(message: Message, now: datetime) -> None:
    """End a message that was delivered, also if its acceptance is unknown. It is not sent again."""
    before = message.status
    if before in (MessageStatus.SENDING, MessageStatus.SENT):
        return  # the worker that sends it saves the end
    move(message, MessageStatus.SENT, sent=now)
    if message.request_id is None:
        return
    if before == MessageStatus.UNKNOWN:
        apply.arrived(message.alarm, now)
        return
    request = message.request
    assert request is not None
    if request.status == AlarmStatus.PENDING:
        move(request, AlarmStatus.IN_PROCESS)
    if request.status == AlarmStatus.IN_PROCESS:
        _count(request.alarm, notice=True)
        _settle(message, request, Attempt(ended=now), now)


def put_back(message: Message, until: datetime, reason: str, why: str) -> None:
    """Put back an unsent message. Its request waits until `until` and is checked again."""
    move(message, MessageStatus.HELD, worker=None)
    request = _attempt(message)
    if request is None:
        return
    move(request, AlarmStatus.PENDING, worker=None, date=until, status_reason=reason)
    if why:
        record(message.alarm_id, TimelineWord.PUT_BACK, why, request_id=request.id)
    wake("dialing")
    wake("planning")  # it watches the expiry


def _attempt(message: Message) -> AlarmRequest | None:
    """Return the request of the message, read again; None if it has ended meanwhile."""
    return AlarmRequest.get_or_none(
        AlarmRequest.id == message.request_id, AlarmRequest.status == AlarmStatus.IN_PROCESS
    )


def _settle(message: Message, request: AlarmRequest, attempt: Attempt, now: datetime) -> None:
    """End the attempt. The same rules as for a call decide what follows."""
    request.alarm = alarms.locked(request.alarm_id)
    called_off = message.withdrawn or request.alarm.called_off
    if called_off and attempt.reason is not None:
        apply.call_off(request, "it was called off while it was sent", now)
        return
    decision = apply.decide(request.alarm, attempt)
    apply.settle(request, decision, now)


def _count(alarm: Alarm, *, notice: bool) -> None:
    """Count one more attempt. The first that may have arrived also counts as a notice."""
    if notice and alarm.num_attempt == 0:
        Event.update(notify_count=Event.notify_count + 1).where(
            Event.id == alarm.event_id
        ).execute()
    put(alarm, num_attempt=alarm.num_attempt + 1)


def _tell(message: Message, what: MessageStatus, why: str, now: datetime) -> None:
    word = methods.of_message(message.method).timeline[what]
    record(message.alarm_id, word, why, request_id=message.request_id, at=now)
