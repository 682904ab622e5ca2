"""callrequest/: the calls that were placed."""

from typing import ClassVar

from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import COLUMN, Column, RowLink, SelfLink
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
    timeout: ClassVar = Column(meaning="How long the phone may ring, in seconds.")
    timelimit: ClassVar = Column(meaning="How long the call may last, in seconds.")
    aleg_gateway: ClassVar = RowLink(
        "gateway", "gateway_id", meaning="The gateway that the call used."
    )
    num_attempt: ClassVar = Column(meaning="How many attempts were made.")
    last_attempt_time: ClassVar = Column(meaning="When the number was last called.")
    result: ClassVar = COLUMN
    hangup_cause: ClassVar = Column(meaning="The Q.850 cause of the hang-up.")
    disposition: ClassVar = Column(meaning="How the call ended, such as ANSWER, BUSY or NOANSWER.")
    amd_status: ClassVar = Column(
        meaning="Who answered: 1 a person, 2 a machine, 3 unsure. 0: not detected."
    )
    completed: ClassVar = COLUMN
    inbound: ClassVar = Column(meaning="Whether the recipient called back.")
    started: ClassVar = Column(meaning="When the originate was sent.")
    answered: ClassVar = Column(meaning="When the call was answered.")
    ended: ClassVar = Column(meaning="When the call ended.")


CALL_REQUEST = Resource(
    name="callrequest",
    model=CallRequest,
    reply=CallRequestReply,
    searched=True,
    filters={
        "alarm": CallRequest.alarm,
        "status": CallRequest.status,
        "phone_number": CallRequest.phone_number,
        "disposition": CallRequest.disposition,
        "call_time": CallRequest.call_time,
    },
    orders={"call_time": CallRequest.call_time},
)
