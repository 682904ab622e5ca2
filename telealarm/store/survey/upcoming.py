"""The calls that come due next, and their scripts."""

from collections import Counter
from datetime import datetime

from telealarm import methods
from telealarm.models import Alarm, CallRequest
from telealarm.store.alarms import eligibility
from telealarm.store.dialing import calls
from telealarm.store.survey import session_state
from telealarm.store.survey.session_state import Script
from telealarm.words import AlarmStatus


def alarms(after: datetime, until: datetime, limit: int) -> list[tuple[int, datetime]]:
    """Return the calls that come due between these moments: alarm id and due time.

    They are in turns by manager: the first of each, the second of each. Each manager's own are in
    the order of their time.
    """
    rows = (
        Alarm.select(Alarm.id, Alarm.due, Alarm.owner)
        .where(
            Alarm.status == AlarmStatus.PENDING,
            Alarm.due > after,
            Alarm.due <= until,
            Alarm.method.in_(methods.on_channel()),
        )
        .order_by(Alarm.due)
        .limit(limit)
    )
    turns: Counter[int] = Counter()
    in_turns = []
    for alarm_id, due, owner_id in rows.tuples().execute():
        in_turns.append((turns[owner_id], due, alarm_id))
        turns[owner_id] += 1
    return [(alarm_id, due) for _, due, alarm_id in sorted(in_turns)]


def script(alarm_id: int) -> Script | None:
    """Return the script of the alarm's next call; None if it is not known."""
    alarm = Alarm.get_or_none(Alarm.id == alarm_id)
    if alarm is None:
        return None
    setting = eligibility.setting_of(alarm)
    survey = alarm.survey or (setting.survey if setting else None)
    if survey is None:
        return None
    # This call is not in the database.
    return session_state.script(
        CallRequest(
            owner=alarm.owner_id,
            alarm=alarm,
            survey=survey,
            call_time=alarm.due,
            num_attempt=alarm.num_attempt + 1,
            **(calls.caller(setting) if setting else {}),
        )
    )
