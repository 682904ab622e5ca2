"""The outbox: which messages may be sent now."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import Expression, fn

from telealarm import methods
from telealarm.methods import sms
from telealarm.methods.base import MessageMethod
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    Event,
    Message,
    SmsGateway,
)
from telealarm.models.gateway import ACTIVE
from telealarm.rules.eligibility import Eligibility
from telealarm.store import do_not_call
from telealarm.store.alarms import alarms, eligibility
from telealarm.store.engine.claim import Holder, claim, oldest
from telealarm.store.engine.crud import first, selected_moment
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move
from telealarm.store.messages import invitations
from telealarm.store.messaging import result
from telealarm.store.outcome import apply
from telealarm.words import AlarmStatus, EventStatus, MessagePurpose, MessageStatus, Reason

# How many alarms of one lane may be in the outbox at once. The others wait as requests. Calling
# hours, do-not-call lists and changes of the event still apply to a request.
OUTBOX, OUTBOX_SECONDS = 20, 5.0


@dataclass(frozen=True)
class Taken:
    """The messages to send, and how many candidates were checked for them."""

    messages: list[Message]
    looked_at: int


def lane(message: Message) -> int:
    """Return the lane of the message. Messages of one lane share a pace and connections.

    The lane is the id of the gateway. Without a gateway, it is the negative number of the method.
    """
    return message.gateway_id or -message.method


def take(holder: Holder, now: datetime, limit: int, sending: Counter[int]) -> Taken:
    """Claim up to `limit` messages to send. `sending`: how many this worker sends now, by lane."""
    gateways = {gateway.id: gateway for gateway in SmsGateway.select()}
    inactive = [row_id for row_id, gateway in gateways.items() if gateway.status != ACTIVE]
    full = [
        row_id
        for row_id, gateway in gateways.items()
        if gateway.status == ACTIVE
        and (
            sending[row_id] >= gateway.maximum_sending
            or (gateway.next_send and gateway.next_send > now)
        )
    ]
    waits = Message.gateway.in_(inactive) & Message.request.is_null()
    where = Message.gateway.is_null(False) & Message.gateway.not_in(full) & ~waits
    busy = [-here for here, count in sending.items() if here < 0 and count >= _at_once(-here)]
    where |= Message.gateway.is_null() & Message.method.not_in(busy)
    begun = Counter(sending)

    def admit(message: Message) -> bool:
        here = lane(message)
        gateway = gateways.get(here)
        most = gateway.maximum_sending if gateway else _at_once(message.method)
        if begun[here] >= most or not _wanted(message, now):
            return False
        if gateway and gateway.status != ACTIVE:
            # As a request it can expire: planning watches the requests.
            why = f"gateway {gateway.name} is inactive"
            result.put_back(message, now, Reason.GATEWAY_INACTIVE, why)
            return False
        if gateway and not _has_pace(gateway, now):
            return False
        begun[here] += 1
        return True

    candidates = oldest(Message, now, limit, pending=MessageStatus.PENDING, where=where)
    rows = claim(candidates, holder, now, claimed=MessageStatus.SENDING, admit=admit)
    for row in rows:
        _ = row.gateway  # load it here: nothing is read outside the write
    return Taken(rows, len(candidates))


def _wanted(message: Message, now: datetime) -> bool:
    """Return whether the attempt is still to be made. If not, it is ended or put back."""
    request, alarm = message.request, message.alarm
    if request is None:
        return not _asked_to_stop(message, now)
    event = alarm.event
    ahead = alarm.due is not None and alarm.due > now
    gone = alarm.is_gone or alarms.is_called_off(alarm)
    if message.withdrawn or ahead or gone or event.status == EventStatus.PAUSED:
        move(message, MessageStatus.WITHDRAWN)
        apply.call_off(request, "nothing was sent", now)
        return False
    if message.method != alarm.method or message.recipient != alarm.recipient:
        result.put_back(message, now, Reason.EDITED, "its alarm was edited before it was sent")
        return False
    decision = eligibility.decide(alarm, now)
    if decision.action is Eligibility.WAIT:
        result.put_back(message, now, "", decision.why)  # deferred when it is claimed again
        return False
    if decision.action is not Eligibility.GO:
        move(message, MessageStatus.WITHDRAWN)
        apply.end(request, decision, now)
        return False
    if alarm.status == AlarmStatus.RETRY:
        move(alarm, AlarmStatus.IN_PROCESS)
    return True


def _asked_to_stop(message: Message, now: datetime) -> bool:
    """Return whether the message is bad news for a number on a do-not-call list; then end it."""
    listed = message.purpose == MessagePurpose.FAILURE and do_not_call.lists_number(
        message.owner_id, message.recipient
    )
    if listed:
        move(message, MessageStatus.WITHDRAWN)
        why = f"{message.recipient} is on a do-not-call list"
        record(message.alarm_id, sms.TimelineWord.NOT_SENT, why, at=now)
    return listed


def _has_pace(gateway: SmsGateway, now: datetime) -> bool:
    """Reserve the next moment of the gateway's pace. All workers share the pace."""
    if not gateway.messages_per_second:
        return True
    free = SmsGateway.next_send.is_null() | (SmsGateway.next_send <= now)
    following = now + timedelta(seconds=1 / gateway.messages_per_second)
    reserved = SmsGateway.update(next_send=following).where(SmsGateway.id == gateway.id, free)
    return bool(reserved.execute() == 1)


