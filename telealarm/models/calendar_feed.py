"""Calendar feeds: calendars that live elsewhere, and what is to be done at their sources."""

from typing import Any

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField, TextField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, ClaimableModel, Key, OptionalKey, UtcField, created
from telealarm.models.calendar import Calendar
from telealarm.models.encrypted import EncryptedField
from telealarm.models.event import Event
from telealarm.models.gateway import ACTIVE
from telealarm.words import FeedAnswers, FeedKind, FeedOrderStatus, FeedState

DEFAULT_POLL_SECONDS = 900


class CalendarFeed(ClaimableModel):
    """A source, the calendar that it fills, and the state of its last poll.

    `source_url` and `password` are credentials. `revision` grows with each edit: a poll that began
    before the edit does not store what it knows of the source. `next_poll` is null while the feed
    is switched off. A source that has not changed has the `etag`, the `last_modified` or the
    `digest` of the last poll.

    `asked`: the events that are gone from the source (`ids`), and why somebody must look (`doubt`).
    `confirmed`: the ids that somebody has confirmed. `remarks`: what could not be read.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    calendar = ForeignKeyField(Calendar, unique=True)
    calendar_id: Key
    name = CharField(max_length=200)
    kind = CharField(max_length=20, default=FeedKind.ICS)
    source_url = EncryptedField("calendar feeds")
    username = CharField(max_length=200, default="")
    password = EncryptedField("calendar feeds", default="")
    poll_seconds = IntegerField(default=DEFAULT_POLL_SECONDS)
    status = IntegerField(default=ACTIVE)
    # Which events count.
    categories: "Field[list[str]]" = JSONField(default=list)
    title_pattern = CharField(max_length=200, default="")
    # Whom their alarms call.
    number = CharField(max_length=50, default="")
    number_fields: "Field[list[str]]" = JSONField(default=list)
    number_pattern = CharField(max_length=200, default="")
    advance_notice = IntegerField(default=0)
    answers = CharField(max_length=20, default=FeedAnswers.NONE)
    # The state.
    state = CharField(max_length=20, default=FeedState.NEW)
    error = CharField(max_length=500, default="")
    failures = IntegerField(default=0)
    last_poll = UtcField(null=True)
    last_success = UtcField(null=True)
    next_poll = UtcField(null=True)
    etag = CharField(max_length=255, default="")
    last_modified = CharField(max_length=100, default="")
    digest = CharField(max_length=64, default="")
    events = IntegerField(default=0)
    remarks: "Field[list[str]]" = JSONField(default=list)
    asked: "Field[dict[str, Any] | None]" = JSONField(null=True)
    confirmed: "Field[list[int]]" = JSONField(default=list)
    revision = IntegerField(default=0)
    created_date = created()
    updated_date = created()

    class Meta:
        indexes = ((("status", "next_poll"), False), (("owner", "id"), False))


class CalendarFeedItem(BaseModel):
    """A resource of a CalDAV source: the events of one UID.

    `written`: when we wrote it last. A poll that began before leaves it. `answer` is the result
    that the source was told.
    """

    feed = ForeignKeyField(CalendarFeed, on_delete="CASCADE")
    feed_id: Key
    uid = CharField(max_length=255)
    href = TextField()
    etag = CharField(max_length=255, default="")
    written = UtcField(null=True)
    answer = IntegerField(default=0)

    class Meta:
        indexes = ((("feed", "uid"), True),)


class CalendarFeedOrder(ClaimableModel):
    """What a feed's loop is to do at the source for a client that waits for it.

    It is not begun after `expires`. `who`, `road` and `token` name the client for the audit log.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    feed = ForeignKeyField(CalendarFeed, on_delete="CASCADE")
    feed_id: Key
    event = ForeignKeyField(Event, null=True, on_delete="CASCADE")
    event_id: OptionalKey
    kind = CharField(max_length=20)
    body: "Field[dict[str, Any]]" = JSONField(default=dict)
    status = IntegerField(default=FeedOrderStatus.PENDING)
    said = CharField(max_length=500, default="")
    result: "Field[dict[str, Any] | None]" = JSONField(null=True)
    who = CharField(max_length=150)
    road = CharField(max_length=20)
    token = IntegerField(null=True)
    created_date = created()
    expires = UtcField()

    class Meta:
        indexes = ((("status", "expires"), False),)
