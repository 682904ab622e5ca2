"""callrequest/: the calls that were placed."""

from typing import ClassVar

from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import COLUMN, Column, Link, SelfLink
from telealarm.api.rest.resource import Resource
from telealarm.models import CallRequest


class CallRequestReply(Reply):
    url: ClassVar = SelfLink("callrequest")
    request_uuid: ClassVar = Column(meaning="An id of the call that never changes.")
    aleg_uuid: ClassVar = Column(meaning="The id of the channel in Asterisk.")
    call_time: ClassVar = Column(meaning="When the call was claimed.")
    status: ClassVar = COLUMN
    callerid: ClassVar = COLUMN
    caller_name: ClassVar = COLUMN
    phone_number: ClassVar = Column(meaning="The number that was called.")
    timeout: ClassVar = Column(meaning="For how many seconds the phone was let ring.")
    timelimit: ClassVar = Column(meaning="How many seconds the call may last.")
    aleg_gateway: ClassVar = Link(
        "gateway", "gateway_id", meaning="The gateway that the call went out by."
    )
    num_attempt: ClassVar = Column(meaning="How many attempts there were.")
    last_attempt_time: ClassVar = Column(meaning="When the number was called last.")
    result: ClassVar = COLUMN
    hangup_cause: ClassVar = Column(meaning="The Q.850 cause of the hang-up.")
    disposition: ClassVar = Column(meaning="How the call ended, such as ANSWER, BUSY or NOANSWER.")
    amd_status: ClassVar = Column(
        meaning="Who answered: 1 a person, 2 a machine, 3 unsure; 0 nobody asked."
    )
    completed: ClassVar = COLUMN
    inbound: ClassVar = Column(meaning="Whether the recipient rang back.")
    started: ClassVar = Column(meaning="When the originate was sent.")
    answered: ClassVar = Column(meaning="When the call was answered.")
    ended: ClassVar = Column(meaning="When the call ended.")


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
