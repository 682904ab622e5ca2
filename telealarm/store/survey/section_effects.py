"""The effects of section actions. Each writes a survey result and a line of the timeline.

The callee has asked for them. So they are saved even if another worker holds the call meanwhile.
"""

from datetime import datetime

from telealarm.models import DncList, SurveyResult
from telealarm.rules import placeholders
from telealarm.sections import conference, record_message, sms
from telealarm.sections import do_not_call as do_not_call_section
from telealarm.store import do_not_call, numbers
from telealarm.store.access import limits
from telealarm.store.access.limits import AUDIO, Use
from telealarm.store.alarms import eligibility
from telealarm.store.dialing.calls import Call, of
from telealarm.store.engine.timeline import record
from telealarm.store.messages import outbox
from telealarm.store.messages.template_values import values
from telealarm.store.survey.session_progress import answer
from telealarm.store.webhooks import webhooks
from telealarm.words import Change

# The list that is created if the manager has no do-not-call list.
OWN_LIST = "Asked not to be called"


def block(call: Call, section: int) -> None:
    """Put the callee's number on the first of the manager's do-not-call lists."""
    row = of(call)
    number = numbers.of_alarm(row.alarm)
    if not do_not_call.lists_number(row.owner_id, number.outgoing):
        lists = DncList.select().where(DncList.owner == row.owner_id)
        chosen = lists.order_by(DncList.id).get_or_none()
        chosen = chosen or DncList.create(owner=row.owner_id, name=OWN_LIST)
        do_not_call.add_number(chosen, number)
    answer(row, section, do_not_call_section.Response.ADDED)
    record(
        call.alarm_id,
        do_not_call_section.TimelineWord.BLOCKED,
        call.number,
        request_id=call.request_id,
    )


def send(call: Call, section_id: int, text: str, now: datetime) -> None:
    """Put an SMS to the callee into the outbox. It is sent once in a call, also after a crash."""
    row = of(call)
    mine = (SurveyResult.call == row.id) & (SurveyResult.section == section_id)
    if SurveyResult.select().where(mine).exists():
        return
    alarm = row.alarm
    gateway = eligibility.sms_gateway_of(alarm)
    if gateway is None:
        answer(row, section_id, sms.Response.NOT_SENT)
        record(
            alarm.id,
            sms.TimelineWord.NOT_SENT,
            "the calendar setting names no sms_gateway; set one to have the survey send SMS",
            request_id=call.request_id,
        )
        return
    placeholder_values = values(
        alarm, alarm.event, now, language=row.survey.tts_language, attempt=row.num_attempt
    )
    answer(row, section_id, sms.Response.QUEUED)
    filled = placeholders.fill(text, placeholder_values)
    number = numbers.of_alarm(alarm).outgoing
    outbox.queue_sms(alarm, gateway, number, filled, now, request_id=call.request_id)


def recorded(call: Call, section: int, file: str, seconds: float) -> str:
    """Save a recorded message. Return the name of the file that it replaces, or ''."""
    row = of(call)
    limits.add(Use(row.owner_id, AUDIO), limits.recording_bytes(seconds), refused=False)
    old = SurveyResult.get_or_none(call=row, section=section)
    answer(
        row, section, record_message.Response.RECORDED, record_file=file, recording_duration=seconds
    )
    record(
        call.alarm_id,
        record_message.TimelineWord.RECORDED,
        f"{seconds:.1f} s",
        request_id=call.request_id,
    )
    return old.record_file if old else ""


def store_full(call: Call, now: datetime) -> None:
    """Save that a message was not recorded or cut short, as the store is full. Tell it."""
    row = of(call)
    use = Use(row.owner_id, AUDIO)
    why = limits.sentence(use)
    record(
        call.alarm_id,
        record_message.TimelineWord.STORE_FULL,
        why,
        request_id=call.request_id,
        at=now,
    )
    webhooks.tell(row.alarm, Change.STORE_FULL, now, row.request)


def joined(call: Call, section: int, name: str) -> None:
    """Save that the callee is in a conference: once, even if another session continues it."""
    row = of(call)
    known = SurveyResult.get_or_none(call=row, section=section, response=conference.Response.JOINED)
    if known is not None:
        return
    answer(row, section, conference.Response.JOINED)
    record(call.alarm_id, conference.TimelineWord.JOINED, name, request_id=call.request_id)


def not_joined(call: Call, section: int) -> None:
    """Save that the conference could not be joined."""
    answer(of(call), section, conference.Response.FAILED)
    record(call.alarm_id, conference.TimelineWord.FAILED, request_id=call.request_id)


def answered(call: Call, section: int, response: str) -> None:
    """Save the survey result of any other section type."""
    answer(of(call), section, response)


def tell(call: Call, word: str, why: str) -> None:
    """Write a line of any other section type into the alarm's timeline."""
    record(call.alarm_id, word, why, request_id=call.request_id)
