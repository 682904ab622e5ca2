"""Which waiting requests may be dialled now. Runs within the writer's transaction.

A request is looked at when its call is about to be placed: what was true when it was queued may
not be any more. It is then claimed, put off (calling hours), ended (nobody wants it any more,
its number is wrong or on a do-not-call list, nothing says how to call), or left for later (a cap
is reached). The same holds for a request by SMS or mail, which becomes a message in the outbox.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.errors import Invalid
from telealarm.models import Alarm, AlarmRequest, CalendarSetting, Gateway, SmsGateway
from telealarm.models.gateway import ACTIVE
from telealarm.rules import moment, phone
from telealarm.rules.moment import Action
from telealarm.rules.states import AlarmStatus, Method, Reason
from telealarm.store import calls, do_not_call, live, messages, requests, settlement, terms
from telealarm.store.calls import Call
from telealarm.store.claim import Holder, claim
from telealarm.store.composing import Composer
from telealarm.store.live import Live
from telealarm.store.timeline import tell

# How long a request waits for a gateway that was switched off.
HELD = timedelta(seconds=30)


@dataclass(frozen=True)
class Claimed:
    """The calls that are to be placed, and how many requests were looked at to find them.

    Requests by SMS or mail that were claimed are in the outbox.
    """

    calls: list[Call]
    looked_at: int


class Admission:
    """Claims what may be dialled or sent. `default_zone` is the configuration's; `composer`
    writes what is sent.
    """

    def __init__(
        self, holder: Holder, default_zone: ZoneInfo, composer: Composer | None = None
    ) -> None:
        self._holder = holder
        self._default_zone = default_zone
        self._composer = composer or Composer(default_zone)

    def claim(self, now: datetime, limit: int, *, calls_too: bool = True) -> Claimed:
        """Of the `limit` oldest requests that no cap blocks, those that may be dialled or sent.

        Without `calls_too` none that is to be dialled is looked at: Asterisk is away.
        """
        live.alone()
        taken = live.count()
        room = messages.Room()
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
            if request.alarm.method != Method.CALL:
                return self._write(request, setting, room, now)
            if not _is_active(request, setting.aleg_gateway, now):
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
            where=_not_blocked(taken, room, calls_too),
            look=look,
            admit=admit,
        )
        placed = [made[request.id] for request in claimed if request.id in made]
        return Claimed(placed, looked_at)

    def _write(
        self, request: AlarmRequest, setting: CalendarSetting, room: messages.Room, now: datetime
    ) -> bool:
        """Put the message of the request into the outbox; False where it waits or is ended."""
        gateway = None
        if request.alarm.method == Method.SMS:
            gateway = setting.sms_gateway
            if gateway is None:
                settlement.fail(request, Reason.NO_SMS_GATEWAY, now)
                return False
            if not _is_active(request, gateway, now):
                return False
        elif not self._composer.has_mail_server:
            again = (now + HELD).isoformat(timespec="seconds")
            why = f"smtp.host is not configured; looked at again at {again}"
            requests.defer(request, now + HELD, "no_mail_server", why)
            return False
        if not room.take(gateway):
            return False
        try:
            columns = self._composer.message(request.alarm, setting, now)
        except Invalid as error:
            tell(request.alarm_id, "wrong", str(error), request_id=request.id, at=now)
            settlement.fail(request, Reason.NO_RECIPIENT, now)
            return False
        messages.write(request, now, **columns)
        return True

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
        return setting


def _not_blocked(taken: Live, room: messages.Room, calls_too: bool) -> Any:
    """The condition that a request could be claimed now, whatever others take up."""
    by_call = Alarm.select(Alarm.id).where(Alarm.method == Method.CALL)
    where = live.not_blocked(taken) if calls_too else AlarmRequest.alarm.not_in(by_call)
    fits = room.not_blocked()
    return where if fits is None else where & fits


def _is_active(request: AlarmRequest, gateway: Gateway | SmsGateway, now: datetime) -> bool:
    """Whether the gateway is on; where it is not, the request waits."""
    if gateway.status == ACTIVE:
        return True
    again = (now + HELD).isoformat(timespec="seconds")
    why = f"gateway {gateway.name} is inactive; looked at again at {again}"
    requests.defer(request, now + HELD, "gateway_inactive", why)
    return False


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
