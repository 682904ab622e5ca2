"""What the receptionist's sheet of alarms begins with: who, when, which number, what they said."""

from collections.abc import Mapping, Sequence
from typing import Any

from telealarm.api.core.request_context import RequestContext
from telealarm.api.resources.alarm_outcome import outcome
from telealarm.api.rest.resource import Sheet
from telealarm.models import Alarm, Event
from telealarm.store.engine import crud
from telealarm.words import AlarmOutcome

_ANSWERS: Mapping[str, str] = {
    AlarmOutcome.OPEN: "no answer yet",
    AlarmOutcome.CONFIRMED: "confirmed",
    AlarmOutcome.CANCELLED: "cancelled",
    AlarmOutcome.RESCHEDULED: "wants another time",
    AlarmOutcome.ANSWERED_NO_KEY: "picked up, no answer",
    AlarmOutcome.SENT: "sent, no answer",
    AlarmOutcome.UNANSWERED: "not reached",
    AlarmOutcome.CALLED_OFF: "called off",
}
_ATTENDED: Mapping[bool | None, str] = {None: "", True: "came", False: "did not come"}


def cells(context: RequestContext, alarms: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Return the cells of each alarm."""
    columns = (Event.id, Event.title, Event.description, Event.data, Event.attended)
    events: dict[int, Event] = {}
    for ids in crud.chunks(list({alarm.event_id for alarm in alarms})):
        for event in Event.select(*columns).where(Event.id.in_(ids)):
            events[event.id] = event
    return [_cells(context, alarm, events.get(alarm.event_id, Event())) for alarm in alarms]


def _cells(context: RequestContext, alarm: Alarm, event: Event) -> dict[str, Any]:
    name = (event.data or {}).get("name")
    start = context.local(alarm.event_start, alarm.zone) or ""
    word = outcome(context, alarm)
    number = alarm.alarm_phonenumber
    return {
        "name": name if isinstance(name, str) and name.strip() else event.title,
        # Without its offset and its seconds, a spreadsheet reads it as a date.
        "local_time": start[:16].replace("T", " "),
        # A spreadsheet makes a number of digits: it drops + and 0. A tab before them keeps them,
        # and is not seen.
        "number": f"\t{number}" if number else alarm.alarm_email,
        "answer": _ANSWERS.get(word) or f"key {alarm.result}",
        "note": event.description,
        "attended": _ATTENDED[event.attended],
    }


SHEET = Sheet(("name", "local_time", "number", "answer", "note", "attended"), cells)
