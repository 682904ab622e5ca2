"""callrequest/: the calls that were placed."""

from typing import ClassVar

from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import COLUMN, Link
from telealarm.api.rest.resource import Resource
from telealarm.models import CallRequest


class CallRequestReply(Reply):
    url: ClassVar = Link("callrequest")
    request_uuid: ClassVar = COLUMN
    aleg_uuid: ClassVar = COLUMN
    call_time: ClassVar = COLUMN
    status: ClassVar = COLUMN
    callerid: ClassVar = COLUMN
    caller_name: ClassVar = COLUMN
    phone_number: ClassVar = COLUMN
    timeout: ClassVar = COLUMN
    timelimit: ClassVar = COLUMN
    aleg_gateway: ClassVar = Link("gateway", "gateway_id")
    num_attempt: ClassVar = COLUMN
    last_attempt_time: ClassVar = COLUMN
    result: ClassVar = COLUMN
    hangup_cause: ClassVar = COLUMN
    disposition: ClassVar = COLUMN
    amd_status: ClassVar = COLUMN
    completed: ClassVar = COLUMN
    inbound: ClassVar = COLUMN
    started: ClassVar = COLUMN
    answered: ClassVar = COLUMN
    ended: ClassVar = COLUMN


CALL_REQUEST = Resource(
    name="callrequest",
    model=CallRequest,
    reply=CallRequestReply,
    filters={
        "alarm": CallRequest.alarm,
        "status": CallRequest.status,
        "phone_number": CallRequest.phone_number,
        "disposition": CallRequest.disposition,
        "call_time": CallRequest.call_time,
    },
    orders={"call_time": CallRequest.call_time},
)
