"""The rights of a calendar user: which methods, which numbers, how many alarms a day.

The rights are in the profile of the user who owns the calendar of the event. They are checked when
an alarm is written. If a right is withdrawn later, existing alarms still go out. They can still be
edited if the edit does not change the fields that need the right. So they can still be cancelled.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from telealarm import methods
from telealarm.errors import Conflict, Invalid
from telealarm.methods.base import Address
from telealarm.models import Alarm, Calendar, CalendarUser, CalendarUserProfile, Event
from telealarm.rules.dial_route import Route
from telealarm.store import numbers
from telealarm.store.access import users
from telealarm.store.alarms import alarms
from telealarm.store.engine import read_cache, time_zones
from telealarm.words import UNSETTLED, AlarmStatus

# The fields whose numbers an alarm by call dials. A transfer is a call too, and costs as much.
_DIALLED = ("alarm_phonenumber", "phonenumber_transfer")
# The fields whose numbers the prefixes limit.
_NUMBERS = ("alarm_phonenumber", "phonenumber_transfer", "phonenumber_sms_failure")


def check(alarm: Alarm, before: Alarm | None) -> None:
    """Check the changes of `alarm`, which was just written, compared with `before`.

    Raises Invalid, which names each wrong field; the write is rolled back then. Two processes that
    write at the same moment may exceed the daily limit by one alarm. A lock could prevent this, but
    it could also cause a deadlock, which is worse.
    """
    profile = read_cache.profile_of(alarm.event.calendar.user_id)
    if profile is None:
        return
    if before is not None and before.event.calendar.user_id != profile.user_id:
        before = None
    emergencies = {name: _emergency(profile, alarm, before, name) for name in _DIALLED}
    checks = {
        "method": _method(profile, alarm, before),
        **{name: _number(profile, alarm, before, name) for name in _NUMBERS},
        **{name: message for name, message in emergencies.items() if message},
        "date_start_notice": _day(profile, alarm, before),
    }
    errors = {name: [message] for name, message in checks.items() if message}
    if errors:
        raise Invalid(errors)


def check_moved(event: Event) -> None:
    """Check the unfinished alarms of an event that was just moved to another user's calendar.

    Raises Invalid on `calendar`.
    """
    unfinished = Alarm.event == event.id, Alarm.status.in_(UNSETTLED), Alarm.deleted.is_null()
    for alarm in Alarm.select().where(*unfinished).order_by(Alarm.id):
        try:
            users.setting_of(event.calendar.user)
            check(alarm, None)
        except Invalid as error:
            messages = [text for texts in error.fields.values() for text in texts]
            raise Invalid(
                {"calendar": [f"alarm {alarm.id}: {text}" for text in messages]}
            ) from None


def check_handed_over(calendar: Calendar, user: CalendarUser) -> None:
    """Check a calendar that was handed over to `user`.

    Raises Conflict if its alarms may exceed the rights of the user. The alarms are not checked one
    by one, because there can be many thousands.
    """
    profile = read_cache.profile_of(user.id)
    limits = profile is not None and (
        not set(methods.alarm_methods()) <= set(profile.permissions["methods"])
        or profile.permissions["prefixes"]
        or profile.permissions["max_alarms_per_day"] is not None
    )
    unfinished = (
        Alarm.select()
        .join(Event)
        .where(Event.calendar == calendar.id, Alarm.status.in_(UNSETTLED), Alarm.deleted.is_null())
    )
    if limits and unfinished.exists():
        raise Conflict(
            f"The calendar has unfinished alarms, and the calendar user {user.username} may not"
            " have all that is in them; move its events one by one."
        )


def _method(profile: CalendarUserProfile, alarm: Alarm, before: Alarm | None) -> str | None:
    allowed = profile.permissions["methods"]
    if alarm.method in allowed or (before is not None and before.method == alarm.method):
        return None
    titles = ", ".join(f"{number} ({methods.of(number).title})" for number in allowed) or "none"
    return f"the calendar user {profile.user.username} may not have this one; allowed: {titles}"


def _number(
    profile: CalendarUserProfile, alarm: Alarm, before: Alarm | None, name: str
) -> str | None:
    prefixes = profile.permissions["prefixes"]
    number = getattr(alarm, name)
    if not number or _route(profile, alarm, name).permits(numbers.of_alarm(alarm, name), prefixes):
        return None
    if name in _DIALLED and methods.of(alarm.method).address is not Address.PHONE:
        return None  # this method dials no number
    if before is not None and getattr(before, name) == number and before.method == alarm.method:
        return None
    return (
        f"the calendar user {profile.user.username} may reach numbers that start with"
        f" {', '.join(prefixes)} alone"
    )


def _emergency(
    profile: CalendarUserProfile, alarm: Alarm, before: Alarm | None, name: str
) -> str | None:
    """Return why a new number may not be dialled, if it is an emergency number."""
    if not methods.of(alarm.method).uses_channel:
        return None
    number = getattr(alarm, name)
    same_method = before is not None and before.method == alarm.method
    if not number or (same_method and before and getattr(before, name) == number):
        return None
    route = _route(profile, alarm, name)
    emergency = route.emergency(numbers.of_alarm(alarm, name))
    if not emergency:
        return None
    return (
        f"gateway {route.name} would dial {emergency}, an emergency number; a superuser may set"
        " `extensions` of the gateway if it reaches your own phones only"
    )


def _route(profile: CalendarUserProfile, alarm: Alarm, name: str) -> Route:
    """Return how a number of the alarm is dialled. An SMS goes to the number as it is."""
    setting = profile.calendar_setting
    by_call = name in _DIALLED and methods.of(alarm.method).uses_channel
    return numbers.route(setting.aleg_gateway, setting) if setting and by_call else Route()


def _day(profile: CalendarUserProfile, alarm: Alarm, before: Alarm | None) -> str | None:
    most = profile.permissions["max_alarms_per_day"]
    if most is None or alarm.status not in UNSETTLED:
        return None
    zone = time_zones.of_event(alarm.event)
    day = alarms.moment(alarm, alarm.event).astimezone(zone).date()
    if before is not None and before.status in UNSETTLED:
        zone_before = time_zones.of_event(before.event)
        if alarms.moment(before, before.event).astimezone(zone_before).date() == day:
            return None
    if _due(profile.user_id, day, zone, alarm) < most:
        return None
    return (
        f"the calendar user {profile.user.username} may have {most} alarms a day, and has them on"
        f" {day} already"
    )


def _due(user_id: int, day: date, zone: ZoneInfo, but: Alarm) -> int:
    """Return how many alarms of the calendar user are due on `day`, without the alarm `but`.

    Cancelled alarms do not count. Alarms of paused events have no due time. Theirs is computed,
    because the event may be resumed.
    """
    first, last = _bounds(day, zone)
    of_user = (
        Alarm.select(Alarm, Event)
        .join(Event)
        .join(Calendar)
        .where(Calendar.user == user_id, Alarm.deleted.is_null(), Alarm.id != but.id)
    )
    counted = [status.value for status in AlarmStatus if status != AlarmStatus.CANCELLED]
    due = of_user.where(Alarm.status.in_(counted), Alarm.due >= first, Alarm.due < last).count()
    held = of_user.where(Alarm.status.in_(UNSETTLED), Alarm.due.is_null())
    return due + sum(first <= alarms.moment(alarm, alarm.event) < last for alarm in held)


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when `day` and the next day start in `zone`; in a clock gap, the end of the gap."""
    first, last = (
        datetime.combine(start, time(), zone) for start in (day, day + timedelta(days=1))
    )
    return first.astimezone(UTC), last.astimezone(UTC)
