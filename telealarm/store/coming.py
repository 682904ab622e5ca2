"""What will be said soon: the alarms that come due next, and their scripts."""

from datetime import datetime

from telealarm.models import Alarm, CallRequest
from telealarm.rules.states import AlarmStatus, Method
from telealarm.store import sessions, terms
from telealarm.store.sessions import Script


def alarms(after: datetime, until: datetime, limit: int) -> list[tuple[int, datetime]]:
    """The calls that come due between these moments: id and due time, the next first."""
    rows = (
        Alarm.select(Alarm.id, Alarm.due)
        .where(
            Alarm.status == AlarmStatus.PENDING,
            Alarm.due > after,
            Alarm.due <= until,
            Alarm.method == Method.CALL,
        )
        .order_by(Alarm.due)
        .limit(limit)
    )
    return list(rows.tuples())


def script(alarm_id: int) -> Script | None:
    """What the alarm's next call will say; None where nothing can be known of it."""
    alarm = Alarm.get_or_none(Alarm.id == alarm_id)
    if alarm is None:
        return None
    setting = terms.setting_of(alarm)
    survey = alarm.survey or (setting.survey if setting else None)
    if survey is None:
        return None
    # A call that is not made yet.
    return sessions.script(
        CallRequest(
            alarm=alarm, survey=survey, call_time=alarm.due, num_attempt=alarm.num_attempt + 1
        )
    )