def forgotten(holder: Holder, sending: Collection[int], now: datetime) -> None:
    """End the messages that this worker claimed, but no longer sends. Their outcome is unknown."""
    for row in Message.select().where(
        Message.worker == holder.name,
        Message.fence == holder.fence,
        Message.status == MessageStatus.SENDING,
        Message.id.not_in(list(sending)),
    ):
        result.unknown(row, "what became of it could not be kept", now)


class Room:
    """The free places of the outbox, by lane. Each `take` that succeeds uses one."""

    def __init__(self) -> None:
        rows = (
            Message.select(Message.gateway, Message.method, fn.COUNT(Message.id))
            .where(
                Message.request.is_null(False),
                Message.status.in_([MessageStatus.PENDING, MessageStatus.SENDING]),
            )
            .group_by(Message.gateway, Message.method)
            .tuples()
            .execute()
        )
        self._waiting: Counter[int] = Counter()
        for gateway, method, count in rows:
            self._waiting[gateway or -method] += count

    def take(self, method: MessageMethod, gateway: SmsGateway | None) -> bool:
        """Take a place for a message by the method and its gateway. Return whether one was free."""
        here = gateway.id if gateway else -method.number
        if self._waiting[here] >= _most(gateway):
            return False
        self._waiting[here] += 1
        return True

    def not_blocked(self) -> Expression:
        """Return the condition that the outbox has room for a request. Calls need no room."""
        if not self._waiting:
            return AlarmRequest.id.is_null(False)
        gateways = SmsGateway.select().where(SmsGateway.id.in_(list(self._waiting)))
        full = [gateway.id for gateway in gateways if self._waiting[gateway.id] >= _most(gateway)]
        by_themselves = [
            -here for here, count in self._waiting.items() if here < 0 and count >= _most(None)
        ]
        if not full and not by_themselves:
            return AlarmRequest.id.is_null(False)
        through = Alarm.method.in_(methods.by_gateway()) & CalendarSetting.sms_gateway.in_(full)
        blocked = through | Alarm.method.in_(by_themselves)
        held = (
            Alarm.select(Alarm.id)
            .join(Event)
            .join(Calendar)
            .join(CalendarUserProfile, on=CalendarUserProfile.user == Calendar.user)
            .join(CalendarSetting)
            .where(blocked)
        )
        return AlarmRequest.alarm.not_in(held)


def _at_once(method: int) -> int:
    return methods.of_message(method).at_once


def _most(gateway: SmsGateway | None) -> int:
    if gateway is None or not gateway.messages_per_second:
        return OUTBOX
    return max(1, min(OUTBOX, round(gateway.messages_per_second * OUTBOX_SECONDS)))


def write(request: AlarmRequest, now: datetime, **columns: Any) -> Message:
    """Return the message of a claimed request. A message that was put back is written again.

    If the outcome of the alarm's last message is unknown, the new message has the same uid.
    """
    columns |= {"owner": request.owner_id, "alarm": request.alarm_id, "date": now}
    if invitation := columns.get("invitation"):
        columns |= invitations.continued(request.alarm, columns["recipient"], invitation)
    held = Message.get_or_none(Message.request == request)
    wake("messages")
    if held is not None:
        move(held, MessageStatus.PENDING, **columns, worker=None)
        return held
    before = first(
        Message.select()
        .where(Message.alarm == request.alarm_id, Message.request.is_null(False))
        .order_by(Message.id.desc())
    )
    if before is not None and before.status == MessageStatus.UNKNOWN:
        columns["uid"] = before.uid
    return Message.create(request=request, **columns)


def next_due(now: datetime) -> datetime | None:
    """Return when the next message is due after `now`, or when a gateway's pace allows the next."""
    row = first(
        Message.select(Message.date)
        .where(Message.status == MessageStatus.PENDING, Message.date > now)
        .order_by(Message.date)
    )
    paced = selected_moment(
        SmsGateway.select(fn.MIN(SmsGateway.next_send)).where(SmsGateway.next_send > now)
    )
    return min((moment for moment in (row and row.date, paced) if moment), default=None)
