"""What happens at a time, and is worth an alarm."""

from typing import Any

from peewee import (
    BooleanField,
    CharField,
    Field,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TextField,
)

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, OptionalKey, UtcField, created
from telealarm.models.calendar import Calendar, CalendarUser
from telealarm.models.rule import Rule
from telealarm.words import EventStatus


class Event(BaseModel):
    """An event that happens once, the first of a series (it has the rule), or one of its children.

    A child is the occurrence that the rule has at `original_start`, wherever it was moved to, and
    there never are two of one. Of the parent, `made_to` is the occurrence up to which children
    were made, and `next_child_due` when the next are to be looked at; it is null once the series
    has ended.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    title = CharField(max_length=255)
    description = TextField(null=True)
    start = UtcField()
    end = UtcField()
    creator = ForeignKeyField(CalendarUser)
    creator_id: Key
    created_on = created()
    end_recurring_period = UtcField(null=True)
    rule = ForeignKeyField(Rule, null=True)
    rule_id: OptionalKey
    calendar = ForeignKeyField(Calendar)
    calendar_id: Key
    notify_count = IntegerField(default=0)
    status = IntegerField(default=EventStatus.PENDING)
    data: "Field[dict[str, Any] | None]" = JSONField(null=True)
    parent_event: "ForeignKeyField[Event | None]" = ForeignKeyField("self", null=True)
    parent_event_id: OptionalKey
    occ_count = IntegerField(default=0)
    timezone = CharField(max_length=64, null=True)
    exdate: "Field[list[str]]" = JSONField(default=list)
    # The start as it was sent, where the clock skips it (02:30): the other occurrences are then.
    said_start = CharField(max_length=32, null=True)
    made_to = UtcField(null=True)
    next_child_due = UtcField(null=True)
    # The parent or its alarms were edited: the children not yet begun are to follow.
    series_edited = BooleanField(default=False)
    # What children are made with: PENDING, PAUSED, or COMPLETED, which ends the series.
    children_status = IntegerField(default=EventStatus.PENDING)
    children_made = IntegerField(default=0)
    original_start = UtcField(null=True)
    # A child that was edited by itself does not follow its parent any more.
    detached = BooleanField(default=False)
    # Of an imported one: what the file calls it, so that a second import finds it, and a digest
    # of what the file said, so that it sees what has changed there.
    uid = CharField(max_length=255, null=True)
    import_digest = CharField(max_length=64, null=True)
    # A deleted event is hidden, so that its call log keeps what it refers to.
    deleted = UtcField(null=True)

    # No column: what store.scope selects beside them; None: the configuration's.
    zone: str | None

    class Meta:
        # The lists of an owner, and of a superuser: see api.lists.
        indexes = (
            (("status", "end"), False),
            (("next_child_due",), False),
            (("parent_event", "original_start"), True),
            (("owner", "id", "deleted"), False),
            (("owner", "status", "id", "deleted"), False),
            (("status", "id", "deleted"), False),
            (("calendar", "id", "deleted"), False),
            (("owner", "start", "id", "deleted"), False),
            (("start", "id", "deleted"), False),
            (("calendar", "uid"), True),
        )
