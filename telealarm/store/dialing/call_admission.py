"""Whether a waiting request may become a call now, by all rules but the caps. It only reads.

A request that may not is given a write instead: it is deferred, ended, or led to another queue.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from telealarm import methods
from telealarm.models import AlarmRequest, CalendarSetting, Gateway
from telealarm.rules import phone
from telealarm.rules.eligibility import Decision, Eligibility, decide
from telealarm.store import do_not_call, numbers
from telealarm.store.alarms import attempts, eligibility, same_moment
from telealarm.store.dialing import trunks
from telealarm.store.dialing.call_rate import Slot
from telealarm.store.engine.timeline import Entry
from telealarm.store.engine.transition import put
from telealarm.store.outcome import apply, failover
from telealarm.words import Reason, TimelineWord

# How long a request waits for a gateway that is inactive.
HELD = timedelta(seconds=30)

# The write for a request that does not become a call now.
Otherwise = Callable[[], object]


@dataclass(frozen=True)
class Admitted:
    """A request that may become a call `ahead` from now, if the caps leave room.

    `entry`: what its timeline tells of the gateway, if that is new.
    """

    request: AlarmRequest
    setting: CalendarSetting
    gateway: Gateway
    dialled: str
    endpoint: str
    ahead: timedelta
    entry: Entry | None

    @property
    def survey_id(self) -> int:
        """The survey of the alarm, else of its calendar setting."""
        return self.request.alarm.survey_id or self.setting.survey_id

    @property
    def status_reason(self) -> str:
        """The reason that the request keeps. It does not wait for a cap any more."""
        if self.entry is not None:
            return Reason.FAILOVER
        reason = self.request.status_reason
        return "" if reason == Reason.AT_CAP else reason


@dataclass(frozen=True)
class Placement:
    """An admitted request that is dialled now: at its slot, if its gateway has a pace.

    `contact`: what the caps for a person count it by, if there are any.
    """

    admitted: Admitted
    slot: Slot | None
    contact: str | None = None

    @property
    def request(self) -> AlarmRequest:
        return self.admitted.request


class CallAdmission:
    """Decides about requests that were read together. `down`: trunks that are down, and why."""

    def __init__(
        self, requests: Sequence[AlarmRequest], down: Mapping[str, str], now: datetime
    ) -> None:
        alarms = [request.alarm for request in requests]
        self._now = now
        self._forbidden = do_not_call.forbidden(alarms)
        self._follows = same_moment.firsts(alarms)
        self._down = down

    def of(self, request: AlarmRequest) -> Admitted | Otherwise:
        """Return the request as it may be dialled, or what to write instead."""
        alarm, now = request.alarm, self._now
        if alarm.id in self._follows:
            return partial(same_moment.wait, request, self._follows[alarm.id], now)
        at = max(now, request.date)
        profile = eligibility.profile_of(alarm)
        terms = eligibility.of(alarm, profile, forbidden=alarm.id in self._forbidden)
        decision = decide(terms, at)
        if otherwise := unless_go(request, decision, now):
            return otherwise
        setting = eligibility.setting_of(alarm)
        assert setting is not None, "without a calendar setting nothing goes"
        if not alarm.recipient:
            return partial(apply.fail, request, Reason.NO_RECIPIENT, now)
        if not methods.of(alarm.method).uses_channel:
            return partial(put, request, queue=attempts.NO_CALL)  # the alarm was edited
        gateway, unusable = self._gateway(request, setting.aleg_gateway)
        if gateway is None:
            why = unusable or f"gateway {setting.aleg_gateway.name} is inactive"
            reason = trunks.WAITS if unusable else Reason.GATEWAY_INACTIVE
            return partial(hold, request, now, reason, why)
        refusal, why = failover.refusal(gateway, alarm, profile)
        if refusal:
            return partial(apply.fail, request, refusal, now, why=why)
        dialled = numbers.route(gateway, setting).dialled(numbers.of_alarm(alarm))
        entry = self._entry(request, setting.aleg_gateway, gateway, unusable)
        endpoint = phone.endpoint(gateway.gateways, dialled)
        return Admitted(request, setting, gateway, dialled, endpoint, at - now, entry)

    def _gateway(self, request: AlarmRequest, first: Gateway) -> tuple[Gateway | None, str]:
        """Return the gateway for the call, and why an earlier one of the chain cannot be used.

        None: each is inactive, or its trunk is down.
        """
        avoid, unusable = list(request.tried), ""
        gateway = failover.way_out(first, avoid, request.alarm)
        while gateway is not None and (down := self._down.get(phone.trunk(gateway.gateways))):
            unusable = unusable or down
            again = gateway.id in avoid
            avoid.append(gateway.id)
            gateway = None if again else failover.way_out(first, avoid, request.alarm)
        return gateway, unusable

    def _entry(
        self, request: AlarmRequest, first: Gateway, gateway: Gateway, unusable: str
    ) -> Entry | None:
        """Return what the timeline tells of another gateway than the first; None: it knows."""
        known = request.tried or request.status_reason == Reason.FAILOVER
        if gateway.id == first.id or known:
            return None
        why = f"{unusable or f'gateway {first.name} is inactive'}; by {gateway.name}"
        return Entry(request.alarm_id, TimelineWord.FAILOVER, why, request.id, self._now)


def unless_go(request: AlarmRequest, decision: Decision, now: datetime) -> Otherwise | None:
    """Return what to write if the decision is not to go."""
    if decision.action is Eligibility.WAIT and decision.until is not None:
        return partial(attempts.defer, request, decision.until, decision.reason, decision.why)
    if decision.action is not Eligibility.GO:
        return partial(apply.end, request, decision, now)
    return None


def hold(request: AlarmRequest, now: datetime, reason: str, why: str) -> None:
    """Defer an attempt whose gateway or transport cannot be used now. It is checked again soon."""
    until = now + HELD
    message = f"{why}; looked at again at {until.isoformat(timespec='seconds')}"
    attempts.defer(request, until, reason, message)
