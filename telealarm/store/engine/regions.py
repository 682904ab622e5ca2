"""The region whose numbering plan places a number without its country code."""

from weakref import WeakKeyDictionary

from peewee import Database

from telealarm.models import CalendarSetting, CalendarUserProfile, Event, Gateway, User
from telealarm.store.engine import read_cache

# The configuration's region, for each database that was opened with one.
_configured: WeakKeyDictionary[Database, str | None] = WeakKeyDictionary()


def configure(database: Database, name: str | None) -> None:
    """Set the default region for all code that uses this database."""
    _configured[database] = name


def configured() -> str | None:
    """Return the configuration's region, or None."""
    return _configured.get(User._meta.database)


def of_owner(owner_id: int) -> str | None:
    """Return the manager's region, else the configuration's."""

    def read() -> str | None:
        owner = User.get_or_none(User.id == owner_id)
        return owner.region if owner else None

    return read_cache.once(("region", owner_id), read) or configured()


def of_setting(setting: CalendarSetting) -> str | None:
    """Return the calendar setting's region, else its manager's."""
    return setting.region or of_owner(setting.owner_id)


def of_event(event: Event) -> str | None:
    """Return the region of the calendar setting for the event, else its manager's."""
    return of_profile(read_cache.profile_of(event.calendar.user_id), event.owner_id)


def of_profile(profile: CalendarUserProfile | None, owner_id: int) -> str | None:
    """Return the region of the profile's calendar setting, else the manager's."""
    setting = profile.calendar_setting if profile else None
    return of_setting(setting) if setting else of_owner(owner_id)


def of_gateway(gateway: Gateway, setting: CalendarSetting | None) -> str | None:
    """Return the gateway's region, else the calendar setting's, else the configuration's."""
    return gateway.region or (setting and setting.region) or configured()
