"""The shapes of bodies: what a form takes, and what a resource replies."""

from datetime import time
from enum import IntEnum
from types import NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Absent, FieldType, Schema
from telealarm.api.fields.form import Form, marked
from telealarm.api.fields.reply import ReplyField, fields_of, for_superusers
from telealarm.api.fields.texts import Secret
from telealarm.api.rest.resource import Resource

# What the fields of replies mean that no form has; of some, by their resource.
MEANINGS = {
    "url": "The link to this row.",
    "id": "The number in the link.",
    "created_date": "When the row was written.",
    "created_on": "When the row was written.",
    "updated_date": "When the row was changed last.",
    "num_attempt": "How many attempts there were.",
    "status_reason": "Why the status is what it is, in one stable word.",
    "hangup_cause": "The Q.850 cause of the hang-up.",
    "callrequest": "The call.",
    "alarm.result": "The answer: 0 none, 1 confirmed, 2 cancelled, 3 rescheduled, or another key.",
    "alarm.about": "The alarm whose failure this one tells.",
    "event.notify_count": "How many alarms of the event have gone out.",
    "event.occ_count": "Which occurrence of the series this is, counted from 0.",
    "event.parent_event": "The first event of the series.",
    "alarm-request.callstatus": "The Q.850 cause of the hang-up.",
    "alarm-request.duration": "For how many seconds the call was up.",
    "callrequest.request_uuid": "An id of the call that never changes.",
    "callrequest.aleg_uuid": "The id of the channel in Asterisk.",
    "callrequest.call_time": "When the call was claimed.",
    "callrequest.phone_number": "The number that was called.",
    "callrequest.timeout": "For how many seconds the phone was let ring.",
    "callrequest.timelimit": "How many seconds the call may last.",
    "callrequest.aleg_gateway": "The gateway that the call went out by.",
    "callrequest.disposition": "How the call ended, such as ANSWER, BUSY or NOANSWER.",
    "callrequest.amd_status": "Who answered: 1 a person, 2 a machine, 3 unsure; 0 nobody asked.",
    "callrequest.inbound": "Whether the recipient rang back.",
    "callrequest.started": "When the originate was sent.",
    "callrequest.answered": "When the call was answered.",
    "callrequest.ended": "When the call ended.",
    "callrequest.last_attempt_time": "When the number was called last.",
    "gateway.trunk_state": "Whether the trunk behind the gateway can be used.",
    "gateway.paused": "Since when nothing is dialled by this gateway.",
    "sms-gateway.inbound_url": "The address for replies; give it to your provider.",
    "sms-gateway.report_url": "The address for delivery reports; give it to your provider.",
    "result.section": "The section that was answered.",
    "result.response": "What was keyed.",
    "message.status": "What became of the message.",
    "message.text": "The text as it was sent.",
    "message.segments": "How many SMS the text takes.",
    "message.tries": "How often it was handed over.",
    "webhook-delivery.payload": "The body as it is sent.",
    "webhook-delivery.tries": "Each try, with the status of the answer.",
    "webhook-delivery.next_try": "When it is sent again.",
    "webhook.failing_since": "Since when no delivery has succeeded.",
    "sealed-survey.sections": "The sections, with their branchings.",
    "calendar-user-profile.manager": "The manager whose calendar user this is.",
    "calendar-user-profile.user": "The id of the calendar user.",
}


def title(resource: Resource) -> str:
    """The name of a resource's reply among the document's components: `CalendarUser`."""
    return "".join(part.capitalize() for part in resource.name.split("-"))


def form(
    form: type[Form], *, partial: bool, new: bool = False, read_only: frozenset[str] = frozenset()
) -> Schema:
    """The body that a form takes. `partial`: of a PATCH. `new`: of a POST, which needs secrets."""
    properties: dict[str, Schema] = {}
    required = []
    secrets = marked(form, Secret)
    for name, info in form.model_fields.items():
        properties[name] = _field(info, null=not (new and name in secrets))
        if info.is_required() or (new and name in secrets):
            required.append(name)
        elif not partial:
            properties[name].update(_default(info))
    for name in sorted(read_only):
        properties[name] = {"description": "Is taken and left as it is.", "readOnly": True}
    shape: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required and not partial:
        shape["required"] = required
    return shape


def reply(resource: Resource) -> Schema:
    """The reply that shows one row: its form without secrets, and what is read only."""
    if resource.answer is not None:
        return json_schema.thing(resource.answer.properties)
    properties = {name: _described(resource, name) for name in _names(resource)}
    shape = json_schema.thing(properties)
    hidden = for_superusers(resource.fields)
    shape["required"] = [name for name in properties if name not in hidden]
    return shape


def _names(resource: Resource) -> list[str]:
    shown = list(fields_of(resource.fields))
    if resource.form is None:
        return shown
    own = [name for name in shown if name not in resource.read_only]
    return list(dict.fromkeys(["url", *own, *sorted(resource.read_only)]))


def _described(resource: Resource, name: str) -> Schema:
    schema = _shown(resource, name)
    meaning = MEANINGS.get(f"{resource.name}.{name}") or MEANINGS.get(name)
    return {"description": meaning, **schema} if meaning else schema


def _shown(resource: Resource, name: str) -> Schema:
    field = fields_of(resource.fields)[name]
    if isinstance(field, ReplyField):
        return field.schema(resource.model, name)
    column = resource.model._meta.fields.get(name)
    info = resource.fields.model_fields[name]
    empty = column.null if column is not None else _allows_null(info)
    return json_schema.nullable(field.shown()) if empty else field.shown()


def _field(info: FieldInfo, *, null: bool) -> Schema:
    kind = next(mark for mark in info.metadata if isinstance(mark, FieldType))
    schema = kind.schema()
    words = ("description", "examples", "x-relation")
    notes: Schema = {word: schema.pop(word) for word in words if word in schema}
    if null and _allows_null(info):
        options = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
        none = {"type": "null"}
        schema = {"anyOf": options if none in options else [*options, none]}
    # What the field means, then what it takes.
    takes = notes.pop("description", "") or (type(kind).__doc__ or "").strip().split("\n")[0]
    meaning = " ".join((info.description or "").split())
    description = f"{meaning} {takes[:1].upper()}{takes[1:]}" if meaning else takes
    return {"description": description.strip(), **notes, **schema}


def _allows_null(info: FieldInfo) -> bool:
    return info.annotation is NoneType or NoneType in get_args(info.annotation)


def _default(info: FieldInfo) -> dict[str, Any]:
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or isinstance(value, Absent):
        return {}
    if isinstance(value, time):
        return {"default": str(value)}
    return {"default": int(value) if isinstance(value, IntEnum) else value}
