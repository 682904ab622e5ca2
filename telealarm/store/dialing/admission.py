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

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from telealarm import methods
from telealarm.clock import monotonic
from telealarm.errors import Invalid
from telealarm.models import AlarmRequest, CalendarSetting, CalendarUserProfile, Gateway
from telealarm.rules import eligibility, phone
from telealarm.rules.eligibility import Eligibility
from telealarm.rules.rate_limit import READY
from telealarm.store import do_not_call, numbers
from telealarm.store.alarms import attempts, same_moment
from telealarm.store.alarms import eligibility as alarms_eligibility
from telealarm.store.dialing import calls, concurrency, fair_queue, pauses, trunks, waiting
from telealarm.store.dialing.call_rate import CallRate, Slot
from telealarm.store.dialing.calls import Call
from telealarm.store.dialing.concurrency import LiveCalls
from telealarm.store.engine.claim import Holder, claim, oldest
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import put
from telealarm.store.messages.compose import Composer, gateway_context
from telealarm.store.messaging import claim as messaging_claim
from telealarm.store.outcome import apply, failover
from telealarm.words import AlarmStatus, Reason, TimelineWord

# How long a request waits for a gateway that is inactive.
HELD = timedelta(seconds=30)
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
        more = self._write_messages(now, limit)
        soon, clock = now + READY, monotonic()
        paused = pauses.hold(now)
        if not calls_too or paused is None:
            return Claimed([], more=more, again=None)
        caps = Caps(concurrency.count(), CallRate())
        full_calendars, full_gateways = caps.live.full_calendars(), caps.live.full_gateways()
        turns = fair_queue.turns(
            soon,
            self._served,
            calendars=full_calendars,
            gateways=[*full_gateways, *caps.pace.exhausted(), *paused],
        )
        self._tell_waiting(full_calendars, full_gateways, now)
        batch = fair_queue.next_in_turn(turns, soon, limit)
        forbidden = do_not_call.forbidden([request.alarm for request in batch.requests])
        follows = same_moment.firsts([request.alarm for request in batch.requests])
        placed: list[Call] = []
        left = 0

        def admit(request: AlarmRequest) -> bool:
            nonlocal left
            if request.queue in caps.closed:
                left += 1
                return False
            if request.alarm_id in follows:
                same_moment.wait(request, follows[request.alarm_id], now)
                return False
            at = max(now, request.date)
            profile = self._profile(request, request.alarm_id in forbidden, at)
            setting = profile.calendar_setting if profile else None
            if setting is None:
                return False
            if not methods.of(request.alarm.method).uses_channel:
                put(request, queue=attempts.NO_CALL)  # the alarm was edited
                left += 1
                return False
            gateway = self._gateway(request, setting, at)
            if gateway is None:
                return False
            reason, why = failover.refusal(gateway, request.alarm, profile)
            if reason:
                apply.fail(request, reason, now, why=why)
                return False
            dialled = numbers.route(gateway, setting).dialled(numbers.of_alarm(request.alarm))
            endpoint = phone.endpoint(gateway.gateways, dialled)
            if not caps.have_room(request, gateway):
                left += 1
                return False
            rings = concurrency.ringing(dialled)
            if rings is not None:
                put(request, waits_for=rings)
                why = f"{dialled} has another call"
                what = TimelineWord.WAITS
                record(request.alarm_id, what, why, request_id=request.id, at=now)
                return False
            if request.status_reason == Reason.AT_CAP:
                put(request, status_reason="")
            survey = request.alarm.survey or setting.survey
            slot = caps.take(request, gateway, at - now)
            row = calls.begin(
                request, setting, survey, gateway, dialled, endpoint, self._holder, now
            )
            placed.append(calls.describe(row, clock + (at - now).total_seconds(), slot))
            self._served = request.queue
            return True

        claim(batch.requests, self._holder, now, claimed=AlarmStatus.IN_PROCESS, admit=admit)
        return Claimed(
            placed,
            more=more or (batch.more and left < len(batch.requests)),
            again=min(caps.pace.again.values(), default=None),
        )

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
        )
        forbidden = do_not_call.forbidden([request.alarm for request in waiting])
        follows = same_moment.firsts([request.alarm for request in waiting])

        def admit(request: AlarmRequest) -> bool:
            if methods.of(request.alarm.method).uses_channel:
                put(request, queue=request.alarm.event.calendar_id)  # the alarm was edited
                return False
            if request.alarm_id in follows:
                same_moment.wait(request, follows[request.alarm_id], now)
                return False
            profile = self._profile(request, request.alarm_id in forbidden, now)
            setting = profile.calendar_setting if profile else None
            return setting is not None and self._write(request, setting, room, now)

        claim(waiting, self._holder, now, claimed=AlarmStatus.IN_PROCESS, admit=admit)
        return len(waiting) == limit

    def _write(
        self,
        request: AlarmRequest,
        setting: CalendarSetting,
        room: messaging_claim.Room,
        now: datetime,
    ) -> bool:
        """Write the message to the outbox. Return False if the request waits or is ended."""
        method = methods.of_message(request.alarm.method)
        gateway = setting.sms_gateway if method.uses_gateway else None
        if refusal := method.refusal(gateway_context(gateway)):
            apply.fail(request, refusal, now)
            return False
        obstacle = self._composer.obstacle(method, gateway)
        if obstacle is not None:
            _hold(request, now, obstacle.reason, obstacle.why)
            return False
        if not room.take(method, gateway):
            return False
        try:
            columns = self._composer.message(request.alarm, gateway, now)
        except Invalid as error:
            record(request.alarm_id, TimelineWord.WRONG, str(error), request_id=request.id, at=now)
            apply.fail(request, Reason.NO_RECIPIENT, now)
            return False
        messaging_claim.write(request, now, **columns)
        return True

    def _profile(
        self, request: AlarmRequest, forbidden: bool, now: datetime
    ) -> CalendarUserProfile | None:
        """Return the calendar user's profile, or None if the request was deferred or ended."""
        profile = alarms_eligibility.profile_of(request.alarm)
        bound = alarms_eligibility.of(request.alarm, profile, forbidden=forbidden)
        decision = eligibility.decide(bound, now)
        if decision.action is Eligibility.WAIT and decision.until is not None:
            attempts.defer(request, decision.until, decision.reason, decision.why)
            return None
        if profile is None or decision.action is not Eligibility.GO:
            apply.end(request, decision, now)
            return None
        return profile

    def _gateway(
        self, request: AlarmRequest, setting: CalendarSetting, now: datetime
    ) -> Gateway | None:
        """Return the gateway for the call, or None if the request was deferred.

        It is deferred if no gateway can be used: each is inactive, or its trunk is down.
        """
        first, alarm = setting.aleg_gateway, request.alarm
        avoid, unusable = list(request.tried), ""
        gateway = failover.way_out(first, avoid, alarm)
        while gateway is not None and (down := trunks.why_down(gateway, self._holder.name)):
            unusable = unusable or down
            again = gateway.id in avoid
            avoid.append(gateway.id)
            gateway = None if again else failover.way_out(first, avoid, alarm)
        if gateway is None:
            why = unusable or f"gateway {first.name} is inactive"
            reason = trunks.WAITS if unusable else Reason.GATEWAY_INACTIVE
            _hold(request, now, reason, why)
        elif (
            gateway.id != first.id
            and not request.tried
            and request.status_reason != Reason.FAILOVER
        ):
            why = f"{unusable or f'gateway {first.name} is inactive'}; by {gateway.name}"
            record(request.alarm_id, TimelineWord.FAILOVER, why, request_id=request.id, at=now)
            put(request, status_reason=Reason.FAILOVER)
        return gateway


