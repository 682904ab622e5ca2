"""Events of a file that a reminder plan governs: the plan makes their alarms."""

from dataclasses import replace

from telealarm import methods
from telealarm.importing.draft import Body, Draft
from telealarm.methods import call
from telealarm.models import Calendar, Event
from telealarm.store.reminder_plans import contacts


def planned(draft: Draft, calendar: Calendar, row: Event | None = None) -> Draft:
    """Return the draft without alarms if its event has a plan, else the draft itself.

    `row`: the event that was imported of it before, which may have got a plan of its own.

    The first number and the first mail address of its alarms go into the event's data, where the
    plan looks for them. So nobody is called twice, by the file and by the plan.
    """
    own = draft.event.get("reminder_plan") or (row is not None and row.reminder_plan_id)
    if calendar.reminder_plan_id is None and not own:
        return draft
    found: Body = {}
    for body in draft.alarms:
        method = methods.named(str(body.get("method", ""))) or call.METHOD
        if address := body.get(method.address.field):
            found.setdefault(contacts.KEYS[method.address], address)
    data = {**found, **(draft.event.get("data") or {})}
    event = {**draft.event, "data": data} if data else draft.event
    moved = [replace(one, alarms=None) for one in draft.moved]
    return replace(draft, event=event, alarms=[], moved=moved, planned=True)
