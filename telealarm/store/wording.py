"""The values that placeholders stand for."""

from telealarm.models import Alarm, Event


def values(alarm: Alarm, event: Event) -> dict[str, object]:
    """The event's own data, over what every alarm can say."""
    return {
        "title": event.title,
        "alarm_phonenumber": alarm.alarm_phonenumber,
        "num_attempt": alarm.num_attempt,
        **(event.data or {}),
    }
