"""`outcome` of an alarm: the answer in one word."""

from collections.abc import Mapping

from telealarm import methods
from telealarm.api.core.request_context import RequestContext
from telealarm.models import Alarm
from telealarm.words import UNSETTLED, AlarmOutcome, AlarmResult, AlarmStatus


def outcome(context: RequestContext, row: Alarm) -> str:
    """Return the answer in one word."""
    if row.result:
        return _BY_RESULT.get(row.result, AlarmOutcome.OTHER_KEY)
    if row.status in UNSETTLED:
        return AlarmOutcome.OPEN
    if row.status == AlarmStatus.SUCCESS:
        on_channel = methods.of(row.method).uses_channel
        return AlarmOutcome.ANSWERED_NO_KEY if on_channel else AlarmOutcome.SENT
    called_off = row.status == AlarmStatus.CANCELLED
    return AlarmOutcome.CALLED_OFF if called_off else AlarmOutcome.UNANSWERED


_BY_RESULT: Mapping[int, AlarmOutcome] = {
    AlarmResult.CONFIRMED: AlarmOutcome.CONFIRMED,
    AlarmResult.CANCELLED: AlarmOutcome.CANCELLED,
    AlarmResult.RESCHEDULED: AlarmOutcome.RESCHEDULED,
}
