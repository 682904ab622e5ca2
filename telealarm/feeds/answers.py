"""Tells a CalDAV source what recipients answered, by PARTSTAT or by a mark before the title.

Neither is read as a change of the event: PARTSTAT is not imported, and a mark is taken off. So what
we write does not come back as news.
"""

import icalendar

from telealarm.errors import Conflict
from telealarm.feeds.caldav import Edit, Kept, events
from telealarm.models import Alarm
from telealarm.rules import phone
from telealarm.words import AlarmResult, FeedAnswers

_MARKS: dict[int, str] = {
    AlarmResult.NONE: "",
    AlarmResult.CONFIRMED: "\u2713 ",
    AlarmResult.CANCELLED: "\u2717 ",
    AlarmResult.RESCHEDULED: "\u21bb ",
}
# RFC 5545 3.2.12.
_PARTSTAT: dict[int, str] = {
    AlarmResult.NONE: "NEEDS-ACTION",
    AlarmResult.CONFIRMED: "ACCEPTED",
    AlarmResult.CANCELLED: "DECLINED",
    AlarmResult.RESCHEDULED: "TENTATIVE",
}


def unmarked(title: str) -> str:
    """Return a title without our mark."""
    for mark in filter(None, _MARKS.values()):
        if title.startswith(mark.strip()):
            return title.removeprefix(mark.strip()).strip()
    return title


def edit(how: str, alarm: Alarm, answer: int) -> tuple[Edit, Kept]:
    """Return how a resource is edited to tell the answer, and how to see that it was kept."""
    ways = {FeedAnswers.TITLE: _titled, FeedAnswers.PARTSTAT: _answered}
    return ways[FeedAnswers(how)](alarm, answer)


def _titled(alarm: Alarm, answer: int) -> tuple[Edit, Kept]:
    def mark(calendar: icalendar.Calendar) -> None:
        event = only(calendar)
        event["SUMMARY"] = icalendar.vText(_MARKS[answer] + unmarked(str(event.get("SUMMARY", ""))))

    def kept(calendar: icalendar.Calendar) -> bool:
        title = str(only(calendar).get("SUMMARY", ""))
        return title == _MARKS[answer] + unmarked(title)

    return mark, kept


def _answered(alarm: Alarm, answer: int) -> tuple[Edit, Kept]:
    def answered(calendar: icalendar.Calendar) -> None:
        attendee = _attendee(only(calendar), alarm)
        attendee.params["PARTSTAT"] = _PARTSTAT[answer]
        attendee.params.pop("RSVP", None)

    def kept(calendar: icalendar.Calendar) -> bool:
        params = _attendee(only(calendar), alarm).params
        return bool(params.get("PARTSTAT") == _PARTSTAT[answer])

    return answered, kept


def only(calendar: icalendar.Calendar) -> icalendar.Event:
    """Return the event of a resource. Raises Conflict if it is a series."""
    found = events(calendar)
    if len(found) != 1 or "RRULE" in found[0] or "RDATE" in found[0]:
        raise Conflict("The source has a series there, of which one occurrence is not written.")
    return found[0]


def _attendee(event: icalendar.Event, alarm: Alarm) -> icalendar.vCalAddress:
    """Return the attendee who answered: the only one, or the one with the alarm's address."""
    value = event.get("ATTENDEE", [])
    listed = value if isinstance(value, list) else [value]
    attendees = [one for one in listed if isinstance(one, icalendar.vCalAddress)]
    same = [one for one in attendees if _is_theirs(one, alarm)] if len(attendees) > 1 else attendees
    if len(same) != 1:
        raise Conflict("The source has no attendee there with the number or address of the alarm.")
    return same[0]


def _is_theirs(attendee: icalendar.vCalAddress, alarm: Alarm) -> bool:
    kind, _, address = str(attendee).partition(":")
    if kind.lower() == "tel":
        return phone.same(address, alarm.alarm_phonenumber)
    return bool(alarm.alarm_email) and address.lower() == alarm.alarm_email.lower()
