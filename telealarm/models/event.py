"""Events: what happens at a time, and may have alarms."""

from typing import Any

from peewee import (
    SQL,
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
from telealarm.models.person import Person
from telealarm.models.reminder_plan import ReminderPlan
from telealarm.models.rule import Rule
from telealarm.words import EventStatus


class Event(BaseModel):
    """A single event, the parent of a series (it has the rule), or a child of a series.

    A child is the occurrence that the rule has at `original_start`, even if it was moved. Each
    occurrence has at most one child. In a parent, `made_to` is the last occurrence that has a
    child. `next_child_due` is when to create the next children; it is null if the series has ended.
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
    # Whom the event is about. Null: nobody that is known; its alarms have numbers.
    person: "ForeignKeyField[Person | None]" = ForeignKeyField(
        Person, null=True, on_delete="SET NULL"
    )
    person_id: OptionalKey
    notify_count = IntegerField(default=0)
    status = IntegerField(default=EventStatus.PENDING)
    data: "Field[dict[str, Any] | None]" = JSONField(null=True)
    parent_event: "ForeignKeyField[Event | None]" = ForeignKeyField("self", null=True)
    parent_event_id: OptionalKey
    occ_count = IntegerField(default=0)
    timezone = CharField(max_length=64, null=True)
    exdate: "Field[list[str]]" = JSONField(default=list)
    # The start as the client sent it, if the clock skips it (02:30). Other occurrences use it.
    said_start = CharField(max_length=32, null=True)
    made_to = UtcField(null=True)
    next_child_due = UtcField(null=True)
    # The parent or its alarms were edited: future children must be updated.
    series_edited = BooleanField(default=False)
    # The status of new children: PENDING or PAUSED. COMPLETED ends the series.
    children_status = IntegerField(default=EventStatus.PENDING)
    children_made = IntegerField(default=0)
    original_start = UtcField(null=True)
    # The child itself was edited: it does not follow its parent any more.
    detached = BooleanField(default=False)
    # Of an imported event: its UID in the file, so that a second import finds it. The digest of
    # the file's data shows what has changed there.
    uid = CharField(max_length=255, null=True)
    import_digest = CharField(max_length=64, null=True)
    # Its SEQUENCE in the file, so that an older version of the event never wins.
    import_sequence = IntegerField(null=True)
    # What of the file was written into this event, so that the next import writes only what has
    # changed in the file since; and the source of the file. See importing/content.py.
    imported: "Field[dict[str, Any] | None]" = JSONField(null=True)
    import_source = CharField(max_length=100, null=True)
    # What kind of appointment it is, in the client's words. Steps of a plan may be for some types.
    type = CharField(max_length=100, default="")
    # The plan that makes its alarms; null: its calendar's.
    reminder_plan = ForeignKeyField(ReminderPlan, null=True)
    reminder_plan_id: OptionalKey
    # Since when its alarms have to follow a plan that was edited; null: they follow it.
    plan_due = UtcField(null=True)
    # When its start was changed last: answers to what was asked before are for the old start.
    moved_on = UtcField(null=True)
    # Whether the person came; null: nobody has said.
    attended = BooleanField(null=True)
    # The inbound door or FastAGI booked it. No cap for a person holds a wake-up call back.
    is_wakeup = BooleanField(null=True)
    # A deleted event is hidden, because the call log refers to it.
    deleted = UtcField(null=True)

    # This is no column: store.access.visibility adds it to the selected rows. None: the
    # configuration's zone.
    zone: str | None
    # Neither is this: the sentences about steps of the plan that the last write could not plan.
    not_planned: "list[str] | None" = None
    # This is no column either: the order to move the event at the source of its feed.
    order_id: int | None

    class Meta:
        # Most are for the API's lists, of a manager and of a superuser.
        indexes = (
            (("status", "end"), False),
            (("next_child_due",), False),
            (("plan_due", "start"), False),
            (("parent_event", "original_start"), True),
            (("owner", "id", "deleted"), False),
            (("owner", "status", "id", "deleted"), False),
            (("status", "id", "deleted"), False),
            (("calendar", "id", "deleted"), False),
            (("owner", "start", "id", "deleted"), False),
            (("start", "id", "deleted"), False),
            (("owner", "calendar", "id", "deleted"), False),
            (("owner", "end", "id", "deleted"), False),
            (("end", "id", "deleted"), False),
            (("calendar", "uid"), True),
        )


# Most events never have it.
Event.add_index(
    Event.index(
        Event.owner,
        Event.attended,
        Event.id,
        where=SQL("attended IS NOT NULL"),
        name="event_owner_attended",
    )
)