class Caps:
    """The room that the caps leave. It is updated with each claimed request."""

    def __init__(self, live: LiveCalls, pace: CallRate) -> None:
        self.live = live
        self.pace = pace
        # Queues from which no more requests can be claimed now.
        self.closed: set[int] = set()

    def have_room(self, request: AlarmRequest, gateway: Gateway) -> bool:
        """Return whether the caps allow the call: the calendar's, the gateway's and its pace."""
        calendar = request.alarm.event.calendar
        if request.queue != calendar.id:
            # The event was moved to another calendar.
            put(request, queue=calendar.id)
        if not self.live.calendar_has_room(calendar):
            self.closed.add(calendar.id)
            return False
        if self.live.gateway_has_room(gateway) and (
            not gateway.calls_per_second or self.pace.is_near(gateway.id)
        ):
            return True
        if not request.tried:
            self.closed.add(calendar.id)
        return False

    def take(self, request: AlarmRequest, gateway: Gateway, ahead: timedelta) -> Slot | None:
        """Count the call and return its slot, or None if the gateway has no pace."""
        self.live.calendars[request.alarm.event.calendar_id] += 1
        self.live.gateways[gateway.id] += 1
        return self.pace.draw(gateway.id, ahead) if gateway.calls_per_second else None


def _hold(request: AlarmRequest, now: datetime, reason: str, why: str) -> None:
    """Defer an attempt whose gateway or transport cannot be used now. It is checked again soon."""
    until = now + HELD
    message = f"{why}; looked at again at {until.isoformat(timespec='seconds')}"
    attempts.defer(request, until, reason, message)
