"""The calendar file of a mail (RFC 5545, RFC 5546), written with the icalendar library."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Invitation:
    """An event as a recipient's calendar receives it. `uid` stays the same for all updates."""

    uid: str
    sequence: int
    title: str
    description: str
    start: datetime
    end: datetime
    zone: ZoneInfo
    organizer: str
    organizer_name: str
    attendee: str
    stamp: datetime
    cancelled: bool = False


def write(invitation: Invitation) -> str:
    """Return the file, with METHOD REQUEST or CANCEL. Times are in the invitation's zone."""
    from icalendar import Calendar, Event, vCalAddress, vText  # many services send none

    calendar = Calendar()
    calendar.add("prodid", "-//TeleAlarm//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if invitation.cancelled else "REQUEST")
    event = Event()
    event.add("uid", invitation.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", invitation.stamp.astimezone(UTC))
    event.add("dtstart", invitation.start.astimezone(invitation.zone))
    event.add("dtend", invitation.end.astimezone(invitation.zone))
    event.add("summary", invitation.title)
    if invitation.description:
        event.add("description", invitation.description)
    event.add("status", "CANCELLED" if invitation.cancelled else "CONFIRMED")
    organizer = vCalAddress(f"MAILTO:{invitation.organizer}")
    if invitation.organizer_name:
        organizer.params["CN"] = vText(invitation.organizer_name)
    event.add("organizer", organizer, encode=False)
    attendee = vCalAddress(f"MAILTO:{invitation.attendee}")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["RSVP"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    if invitation.zone.key != "UTC":
        around = timedelta(days=366)
        calendar.add_missing_timezones(
            (invitation.start - around).date(), (invitation.end + around).date()
        )
    return str(calendar.to_ical(), "utf-8")
