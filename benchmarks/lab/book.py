"""A manager with a calendar full of events."""

from telealarm.models import Calendar, CalendarUser, User
from telealarm.store.access import users
from tests.lab import crowd

PASSWORD = "benchmark"


def fill(name: str, count: int) -> None:
    """Make the manager `name`, and a calendar of so many events. Within a transaction."""
    owner: User = users.add_user(name, PASSWORD, is_superuser=False)
    creator: CalendarUser = users.add_calendar_user(
        owner.id, {"username": f"doctor of {name}", "password_hash": "-"}
    )
    calendar = Calendar.create(owner=owner, name="book", user=creator)
    crowd.of_events(count, owner=owner.id, creator=creator.id, calendar=calendar.id)
