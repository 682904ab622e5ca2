"""Blanks the rows of a person. Counts stay: a row is kept, without what tells who it was."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from telealarm.models import (
    Alarm,
    AlarmRequest,
    AuditEntry,
    BaseModel,
    CalendarSetting,
    CalendarUser,
    CalendarUserProfile,
    CallRequest,
    DncContact,
    Event,
    IdempotencyKey,
    ImportChange,
    ImportRun,
    InboundSms,
    Message,
    SmsTemplate,
    SurveyResult,
    Timeline,
    Transfer,
    WebhookDelivery,
)
from telealarm.models import (
    Person as PersonRow,
)
from telealarm.rules.person import ERASED
from telealarm.store import do_not_call
from telealarm.store.alarms import alarms
from telealarm.store.engine import crud, search_index
from telealarm.store.person import people
from telealarm.store.person.found import Person
from telealarm.words import (
    UNSETTLED,
    AlarmStatus,
    DeliveryStatus,
    MessageStatus,
    Reason,
)

# An answer that names nobody: a key, or a word of ours.
_PLAIN = re.compile(r"[0-9*#]{1,2}|[a-z][a-z_ -]*")
_REASONS = [reason.value for reason in Reason]
# How a link to a row stands in an answer that is kept to be repeated.
_LINK = re.compile(r"/rest-api/([a-z-]+)/([0-9]+)/")


def stop(found: Person, now: datetime) -> int:
    """Call off what is still to go to the person. A call that was answered goes on."""
    rows = [
        alarm
        for ids in crud.chunks(found.ids[Alarm])
        for alarm in Alarm.select().where(Alarm.id.in_(ids), Alarm.deleted.is_null())
    ]
    # The alarm of a series is hidden, so that no occurrence gets a copy of it.
    series = [alarm for alarm in rows if alarm.event.rule_id is not None]
    alarms.delete(series, now)
    waiting = [alarm for alarm in rows if alarm.status in UNSETTLED and alarm not in series]
    alarms.cancel([alarm for alarm in waiting if alarm.called_off is None], Reason.ERASED, now)
    for ids in crud.chunks(found.ids[Message]):
        Message.update(status=MessageStatus.WITHDRAWN).where(
            Message.id.in_(ids),
            Message.request.is_null(),
            Message.status == MessageStatus.PENDING,
        ).execute()
    return len(rows)


def under_way(found: Person) -> set[int]:
    """Return the alarms of the person with a call or a message that has not ended yet."""
    live: set[int] = set()
    for ids in crud.chunks([*found.ids[Alarm], *found.about]):
        attempts = AlarmRequest.select(AlarmRequest.alarm).where(
            AlarmRequest.alarm.in_(ids), AlarmRequest.status == AlarmStatus.IN_PROCESS
        )
        calls = CallRequest.select(CallRequest.alarm).where(
            CallRequest.alarm.in_(ids), CallRequest.settled.is_null()
        )
        messages = Message.select(Message.alarm).where(
            Message.alarm.in_(ids), Message.status == MessageStatus.SENDING
        )
        deliveries = WebhookDelivery.select(WebhookDelivery.alarm).where(
            WebhookDelivery.alarm.in_(ids), WebhookDelivery.status == DeliveryStatus.SENDING
        )
        for query in (attempts, calls, messages, deliveries):
            live |= {row.alarm_id for row in query if row.alarm_id is not None}
    return live


def files(found: Person, but: Iterable[int] = ()) -> list[str]:
    """Return the names of the person's recordings, but for those of these calls."""
    calls = sorted({*found.ids[CallRequest]} - {*but})
    return [
        row.record_file
        for ids in crud.chunks(calls)
        for row in SurveyResult.select().where(
            SurveyResult.call.in_(ids), SurveyResult.record_file != ""
        )
    ]


def live_calls(found: Person, live: set[int]) -> set[int]:
    """Return the calls of these alarms."""
    return {
        row.id
        for ids in crud.chunks(sorted(live))
        for row in CallRequest.select(CallRequest.id).where(CallRequest.alarm.in_(ids))
    }


