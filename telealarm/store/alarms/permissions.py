"""What a calendar user may have done: by which methods, to which numbers, how often a day.

The rights stand in the profile of the user whose calendar holds the event, and are checked when
an alarm is written. A right that is taken away later stops no alarm that was written under it,
nor an edit that leaves alone what it is about: such an alarm can still be cancelled.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from telealarm import methods
from telealarm.errors import Conflict, Invalid
from telealarm.methods.base import Address
from telealarm.models import Alarm, Calendar, CalendarUser, CalendarUserProfile, Event
from telealarm.store.access import users
from telealarm.store.alarms import alarms
from telealarm.store.engine import read_cache, time_zones
from telealarm.words import UNSETTLED, AlarmStatus

# A transfer is a call as well, and as dear.
_NUMBERS = ("alarm_phonenumber", "phonenumber_transfer")


def check(alarm: Alarm, before: Alarm | None) -> None:
    """Check what is new in `alarm`, as it was just written, against what it was `before`.

    Raises Invalid, naming each wrong field; the write is undone with it. Two processes that write
    at the same moment may go one alarm a day too far: making them wait for each other could end
    in a deadlock, which costs more.
    """
    profile = read_cache.profile_of(alarm.event.calendar.user_id)
    if profile is None:
        return
    if before is not None and before.event.calendar.user_id != profile.user_id:
        before = None
    checks = {
        "method": _method(profile, alarm, before),
        **{name: _number(profile, alarm, before, name) for name in _NUMBERS},
        "date_start_notice": _day(profile, alarm, before),
    }
    errors = {name: [said] for name, said in checks.items() if said}
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
            said = [text for texts in error.fields.values() for text in texts]
            raise Invalid({"calendar": [f"alarm {alarm.id}: {text}" for text in said]}) from None


def check_handed_over(calendar: Calendar, user: CalendarUser) -> None:
    """A calendar passes to `user`. Raises Conflict where its alarms may be more than their rights.

    Each of its alarms is not looked at: there can be many thousands.
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
    said = ", ".join(f"{number} ({methods.of(number).title})" for number in allowed) or "none"
    return f"the calendar user {profile.user.username} may not have this one; allowed: {said}"


def _number(
    profile: CalendarUserProfile, alarm: Alarm, before: Alarm | None, name: str
) -> str | None:
    prefixes = profile.permissions["prefixes"]
    number = getattr(alarm, name)
    if not number or not prefixes or number.startswith(tuple(prefixes)):
        return None
    if methods.of(alarm.method).address is not Address.PHONE:
        return None  # it dials nobody
    if before is not None and getattr(before, name) == number and before.method == alarm.method:
        return None
    return (
        f"the calendar user {profile.user.username} may reach numbers that start with"
        f" {', '.join(prefixes)} alone"
    )


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
    """How many alarms of the calendar user, `but` one, are due on `day`; cancelled ones are not.

    Those of paused events have no due time now; theirs is worked out, since they may go on.
    """
    first, last = _bounds(day, zone)
    mine = (
        Alarm.select(Alarm, Event)
        .join(Event)
        .join(Calendar)
        .where(Calendar.user == user_id, Alarm.deleted.is_null(), Alarm.id != but.id)
    )
    counted = [status.value for status in AlarmStatus if status != AlarmStatus.CANCELLED]
    due = mine.where(Alarm.status.in_(counted), Alarm.due >= first, Alarm.due < last).count()
    held = mine.where(Alarm.status.in_(UNSETTLED), Alarm.due.is_null())
    return due + sum(first <= alarms.moment(one, one.event) < last for one in held)


def _bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of `day` and of the next one in `zone`; in a gap, the end of the gap."""
    first, last = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return first.astimezone(UTC), last.astimezone(UTC)
