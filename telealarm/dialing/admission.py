"""Which waiting requests may be dialled now. Runs within the writer's transaction.

A request is looked at when its call is about to be placed: what was true when it was queued may
not be any more. It is then claimed, put off (calling hours), ended (nobody wants it any more,
its number is wrong or on a do-not-call list, nothing says how to call), or left for later (a cap
is reached, dialing is paused).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.models import AlarmRequest, CalendarSetting, Gateway
from telealarm.models.gateway import ACTIVE
from telealarm.rules import moment, phone
from telealarm.rules.moment import Action
from telealarm.rules.states import AlarmStatus, Reason
from telealarm.store import calls, do_not_call, live, pauses, requests, settlement, terms, trunks
from telealarm.store.calls import Call
from telealarm.store.claim import Holder, claim
from telealarm.store.live import Live

# How long a request waits for a gateway that was switched off.
HELD = timedelta(seconds=30)


@dataclass(frozen=True)
class Claimed:
    """The calls that are to be placed, and how many requests were looked at to find them."""

    calls: list[Call]
    looked_at: int


class Admission:
    """Claims what may be dialled. `default_zone` is the configuration's."""

    def __init__(self, holder: Holder, default_zone: ZoneInfo) -> None:
        self._holder = holder
        self._default_zone = default_zone

    def claim(self, now: datetime, limit: int) -> Claimed:
        """Of the `limit` oldest requests that no cap blocks, those that may be dialled."""
        live.alone()
        taken = live.count()
        made: dict[int, Call] = {}
        looked_at = 0
        forbidden: set[int] = set()

        def look(found: list[AlarmRequest]) -> None:
            nonlocal looked_at
            looked_at = len(found)
            forbidden.update(do_not_call.forbidden([request.alarm for request in found]))

        def admit(request: AlarmRequest) -> bool:
            setting = self._setting(request, request.alarm_id in forbidden, now)
            if setting is None:
                return False
            endpoint = _endpoint(request, setting.aleg_gateway)
            if endpoint is None:
                settlement.fail(request, Reason.WRONG_NUMBER, now)
                return False
            if not _has_room(request, setting.aleg_gateway, taken):
                return False
            survey = request.alarm.survey or setting.survey
            row = calls.begin(request, setting, survey, endpoint, self._holder, now)
            made[request.id] = calls.describe(row)
            return True

        claimed = claim(
            AlarmRequest,
            self._holder,
            now,
            limit,
            pending=AlarmStatus.PENDING,
            claimed=AlarmStatus.IN_PROCESS,
            where=live.not_blocked(taken) & pauses.free(now),
            look=look,
            admit=admit,
        )
        return Claimed([made[request.id] for request in claimed], looked_at)

    def _setting(
        self, request: AlarmRequest, forbidden: bool, now: datetime
    ) -> CalendarSetting | None:
        """How to call, or None where the request was put off or ended instead."""
        profile = terms.profile_of(request.alarm)
        bound = terms.of(request.alarm, profile, self._default_zone, forbidden=forbidden)
        decision = moment.decide(bound, now)
        if decision.action is Action.WAIT and decision.until is not None:
            requests.defer(request, decision.until, decision.reason, decision.why)
            return None
        if profile is None or decision.action is not Action.GO:
            settlement.end(request, decision, now)
            return None
        setting: CalendarSetting = profile.calendar_setting
        gateway = setting.aleg_gateway
        if gateway.status != ACTIVE:
            again = (now + HELD).isoformat(timespec="seconds")
            why = f"gateway {gateway.name} is inactive; looked at again at {again}"
            requests.defer(request, now + HELD, "gateway_inactive", why)
            return None
        if down := trunks.why_down(gateway, self._holder.name):
            requests.defer(request, now + HELD, trunks.WAITS, down)
            return None
        return setting


def _endpoint(request: AlarmRequest, gateway: Gateway) -> str | None:
    """What Asterisk is told to dial, or None where the gateway does not take the number."""
    number = request.alarm.alarm_phonenumber
    pattern, prefixes = gateway.number_pattern, gateway.allowed_prefixes
    if not phone.is_allowed(number, pattern=pattern, prefixes=prefixes):
        return None
    try:
        return phone.endpoint(
            gateway.gateways,
            number,
            removeprefix=gateway.removeprefix,
            addprefix=gateway.addprefix,
        )
    except ValueError:
        return None


def _has_room(request: AlarmRequest, gateway: Gateway, live: Live) -> bool:
    """Count the call in where no cap is reached: the number's, the calendar's, the gateway's."""
    number = request.alarm.alarm_phonenumber
    calendar = request.alarm.event.calendar
    if number in live.numbers:
        return False
    if calendar.max_concurrent and live.calendars[calendar.id] >= calendar.max_concurrent:
        return False
    if gateway.maximum_call and live.gateways[gateway.id] >= gateway.maximum_call:
        return False
    live.numbers.add(number)
    live.calendars[calendar.id] += 1
    live.gateways[gateway.id] += 1
    return True
