"""The phone numbers of rows that were written before, or before a region was set."""

from collections.abc import Iterator
from dataclasses import dataclass

from telealarm import methods
from telealarm.models import Alarm, Calendar, CalendarSetting, DncContact, DncList, Event
from telealarm.rules import phone_number
from telealarm.rules.phone_number import PhoneNumber
from telealarm.store import numbers
from telealarm.store.engine import read_cache, regions, search_index
from telealarm.words import UNSETTLED


@dataclass(frozen=True)
class Unread:
    """A number without an E.164 form: where it is, and why, or what happens to it."""

    number: str
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.number} ({self.where}): {self.why}"


_AS_WRITTEN = "is dialled as it is written: no region places it"


def review(*, write: bool) -> list[Unread]:
    """Return the numbers that cannot be read, or that no gateway dials any more.

    `write` saves the E.164 form of those that can be read. Nothing else is changed. The list has
    each number of a calendar, a setting or a do-not-call list once.
    """
    with read_cache.remembering():
        return [*_alarms(write), *_settings(write), *_contacts(write), *_emergencies()]


def _alarms(write: bool) -> Iterator[Unread]:
    for field, column in numbers.OF_ALARM.items():
        number, e164 = getattr(Alarm, field), getattr(Alarm, column)
        rows = (
            Alarm.select(number, Event.calendar)
            .join(Event)
            .where(number != "", e164.is_null(), Alarm.deleted.is_null())
            .distinct()
            .tuples()
            .execute()
        )
        for text, calendar_id in list(rows):
            calendar = Calendar.get_by_id(calendar_id)
            profile = read_cache.profile_of(calendar.user_id)
            read = _read(text, regions.of_profile(profile, calendar.owner_id))
            if isinstance(read, str):
                yield Unread(text, f"{field}, calendar {calendar.name}", read)
            elif write:
                events = Event.select(Event.id).where(Event.calendar == calendar_id)
                unread = number == text, e164.is_null(), Alarm.event.in_(events)
                concerned = list(Alarm.select().where(*unread))
                Alarm.update({column: read.e164}).where(*unread).execute()
                for alarm in concerned if column == "alarm_e164" else ():
                    alarm.alarm_e164 = read.e164
                    search_index.replace(alarm)


def _settings(write: bool) -> Iterator[Unread]:
    without = CalendarSetting.failure_e164.is_null()
    for setting in CalendarSetting.select().where(without):
        text = setting.failure_phonenumber
        if not text:
            continue
        read = _read(text, regions.of_setting(setting))
        if isinstance(read, str):
            yield Unread(text, f"failure_phonenumber, calendar setting {setting.label}", read)
        elif write:
            CalendarSetting.update(failure_e164=read.e164).where(
                CalendarSetting.id == setting.id
            ).execute()


def _contacts(write: bool) -> Iterator[Unread]:
    rows = DncContact.select(DncContact, DncList).join(DncList)
    for contact in list(
        rows.where(DncContact.phone_number.is_null(False), DncContact.e164.is_null())
    ):
        read = _read(contact.phone_number or "", regions.of_owner(contact.dnc.owner_id))
        if isinstance(read, str):
            why = read.replace("is dialled", "is compared")
            yield Unread(contact.phone_number or "", f"do-not-call list {contact.dnc.name}", why)
        elif write:
            DncContact.update(e164=read.e164).where(DncContact.id == contact.id).execute()


def _emergencies() -> Iterator[Unread]:
    """Yield the numbers of alarms to come that their gateway takes for emergency numbers."""
    rows = (
        Alarm.select(Alarm.alarm_phonenumber, Alarm.alarm_e164, Event.calendar)
        .join(Event)
        .where(
            Alarm.status.in_(UNSETTLED),
            Alarm.deleted.is_null(),
            Alarm.method.in_(methods.on_channel()),
        )
        .distinct()
        .tuples()
        .execute()
    )
    for written, e164, calendar_id in list(rows):
        calendar = Calendar.get_by_id(calendar_id)
        profile = read_cache.profile_of(calendar.user_id)
        setting = profile.calendar_setting if profile else None
        if setting is None:
            continue
        route = numbers.route(setting.aleg_gateway, setting)
        if route.emergency(PhoneNumber(written, e164 or "")):
            yield Unread(
                written,
                f"alarm_phonenumber, calendar {calendar.name}",
                f"is not called: gateway {route.name} would dial an emergency number; set"
                " `extensions` of the gateway if it reaches your own phones only",
            )


def _read(text: str, region: str | None) -> PhoneNumber | str:
    """Return the number if it has an E.164 form, else why it has none."""
    try:
        number = phone_number.read(text, region)
    except ValueError as error:
        return str(error)
    return number if number.e164 else _AS_WRITTEN
