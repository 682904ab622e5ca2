"""The caps of a manager: how often each of their recipients may be contacted."""

from datetime import timedelta

from telealarm.models import User
from telealarm.rules.contact_caps import ContactCaps
from telealarm.store.access import limits

# What `of` needs of a manager.
COLUMNS = (
    User.id,
    User.max_contacts_per_day,
    User.max_contacts_per_week,
    User.min_contact_minutes,
)


def of(owner: User) -> ContactCaps:
    """Return the caps of whoever owns the alarms; false if there are none.

    Unlike other limits they hold for superusers too: they are for the recipient's sake.
    """
    ours = limits.configured(User._meta.database)
    minutes = limits.own(owner.min_contact_minutes, ours.contact_minutes)
    return ContactCaps(
        limits.own(owner.max_contacts_per_day, ours.contacts_per_day),
        limits.own(owner.max_contacts_per_week, ours.contacts_per_week),
        timedelta(minutes=minutes or 0),
    )
