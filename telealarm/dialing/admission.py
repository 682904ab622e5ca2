"""Which waiting requests may be dialled now. Runs within the writer's transaction.

A request is looked at when its call is about to be placed: what was true when it was queued may
not be any more. It is then claimed, put off (calling hours), ended (nobody wants it any more,
its number is wrong or on a do-not-call list, nothing says how to call), or left for later (a cap
is reached).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.models import (
    AlarmRequest,
    CalendarSetting,
    CalendarUserProfile,
    Gateway,
    Survey,
)
from telealarm.models.gateway import ACTIVE
from telealarm.rules import phone, window
from telealarm.rules.states import AlarmStatus, Reason
from telealarm.store import calls, do_not_call, requests, settlement, zones
from telealarm.store.calls import Call, Live
from telealarm.store.claim import Holder, claim

# How long a request waits for a gateway that was switched off.
HELD = timedelta(seconds=30)


@dataclass(frozen=True)
class _Way:
    """How a request is to be called."""

    setting: CalendarSetting
    gateway: Gateway
    survey: Survey


class Admission:
    """Claims what may be dialled. `default_zone` is the configuration's."""

    def __init__(self, holder: Holder, default_zone: ZoneInfo) -> None:
        self._holder = holder
        self._default_zone = default_zone

    def claim(self, now: datetime, limit: int) -> list[Call]:
        """Up to `limit` calls, claimed by this worker, oldest first."""
        live = calls.live()
        ways: dict[int, _Way] = {}
        forbidden: set[int] = set()

        def look(found: list[AlarmRequest]) -> None:
            forbidden.update(do_not_call.forbidden(found))

        def admit(request: AlarmRequest) -> bool:
            way = self._way(request, request.id in forbidden, now)
            if way is None or not _has_room(request, way, live):
                return False
            ways[request.id] = way
            return True

        claimed = claim(
            AlarmRequest,
            self._holder,
            now,
            limit,
            pending=AlarmStatus.PENDING,
            claimed=AlarmStatus.IN_PROCESS,
            where=calls.not_blocked(live),
            look=look,
            admit=admit,
        )
        return [
            calls.describe(
                calls.begin(
                    request, ways[request.id].setting, ways[request.id].survey, self._holder, now
                )
            )
            for request in claimed
        ]

    def _way(self, request: AlarmRequest, forbidden: bool, now: datetime) -> _Way | None:
        """How to call, or None where the request was put off or ended instead."""
        alarm = request.alarm
        event = alarm.event
        expires = requests.expiry(alarm)
        if expires is not None and expires <= now:
            settlement.expire(request, now)
            return None
        if forbidden:
            settlement.fail(request, Reason.DO_NOT_CALL, now)
            return None
        zone = zones.of_recipient(alarm, self._default_zone)
        opens = window.opening(now, alarm.daily_start, alarm.daily_stop, zone)
        if opens > now:
            requests.defer(request, opens, "calling hours")
            return None
        profile = CalendarUserProfile.get_or_none(user=event.calendar.user_id)
        setting = profile.calendar_setting if profile else None
        if setting is None:
            # Told to the log of this one alarm; the requests of others go on.
            settlement.fail(request, "no_calendar_setting", now)
            return None
        gateway = setting.aleg_gateway
        if gateway.status != ACTIVE:
            requests.defer(request, now + HELD, f"gateway {gateway.name} is inactive")
            return None
        allowed = phone.is_allowed(
            alarm.alarm_phonenumber,
            pattern=gateway.number_pattern,
            prefixes=gateway.allowed_prefixes,
        )
        if not allowed:
            settlement.fail(request, Reason.WRONG_NUMBER, now)
            return None
        return _Way(setting, gateway, alarm.survey or setting.survey)


def _has_room(request: AlarmRequest, way: _Way, live: Live) -> bool:
    """Count the call in where no cap is reached: the number's, the calendar's, the gateway's."""
    number = request.alarm.alarm_phonenumber
    calendar = request.alarm.event.calendar
    gateway = way.gateway
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
