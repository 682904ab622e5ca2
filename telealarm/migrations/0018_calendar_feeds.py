"""Calendar feeds, the resources of their sources, and the orders for them."""

from peewee import *
from telealarm.models.base import UtcField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Calendar(Model):
        class Meta:
            database = db
            table_name = "calendar"

    class Event(Model):
        class Meta:
            database = db
            table_name = "event"

    class CalendarFeed(Model):
        worker = CharField(max_length=64, null=True, index=True)
        fence = IntegerField()
        owner = ForeignKeyField(User)
        calendar = ForeignKeyField(Calendar, unique=True)
        name = CharField(max_length=200)
        kind = CharField(max_length=20)
        source_url = TextField()
        username = CharField(max_length=200)
        password = TextField()
        poll_seconds = IntegerField()
        status = IntegerField()
        categories = JSONField()
        title_pattern = CharField(max_length=200)
        number = CharField(max_length=50)
        number_fields = JSONField()
        number_pattern = CharField(max_length=200)
        advance_notice = IntegerField()
        answers = CharField(max_length=20)
        state = CharField(max_length=20)
        error = CharField(max_length=500)
        failures = IntegerField()
        last_poll = UtcField(null=True)
        last_success = UtcField(null=True)
        next_poll = UtcField(null=True)
        etag = CharField(max_length=255)
        last_modified = CharField(max_length=100)
        digest = CharField(max_length=64)
        events = IntegerField()
        remarks = JSONField()
        asked = JSONField(null=True)
        confirmed = JSONField()
        revision = IntegerField()
        created_date = UtcField()
        updated_date = UtcField()

        class Meta:
            database = db
            table_name = "calendar_feed"
            indexes = ((("status", "next_poll"), False), (("owner", "id"), False))

    class CalendarFeedItem(Model):
        feed = ForeignKeyField(CalendarFeed, on_delete="CASCADE")
        uid = CharField(max_length=255)
        href = TextField()
        etag = CharField(max_length=255)
        written = UtcField(null=True)
        answer = IntegerField()

        class Meta:
            database = db
            table_name = "calendar_feed_item"
            indexes = ((("feed", "uid"), True),)

    class CalendarFeedOrder(Model):
        worker = CharField(max_length=64, null=True, index=True)
        fence = IntegerField()
        owner = ForeignKeyField(User)
        feed = ForeignKeyField(CalendarFeed, on_delete="CASCADE")
        event = ForeignKeyField(Event, null=True, on_delete="CASCADE")
        kind = CharField(max_length=20)
        body = JSONField()
        status = IntegerField()
        said = CharField(max_length=500)
        result = JSONField(null=True)
        who = CharField(max_length=150)
        road = CharField(max_length=20)
        token = IntegerField(null=True)
        created_date = UtcField()
        expires = UtcField()

        class Meta:
            database = db
            table_name = "calendar_feed_order"
            indexes = ((("status", "expires"), False),)

    db.create_tables([CalendarFeed, CalendarFeedItem, CalendarFeedOrder])


def down(migrator, db):
    for table in ("calendar_feed_order", "calendar_feed_item", "calendar_feed"):
        migrator.migrate(migrator.drop_table(table))
