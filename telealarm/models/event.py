"""What happens at a time, and is worth an alarm."""

from peewee import CharField, ForeignKeyField, IntegerField, JSONField, TextField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, UtcField, created
from telealarm.models.calendar import Calendar, CalendarUser
from telealarm.models.rule import Rule
from telealarm.rules.states import EventStatus


class Event(BaseModel):
    owner = ForeignKeyField(User)
    title = CharField(max_length=255)
    description = TextField(null=True)
    start = UtcField()
    end = UtcField()
    creator = ForeignKeyField(CalendarUser)
    created_on = created()
    end_recurring_period = UtcField(null=True)
    rule = ForeignKeyField(Rule, null=True)
    calendar = ForeignKeyField(Calendar)
    notify_count = IntegerField(default=0)
    status = IntegerField(default=EventStatus.PENDING)
    data = JSONField(null=True)
    parent_event = ForeignKeyField("self", null=True)
    occ_count = IntegerField(default=0)
    timezone = CharField(max_length=64, null=True)
    exdate = JSONField(default=list)
    # Of an imported one: what the file calls it, so that a second import finds it, and a digest
    # of what the file said, so that it sees what has changed there.
    uid = CharField(max_length=255, null=True)
    import_digest = CharField(max_length=64, null=True)
    # A deleted event is hidden, so that its call log keeps what it refers to.
    deleted = UtcField(null=True)

    class Meta:
        # The lists of an owner, and of a superuser: see api.lists.
        indexes = (
            (("status", "end"), False),
            (("owner", "id", "deleted"), False),
            (("owner", "start", "id", "deleted"), False),
            (("start", "id", "deleted"), False),
            (("calendar", "uid"), True),
        )
