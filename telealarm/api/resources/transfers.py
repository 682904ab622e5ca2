"""transfer/: the calls to agents that were placed out of surveys."""

from typing import Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.rest.resource import Resource
from telealarm.models import Transfer


def show(visit: RequestContext, row: Transfer) -> dict[str, Any]:
    return {
        "url": visit.links.to("transfer", row.id),
        "callrequest": visit.links.to("callrequest", row.call_id),
        "section": row.section_id,
        "aleg_uuid": row.aleg_uuid,
        "phone_number": row.phone_number,
        "aleg_gateway": visit.links.to("gateway", row.gateway_id),
        "disposition": row.disposition,
        "hangup_cause": row.hangup_cause,
        "started": stamp(row.started),
        "answered": stamp(row.answered),
        "taken": stamp(row.taken),
        "ended": stamp(row.ended),
    }


TRANSFER = Resource(
    name="transfer",
    model=Transfer,
    show=show,
    filters={
        "callrequest": Transfer.call,
        "phone_number": Transfer.phone_number,
        "started": Transfer.started,
    },
    orders={"started": Transfer.started},
    shapes={
        "url": json_schema.LINK,
        "callrequest": json_schema.LINK,
        "section": {"type": "integer"},
        **json_schema.of_columns(Transfer, "aleg_uuid", "phone_number"),
        "aleg_gateway": json_schema.LINK,
        **json_schema.of_columns(
            Transfer,
            *("disposition", "hangup_cause", "started", "answered", "taken", "ended"),
        ),
    },
)