def steps(found: Person, live: set[int]) -> Iterator[Callable[[], int]]:
    """Yield the parts of the work, each for a small transaction. Each returns how many rows it
    blanked. Numbers that a call or a message under way still needs are left.

    `live` are the alarms with such a call. An alarm comes after what is found by it: after a crash
    in between, the rest is found again.
    """
    going_on = live_calls(found, live)
    ended = [key for key in found.ids[CallRequest] if key not in going_on]
    over = [key for key in found.ids[Alarm] if key not in live]
    for ids in crud.chunks([*found.ids[Alarm], *found.about]):
        yield partial(_timelines, ids)
        yield partial(_deliveries, ids)
    yield partial(_audit, found)
    yield partial(_answers, found)
    for ids in crud.chunks(found.own_events):
        yield partial(_imports, ids, found.names)
    for ids in crud.chunks(ended):
        yield partial(_results, ids)
    for ids in crud.chunks(found.ids[Message]):
        yield partial(_messages, ids, {*found.about})
    for model, ids, values in (
        (InboundSms, found.ids[InboundSms], {"sender": "", "text": ""}),
        (Transfer, found.ids[Transfer], {"phone_number": "", "endpoint": ""}),
        (SmsTemplate, found.ids[SmsTemplate], {"sender_phonenumber": ""}),
        (CallRequest, ended, _NO_CALL),
        (Event, found.own_events, _NO_EVENT),
    ):
        for chunk in crud.chunks(ids):
            yield partial(_set, model, chunk, **values)
    yield partial(_settings, found)
    yield partial(_users, found)
    yield partial(_contacts, found)
    for ids in crud.chunks(over):
        yield partial(_set, Alarm, ids, **_NO_ALARM)
    if not live:
        yield partial(people.forget, found.ids[PersonRow])


_NO_CALL: dict[str, Any] = {
    **dict.fromkeys(("phone_number", "dialled", "endpoint", "callerid", "playback"), ""),
    "contact": None,
}
_NO_ALARM: dict[str, Any] = {
    **dict.fromkeys(("alarm_phonenumber", "alarm_email", "url_cancel", "url_confirm"), ""),
    "alarm_e164": None,
    "follows_person": False,
}
_NO_EVENT: dict[str, Any] = {
    "title": ERASED,
    "description": None,
    "data": None,
    "imported": None,
    "import_digest": None,
}


def _set(model: type[BaseModel], ids: Sequence[int], **values: Any) -> int:
    count = 0
    for chunk in crud.chunks(ids):
        count += int(model.update(values).where(model.id.in_(chunk)).execute())
        search_index.refresh(model, chunk)
    return count


def _results(calls: list[int]) -> int:
    """Blank answers that may say something, and forget the recordings. The counts of keys stay."""
    count = 0
    for ids in crud.chunks(calls):
        for row in SurveyResult.select().where(SurveyResult.call.in_(ids)):
            values: dict[str, Any] = {"record_file": ""} if row.record_file else {}
            if not _PLAIN.fullmatch(row.response):
                values["response"] = ERASED
            if values:
                count += _set(SurveyResult, [row.id], **values)
    return count


def _messages(ids: list[int], about: set[int]) -> int:
    """Blank what was written to the person, or to others about them.

    `about`: the alarms of the latter. A message that is to go out is left: it ends first.
    """
    texts = {"subject": "", "text": "", "html": "", "said": "", "unsubscribe": ""}
    gone = {"invitation": None, "current": False, "reference": ""}
    ended = Message.select(Message.id, Message.alarm).where(
        Message.id.in_(ids), Message.status.not_in(_OPEN)
    )
    count = 0
    for row in ended:
        recipient = {} if row.alarm_id in about else {"recipient": "", "tail": "", "contact": None}
        count += _set(Message, [row.id], **texts, **gone, **recipient)
    return count


_OPEN = [MessageStatus.PENDING, MessageStatus.SENDING]


def _settings(found: Person) -> int:
    """Blank the number where a setting has it: as its caller id, or as the number to report to."""
    forms = found.scope.every_form
    count = 0
    for ids in crud.chunks(found.ids[CalendarSetting]):
        for row in CalendarSetting.select().where(CalendarSetting.id.in_(ids)):
            values: dict[str, Any] = {}
            if forms.is_same(row.callerid):
                values["callerid"] = ""
            if forms.is_same(row.failure_phonenumber) or row.failure_e164 in forms.exact:
                values |= {"failure_phonenumber": None, "failure_e164": None}
            count += _set(CalendarSetting, [row.id], **values) if values else 0
    return count


def _users(found: Person) -> int:
    """Blank the calendar users with the number, and their profiles."""
    count = 0
    for user_id in found.ids[CalendarUser]:
        values = {"first_name": "", "last_name": "", "email": ""}
        count += _set(CalendarUser, [user_id], username=f"erased-{user_id}", **values)
    return count + _set(CalendarUserProfile, found.ids[CalendarUserProfile], **_NO_PROFILE)


_NO_PROFILE: dict[str, Any] = {
    **dict.fromkeys(("address", "city", "state", "zip_code", "phone_no", "fax", "company_name")),
    **dict.fromkeys(("company_website", "note", "accountcode")),
    "country": "",
}


