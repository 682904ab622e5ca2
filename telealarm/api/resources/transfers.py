"""transfer/: the calls to agents that surveys placed."""

from typing import ClassVar

from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import COLUMN, Column, RowLink, SelfLink
from telealarm.api.rest.resource import Resource
from telealarm.models import Transfer


class TransferReply(Reply):
    url: ClassVar = SelfLink("transfer")
    callrequest: ClassVar = RowLink("callrequest", "call_id", meaning="The call.")
    section: ClassVar = Column("section_id", {"type": "integer"})
    aleg_uuid: ClassVar = COLUMN
    phone_number: ClassVar = COLUMN
    aleg_gateway: ClassVar = RowLink("gateway", "gateway_id")
    disposition: ClassVar = COLUMN
    hangup_cause: ClassVar = Column(meaning="The Q.850 cause of the hang-up.")
    started: ClassVar = COLUMN
    answered: ClassVar = COLUMN
    taken: ClassVar = COLUMN
    ended: ClassVar = COLUMN


TRANSFER = Resource(
    name="transfer",
    model=Transfer,
    reply=TransferReply,
    filters={
        "callrequest": Transfer.call,
        "phone_number": Transfer.phone_number,
        "started": Transfer.started,
    },
    orders={"started": Transfer.started},
)
