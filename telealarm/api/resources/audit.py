"""audit/: who wrote what, and when. Nobody can write or delete an entry by the API."""

from typing import ClassVar

from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import Column, RowLink, SelfLink
from telealarm.api.rest.resource import Resource
from telealarm.models import AuditEntry
from telealarm.words import AuditRoad


class AuditReply(Reply):
    url: ClassVar = SelfLink("audit")
    owner: ClassVar = RowLink(
        "users", "owner_id", null=True, meaning="The manager who owns the written row."
    )
    at: ClassVar = Column(meaning="When it was written.")
    who: ClassVar = Column(
        meaning="The login that wrote it, or the system's user who ran a command."
    )
    road: ClassVar = Column(
        shape={"type": "string", "enum": list(AuditRoad)}, meaning="How the writer came in."
    )
    token: ClassVar = Column(meaning="The id of the token that was used.")
    resource: ClassVar = Column(meaning="The resource of the written row, such as `alarm`.")
    object_id: ClassVar = Column(meaning="The number in the row's link.")
    action: ClassVar = Column(
        meaning="`create`, `change`, `delete`, or the name of an action such as `seal`."
    )
    changes: ClassVar = Column(
        shape={
            "type": "object",
            # Two values. Their count is not in the document: orval's zod client would not compile.
            "additionalProperties": {"type": "array", "items": {}},
        },
        meaning="The values before and after, by field. Of a secret only that it has `changed`.",
    )


AUDIT = Resource(
    name="audit",
    model=AuditEntry,
    reply=AuditReply,
    filters={
        "owner": AuditEntry.owner,
        "who": AuditEntry.who,
        "road": AuditEntry.road,
        "token": AuditEntry.token,
        "resource": AuditEntry.resource,
        "object_id": AuditEntry.object_id,
        "action": AuditEntry.action,
        "at": AuditEntry.at,
    },
    orders={"at": AuditEntry.at},
)