def _contacts(found: Person) -> int:
    for contact in DncContact.select().where(DncContact.id.in_(found.ids[DncContact])):
        do_not_call.seal(contact)
    return len(found.ids[DncContact])


def _timelines(ids: list[int]) -> int:
    return sum(
        int(
            Timeline.update(why="")
            .where(Timeline.alarm.in_(chunk), Timeline.why != "", Timeline.why.not_in(_REASONS))
            .execute()
        )
        for chunk in crud.chunks(ids)
    )


def _deliveries(ids: list[int]) -> int:
    """Blank the bodies. What waits still goes out, without the person; an own URL gets no more."""
    count = 0
    for chunk in crud.chunks(ids):
        query = WebhookDelivery.select().where(
            WebhookDelivery.alarm.in_(chunk), WebhookDelivery.status != DeliveryStatus.SENDING
        )
        for row in query:
            values: dict[str, Any] = {"payload": _without(row.payload), "tries": _bare(row.tries)}
            if row.webhook_id is None:
                values |= {"target_url": "", "endpoint": "", "lane": f"erased {row.id}"}
                if row.status == DeliveryStatus.PENDING:
                    values["status"] = DeliveryStatus.FAILED
            count += _set(WebhookDelivery, [row.id], **values)
    return count


def _imports(events: list[int], names: list[str]) -> int:
    """Forget what imports wrote of these events. They cannot be taken back any more.

    The path of a file may have a part of the person's name.
    """
    count = 0
    parts = {part for name in names for part in re.findall(r"\w{3,}", name.casefold())}
    for chunk in crud.chunks(events):
        runs = ImportRun.select().join(ImportChange).where(ImportChange.event.in_(chunk))
        for run in runs.distinct():
            if any(part in run.file.casefold() for part in parts):
                count += _set(ImportRun, [run.id], file=ERASED)
        for row in ImportChange.select().where(ImportChange.event.in_(chunk)):
            kept: dict[str, Any] = {"event": {}, "alarms": {}}
            before = None if row.before is None else kept
            after = {**kept, "group": f"erased {row.id}"}
            count += _set(ImportChange, [row.id], before=before, after=after)
    return count


def _audit(found: Person) -> int:
    """Keep who wrote which field of these rows, and forget the values."""
    about: dict[str, Iterable[int]] = {
        "alarm": [*found.ids[Alarm], *found.about],
        "event": found.own_events,
        "calendar-user": found.ids[CalendarUser],
        "calendar-user-profile": found.ids[CalendarUser],
        "dnc-contact": found.ids[DncContact],
        "person": found.ids[PersonRow],
        "calendar-setting": found.ids[CalendarSetting],
    }
    count = 0
    for resource, ids in about.items():
        for chunk in crud.chunks(sorted({*ids})):
            query = AuditEntry.select().where(
                AuditEntry.resource == resource, AuditEntry.object_id.in_(chunk)
            )
            for row in query:
                fields = {name: [ERASED, ERASED] for name in row.changes}
                count += _set(AuditEntry, [row.id], changes=fields)
    return count


def _answers(found: Person) -> int:
    """Delete the answers that are kept to be repeated, if they show one of these rows."""
    gone = {
        "alarm": {*found.ids[Alarm], *found.about},
        "event": {*found.own_events},
        "callrequest": {*found.ids[CallRequest]},
        "message": {*found.ids[Message]},
        "calendar-user": {*found.ids[CalendarUser]},
        "calendar-user-profile": {*found.ids[CalendarUser]},
        "dnc-contact": {*found.ids[DncContact]},
        "person": {*found.ids[PersonRow]},
    }
    ids = [
        row.id
        for row in IdempotencyKey.select(
            IdempotencyKey.id, IdempotencyKey.path, IdempotencyKey.body
        ).iterator()
        if any(
            int(key) in gone.get(resource, ())
            for resource, key in _LINK.findall(f"{row.path} {row.body}")
        )
    ]
    for chunk in crud.chunks(ids):
        IdempotencyKey.delete().where(IdempotencyKey.id.in_(chunk)).execute()
    return len(ids)


def _without(payload: str) -> str:
    """Return a body without what tells who the recipient is."""
    fields = ("title", "alarm_phonenumber", "alarm_email", "phone_number", "email")
    for name in fields:
        payload = re.sub(rf'("{name}":)"(?:[^"\\]|\\.)*"', r'\1""', payload)
    return payload


def _bare(tries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**entry, "why": "failed" if entry.get("why") else ""} for entry in tries]
