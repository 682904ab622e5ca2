"""Decide which waiting requests may be dialled now. Runs within the writer's transaction.

A request is checked just before its call is placed, because things may have changed since it was
queued. There are four results:

- claimed: the call is placed;
- deferred: it is outside the calling hours, or waits for another alarm of the same moment;
- ended: the call is no longer wanted, its number is wrong or on a do-not-call list, or there is no
  calendar setting;
- left for later: a cap is reached, or dialing is paused.

The same rules apply if the method is not a call. The request then becomes a message in the outbox.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from telealarm import methods
from telealarm.clock import monotonic
from telealarm.errors import Invalid
from telealarm.models import AlarmRequest, CalendarSetting, CallRequest, User
from telealarm.rules.eligibility import Eligibility, decide
from telealarm.rules.rate_limit import READY
from telealarm.store import do_not_call
from telealarm.store.access import contact_caps
from telealarm.store.alarms import attempts, eligibility, same_moment
from telealarm.store.dialing import (
    calls,
    concurrency,
    dialing_state,
    fair_queue,
    pauses,
    trunks,
    waiting,
)
from telealarm.store.dialing.call_admission import (
    Admitted,
    CallAdmission,
    Placement,
    hold,
    unless_go,
)
from telealarm.store.dialing.call_rate import CallRate
from telealarm.store.dialing.calls import Call
from telealarm.store.dialing.caps import Caps, Round
from telealarm.store.dialing.contacts import Contacts
from telealarm.store.dialing.dialing_state import DialingState
from telealarm.store.engine import read_cache
from telealarm.store.engine.claim import Holder, claim, oldest, unless_faulty
from telealarm.store.engine.failures import FAILURES
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import put
from telealarm.store.messages.compose import Composer, gateway_context
from telealarm.store.messaging import claim as messaging_claim
from telealarm.store.outcome import apply
from telealarm.words import AlarmStatus, Reason, TimelineWord

T = TypeVar("T")

log = logging.getLogger(__name__)

# How often to look for attempts that wait for a cap. A crowd may wait, and looking takes time.
TELL_SECONDS = 1.0


@dataclass(frozen=True)
class Claimed:
    """The calls to place. Messages of claimed requests are already in the outbox.

    `more`: more requests may be claimed at once. `again`: when (on the monotonic clock) a gateway
    has free slots again. It is None if no gateway ran out of slots.
    """

    calls: list[Call]
    more: bool
    again: float | None


class Admission:
    """Claims the requests that may be dialled or sent. `composer` writes the messages."""

    def __init__(self, holder: Holder, composer: Composer | None = None) -> None:
        self._holder = holder
        self._composer = composer or Composer()
        # The calendar of the last call. The next calendar follows it in the order of ids.
        self._served = 0
        # When (monotonic clock) to tell again which attempts wait for a cap.
        self._tell_next = -math.inf

    def claim(self, now: datetime, limit: int, *, calls_too: bool = True) -> Claimed:
        """Claim the requests that may go, of about `limit` that no cap blocks.

        Calendars take turns. Includes requests due within READY from now: each call knows when it
        is to be sent. Without `calls_too` no call is claimed: Asterisk is down.
        """
        concurrency.alone()
        state = dialing_state.read(self._holder.name, now)
        more = state.messages and self._write_messages(now, limit)
        paused = pauses.hold(now) if state.pauses else []
        if not calls_too or paused is None:
            return Claimed([], more=more, again=None)
        with read_cache.remembering():
            return self._claim_calls(now, limit, state, paused, more=more)

    def _claim_calls(
        self,
        now: datetime,
        limit: int,
        state: DialingState,
        paused: Sequence[int],
        *,
        more: bool,
    ) -> Claimed:
        """Claim requests that are calls. `paused` are gateways. `more`: other requests wait."""
        soon, clock = now + READY, monotonic()
        caps = Caps(state.live, CallRate())
        full_calendars, full_gateways = state.live.full_calendars, state.live.full_gateways
        turns = fair_queue.turns(
            soon,
            self._served,
            calendars=full_calendars,
            gateways=[*full_gateways, *caps.pace.exhausted(state.paced), *paused],
        )
        self._tell_waiting(full_calendars, full_gateways, now)
        batch = fair_queue.next_in_turn(turns, soon, limit)
        down = trunks.down(self._holder.name) if state.trunks_down else {}
        rules = CallAdmission(batch.requests, down, now)
        admitted: list[Admitted] = []
        for request in batch.requests:
            decision = unless_faulty(request, now, partial(rules.of, request))
            if isinstance(decision, Admitted):
                admitted.append(decision)
            elif decision is not None:
                unless_faulty(request, now, partial(_apart, decision))
        room = Round(admitted, caps, now)
        for request, otherwise in room.held:
            unless_faulty(request, now, partial(_apart, otherwise))
        caps.pace.keep()
        rows = self._begin(room.placed, now)
        placed = [one for one in room.placed if one.request.id in rows]
        room.tell_others({one.admitted.dialled: rows[one.request.id].id for one in placed})
        if placed:
            self._served = placed[-1].request.queue
        return Claimed(
            [
                calls.describe(
                    rows[one.request.id], clock + one.admitted.ahead.total_seconds(), one.slot
                )
                for one in placed
            ],
            more=more or (batch.more and room.left < len(batch.requests)),
            again=min(caps.pace.again.values(), default=None),
        )

    def _begin(self, placed: Sequence[Placement], now: datetime) -> dict[int, CallRequest]:
        """Create the calls of these requests: together, or each alone if one cannot be written."""
        try:
            return _apart(partial(calls.begin, placed, self._holder, now))
        except FAILURES:
            raise  # the connection failed, not a call
        except Exception as error:  # noqa: BLE001 - each alone gets its own
            log.debug("calls cannot be created together: %s", error)
        rows: dict[int, CallRequest] = {}
        for one in placed:
            alone = partial(calls.begin, [one], self._holder, now)
            rows |= unless_faulty(one.request, now, partial(_apart, alone)) or {}
        return rows

    def _tell_waiting(self, calendars: list[int], gateways: list[int], now: datetime) -> None:
        """Tell the attempts that wait for a full calendar or gateway: once, in their timeline."""
        if monotonic() >= self._tell_next:
            self._tell_next = monotonic() + TELL_SECONDS
            waiting.tell(calendars, gateways, now)

    def _write_messages(self, now: datetime, limit: int) -> bool:
        """Write the oldest messages to the outbox. Return True if more may wait."""
        room = messaging_claim.Room()
        waiting = oldest(
            AlarmRequest,
            now,
            limit,
            pending=AlarmStatus.PENDING,
            where=room.not_blocked() & (AlarmRequest.queue == attempts.NO_CALL),
            query=AlarmRequest.select(AlarmRequest, *contact_caps.COLUMNS).join(User),
        )
        contacts = Contacts.of_requests(waiting, now)
        forbidden = do_not_call.forbidden([request.alarm for request in waiting])
        follows = same_moment.firsts([request.alarm for request in waiting])

        def admit(request: AlarmRequest) -> bool:
            if methods.of(request.alarm.method).uses_channel:
                put(request, queue=request.alarm.event.calendar_id)  # the alarm was edited
                return False
            if request.alarm_id in follows:
                same_moment.wait(request, follows[request.alarm_id], now)
                return False
            alarm, forbids = request.alarm, request.alarm_id in forbidden
            profile = eligibility.profile_of(alarm)
            decision = decide(eligibility.of(alarm, profile, forbidden=forbids), now)
            if decision.action is Eligibility.GO:
                decision = contacts.held_back(request, now) or decision
            if otherwise := unless_go(request, decision, now):
                otherwise()
                return False
            setting = eligibility.setting_of(alarm)
            assert setting is not None, "without a calendar setting nothing goes"
            return self._write(request, setting, room, contacts, now)

        claim(waiting, self._holder, now, claimed=AlarmStatus.IN_PROCESS, admit=admit)
        return len(waiting) == limit

    def _write(
        self,
        request: AlarmRequest,
        setting: CalendarSetting,
        room: messaging_claim.Room,
        contacts: Contacts,
        now: datetime,
    ) -> bool:
        """Write the message to the outbox. Return False if the request waits or is ended."""
        method = methods.of_message(request.alarm.method)
        if not request.alarm.recipient:
            apply.fail(request, Reason.NO_RECIPIENT, now)
            return False
        gateway = setting.sms_gateway if method.uses_gateway else None
        if refusal := method.refusal(gateway_context(gateway)):
            apply.fail(request, refusal, now)
            return False
        obstacle = self._composer.obstacle(method, gateway)
        if obstacle is not None:
            hold(request, now, obstacle.reason, obstacle.why)
            return False
        if not room.take(method, gateway):
            return False
        try:
            columns = self._composer.message(request.alarm, gateway, now)
        except Invalid as error:
            record(request.alarm_id, TimelineWord.WRONG, str(error), request_id=request.id, at=now)
            apply.fail(request, Reason.NO_RECIPIENT, now)
            return False
        contact = contacts.take(request.alarm, now)
        messaging_claim.write(request, now, contact=contact, **columns)
        return True


def _apart(write: Callable[[], T]) -> T:
    """Make a write in a savepoint: if it fails, the others stay."""
    with AlarmRequest._meta.database.atomic():
        return write()
