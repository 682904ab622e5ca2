"""callrequest/: the calls that were placed."""

from typing import Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.rest.resource import Resource
from telealarm.models import CallRequest


def show(visit: RequestContext, row: CallRequest) -> dict[str, Any]:
    return {
        "url": visit.links.to("callrequest", row.id),
        "request_uuid": row.request_uuid,
        "aleg_uuid": row.aleg_uuid,
        "call_time": stamp(row.call_time),
        "status": row.status,
        "callerid": row.callerid,
        "caller_name": row.caller_name,
        "phone_number": row.phone_number,
        "timeout": row.timeout,
        "timelimit": row.timelimit,
        "aleg_gateway": visit.links.to("gateway", row.gateway_id),
        "num_attempt": row.num_attempt,
        "last_attempt_time": stamp(row.last_attempt_time),
        "result": row.result,
        "hangup_cause": row.hangup_cause,
        "disposition": row.disposition,
        "amd_status": row.amd_status,
        "completed": row.completed,
        "inbound": row.inbound,
        "started": stamp(row.started),
        "answered": stamp(row.answered),
        "ended": stamp(row.ended),
    }


CALL_REQUEST = Resource(
    name="callrequest",
    model=CallRequest,
    show=show,
    filters={
        "alarm": CallRequest.alarm,
        "status": CallRequest.status,
        "phone_number": CallRequest.phone_number,
        "disposition": CallRequest.disposition,
        "call_time": CallRequest.call_time,
    },
    orders={"call_time": CallRequest.call_time},
    shapes={
        "url": json_schema.LINK,
        **json_schema.of_columns(
            CallRequest,
            *("request_uuid", "aleg_uuid", "call_time", "status", "callerid", "caller_name"),
            *("phone_number", "timeout", "timelimit"),
        ),
        "aleg_gateway": json_schema.LINK,
        **json_schema.of_columns(
            CallRequest,
            *("num_attempt", "last_attempt_time", "result", "hangup_cause", "disposition"),
            *("amd_status", "completed", "inbound", "started", "answered", "ended"),
        ),
    },
)
