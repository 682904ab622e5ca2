"""All that is kept of a person, as one JSON document."""

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from telealarm.errors import NotVisible
from telealarm.models import (
    ALL,
    Alarm,
    AlarmRequest,
    AuditEntry,
    BaseModel,
    CallRequest,
    ImportChange,
    Message,
    SurveyResult,
    Timeline,
    Transfer,
    WebhookDelivery,
)
from telealarm.models import (
    Person as PersonRow,
)
from telealarm.store.engine import crud
from telealarm.store.person import found, mentions
from telealarm.store.person.found import Person
from telealarm.store.survey.voice_messages import VoiceMessages

# Columns that are no data of the person.
_SECRET = {"password_hash", "digest", "secret", "old_secret", "settings"}

# The tables whose rows belong to a row of the person.
_OF_ALARM: tuple[type[BaseModel], ...] = (AlarmRequest, Timeline, WebhookDelivery)
_OF_CALL: tuple[type[BaseModel], ...] = (SurveyResult, Transfer)


def document(number: str, owner: int | None, files: VoiceMessages, now: datetime) -> dict[str, Any]:
    """Return everything about the person behind the number. Raises Invalid, NotVisible.

    `rows` has the person's rows by table. `mentions` are texts of other rows that name the person.
    `recordings` are wav files in base64.
    """
    person = found.find(found.scope(number, owner))
    written = _document(person, files, now)
    if not written["rows"] and not written["mentions"]:
        raise NotVisible(f"nothing is kept of {number}")
    return {"number": number, **written}


def of_person(row: PersonRow, files: VoiceMessages, now: datetime) -> dict[str, Any]:
    """Return everything about one person, as `document` does, without what is another's."""
    scope = found.scope_of(row.id, row.owner_id, found.own_numbers(row))
    return {"number": "", **_document(found.find(scope), files, now)}


def _document(person: Person, files: VoiceMessages, now: datetime) -> dict[str, Any]:
    rows = _rows(person)
    elsewhere = _mentions(person, rows)
    return {
        "exported": now.isoformat(),
        "people": [plain(entry) for entry in found.behind(person)],
        "names": person.names,
        "mails": person.mails,
        "rows": {
            noun: [_columns(row) for row in every]
            for noun, every in sorted((crud.noun(model), rows[model]) for model in rows)
        },
        "mentions": elsewhere,
        "recordings": _recordings(rows.get(SurveyResult, ()), files),
    }


def plain(value: Any) -> Any:
    """Return a value for JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _rows(person: Person) -> dict[type[BaseModel], list[BaseModel]]:
    alarms, calls = person.ids[Alarm], person.ids[CallRequest]
    ids = dict(person.ids)
    for model in _OF_ALARM:
        ids[model] = found.ids_in(model, model._meta.fields["alarm"], alarms)
    for model in _OF_CALL:
        of_calls = found.ids_in(model, model._meta.fields["call"], calls)
        ids[model] = sorted({*ids.get(model, ()), *of_calls})
    ids[ImportChange] = found.ids_in(ImportChange, ImportChange.event, person.own_events)
    ids[AuditEntry] = [
        *_audit("alarm", alarms),
        *_audit("event", person.own_events),
        *_audit("person", person.ids[PersonRow]),
    ]
    ids[Message] = [key for key in ids[Message] if key not in _about(person)]
    return {
        model: [
            row
            for chunk in crud.chunks(ids[model])
            for row in model.select().where(model.id.in_(chunk)).order_by(model.id)
        ]
        for model in ALL
        if ids.get(model)
    }


def _about(person: Person) -> set[int]:
    """Return the messages to others that tell of a failed alarm of the person."""
    return {*found.ids_in(Message, Message.alarm, person.about)}


def _audit(resource: str, ids: Sequence[int]) -> list[int]:
    return [
        row.id
        for chunk in crud.chunks(ids)
        for row in AuditEntry.select(AuditEntry.id).where(
            AuditEntry.resource == resource, AuditEntry.object_id.in_(chunk)
        )
    ]


def _columns(row: BaseModel) -> dict[str, Any]:
    return {name: plain(value) for name, value in row.__data__.items() if name not in _SECRET}


def _mentions(person: Person, rows: dict[type[BaseModel], list[BaseModel]]) -> list[dict[str, Any]]:
    words = person.words()
    texts = []
    for model in mentions.tables():
        known = {row.id for row in rows.get(model, ())}
        for span in mentions.spans(model):
            for mention in mentions.find(model, span, words, person.scope.owner, known):
                columns = {name: plain(value) for name, (value, _) in mention.columns.items()}
                texts.append({"table": crud.noun(model), "id": mention.id, "columns": columns})
    return texts


def _recordings(rows: Iterable[BaseModel], files: VoiceMessages) -> list[dict[str, Any]]:
    recordings = []
    for row in rows:
        name = row.__data__["record_file"]
        if name and files.path(name).is_file():
            wav = base64.b64encode(files.path(name).read_bytes()).decode()
            recordings.append({"survey_result": row.id, "name": name, "wav": wav})
    return recordings
