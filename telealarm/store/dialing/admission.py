"""Which waiting requests may be dialled now. Runs within the writer's transaction.

A request is looked at when its call is about to be placed: what was true when it was queued may
not be any more. It is then claimed, put off (calling hours), ended (nobody wants it any more,
its number is wrong or on a do-not-call list, nothing says how to call), or left for later (a cap
is reached, dialing is paused). The same holds for a request by a method that is no call,
which becomes a message in the outbox.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from telealarm import methods
from telealarm.clock import monotonic
from telealarm.errors import Invalid
from telealarm.models import AlarmRequest, CalendarSetting, Gateway
from telealarm.rules import eligibility, phone
from telealarm.rules.eligibility import Eligibility
from telealarm.rules.rate_limit import READY
from telealarm.store import do_not_call
from telealarm.store.alarms import attempts
from telealarm.store.alarms import eligibility as alarms_eligibility
from telealarm.store.dialing import calls, concurrency, fair_queue, pauses, trunks
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

# How long a request waits for a gateway that was switched off.
HELD = timedelta(seconds=30)


@dataclass(frozen=True)
class Claimed:
    """The calls that are to be placed; requests for a message that were claimed are in the outbox.

    `more`: others may be claimed at once. `again`: when (on the monotonic clock) a gateway has
    slots to give again; None where none ran out of them.
    """

    calls: list[Call]
    more: bool
    again: float | None


class Admission:
    """Claims what may be dialled or sent. `composer` writes what is sent."""

    def __init__(self, holder: Holder, composer: Composer | None = None) -> None:
        self._holder = holder
        self._composer = composer or Composer()
        # The calendar that was served last; its neighbour is next.
        self._served = 0

    def claim(self, now: datetime, limit: int, *, calls_too: bool = True) -> Claimed:
        """Of about `limit` requests that no cap blocks, in turn by calendar, those that may go.

        Those of the next moment are among them; each call knows when it is to be sent. Without
        `calls_too` none that is to be dialled is looked at: Asterisk is away.
        """
        concurrency.alone()
        more = self._write_messages(now, limit)
        soon, clock = now + READY, monotonic()
        paused = pauses.hold(now)
        if not calls_too or paused is None:
            return Claimed([], more=more, again=None)
        caps = Caps(concurrency.count(), CallRate())
        turns = fair_queue.turns(
            soon,
            self._served,
            calendars=caps.live.full_calendars(),
            gateways=[*caps.live.full_gateways(), *caps.pace.exhausted(), *paused],
        )
        found = fair_queue.next_in_turn(turns, soon, limit)
        forbidden = do_not_call.forbidden([request.alarm for request in found.requests])
        made: list[Call] = []
        left = 0

        def admit(request: AlarmRequest) -> bool:
            nonlocal left
            if request.queue in caps.closed:
                left += 1
                return False
            at = max(now, request.date)
            setting = self._setting(request, request.alarm_id in forbidden, at)
            if setting is None:
                return False
            if not methods.of(request.alarm.method).uses_channel:
                put(request, queue=attempts.NO_CALL)  # its alarm was edited
                left += 1
                return False
            gateway = self._gateway(request, setting, at)
            if gateway is None:
                return False
            endpoint, dialled = _endpoint(request, gateway)
            if endpoint is None:
                apply.fail(request, Reason.WRONG_NUMBER, now)
                return False
            if not caps.have_room(request, gateway):
                left += 1
                return False
            rings = concurrency.ringing(dialled)
            if rings is not None:
                put(request, waits_for=rings)
                return False
            survey = request.alarm.survey or setting.survey
            slot = caps.take(request, gateway, at - now)
            row = calls.begin(
                request, setting, survey, gateway, dialled, endpoint, self._holder, now
            )
            made.append(calls.describe(row, clock + (at - now).total_seconds(), slot))
            self._served = request.queue
            return True

        claim(found.requests, self._holder, now, claimed=AlarmStatus.IN_PROCESS, admit=admit)
        return Claimed(
            made,
            more=more or (found.more and left < len(found.requests)),
            again=min(caps.pace.again.values(), default=None),
        )

    def _write_messages(self, now: datetime, limit: int) -> bool:
        """Put requests that are no calls into the outbox, oldest first. True: there may be more."""
        room = messaging_claim.Room()
        found = oldest(
            AlarmRequest,
            now,
            limit,
            pending=AlarmStatus.PENDING,
            where=room.not_blocked() & (AlarmRequest.queue == attempts.NO_CALL),
        )
        forbidden = do_not_call.forbidden([request.alarm for request in found])

        def admit(request: AlarmRequest) -> bool:
            if methods.of(request.alarm.method).uses_channel:
                put(request, queue=request.alarm.event.calendar_id)  # its alarm was edited
                return False
            setting = self._setting(request, request.alarm_id in forbidden, now)
            return setting is not None and self._write(request, setting, room, now)

        claim(found, self._holder, now, claimed=AlarmStatus.IN_PROCESS, admit=admit)
        return len(found) == limit

    def _write(
        self,
        request: AlarmRequest,
        setting: CalendarSetting,
        room: messaging_claim.Room,
        now: datetime,
    ) -> bool:
        """Put the message of the request into the outbox; False where it waits or is ended."""
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

    def _setting(
        self, request: AlarmRequest, forbidden: bool, now: datetime
    ) -> CalendarSetting | None:
        """How to call, or None where the request was put off or ended instead."""
        profile = alarms_eligibility.profile_of(request.alarm)
        bound = alarms_eligibility.of(request.alarm, profile, forbidden=forbidden)
        decision = eligibility.decide(bound, now)
        if decision.action is Eligibility.WAIT and decision.until is not None:
            attempts.defer(request, decision.until, decision.reason, decision.why)
            return None
        if profile is None or decision.action is not Eligibility.GO:
            apply.end(request, decision, now)
            return None
        return profile.calendar_setting

    def _gateway(
        self, request: AlarmRequest, setting: CalendarSetting, now: datetime
    ) -> Gateway | None:
        """The gateway to call by, or None where the request was put off because none can be used:
        each is inactive, or its trunk is down.
        """
        first, number = setting.aleg_gateway, request.alarm.alarm_phonenumber
        avoid, unusable = list(request.tried), ""
        gateway = failover.way_out(first, avoid, number)
        while gateway is not None and (down := trunks.why_down(gateway, self._holder.name)):
            unusable = unusable or down
            again = gateway.id in avoid
            avoid.append(gateway.id)
            gateway = None if again else failover.way_out(first, avoid, number)
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
    """What the caps leave room for, while requests are claimed one after the other."""

    def __init__(self, live: LiveCalls, pace: CallRate) -> None:
        self.live = live
        self.pace = pace
        # Queues of which nothing more can be claimed now.
        self.closed: set[int] = set()

    def have_room(self, request: AlarmRequest, gateway: Gateway) -> bool:
        """Whether the call keeps the caps: the calendar's, the gateway's and its pace."""
        calendar = request.alarm.event.calendar
        if request.queue != calendar.id:
            # Its event was moved to another calendar.
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
        """Count the call in, and draw its slot; None where the gateway has no pace."""
        self.live.calendars[request.alarm.event.calendar_id] += 1
        self.live.gateways[gateway.id] += 1
        return self.pace.draw(gateway.id, ahead) if gateway.calls_per_second else None


def _hold(request: AlarmRequest, now: datetime, reason: str, why: str) -> None:
    """The attempt cannot be made by what it goes through; it is looked at again soon."""
    until = now + HELD
    told = f"{why}; looked at again at {until.isoformat(timespec='seconds')}"
    attempts.defer(request, until, reason, told)


def _endpoint(request: AlarmRequest, gateway: Gateway) -> tuple[str | None, str]:
    """What Asterisk is told to dial (None: the gateway does not take the number), and the number
    as the gateway dials it.
    """
    number = request.alarm.alarm_phonenumber
    prefixes = {"removeprefix": gateway.removeprefix, "addprefix": gateway.addprefix}
    dialled = phone.dialled(number, **prefixes)
    if not failover.takes(gateway, number):
        return None, dialled
    try:
        return phone.endpoint(gateway.gateways, number, **prefixes), dialled
    except ValueError:
        return None, dialled
