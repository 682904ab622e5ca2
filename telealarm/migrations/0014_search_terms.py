"""The index that finds events, alarms and calls by words and numbers."""

from peewee import *
from telealarm.rules import search_terms

# How many events, or alarms, are read at once; SQLite takes 32,766 values in a statement.
BATCH, ROWS = 2000, 5000


def up(migrator, db):
    class SearchTerm(Model):
        owner = IntegerField()
        term = BlobField()
        event = IntegerField()
        alarm = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "search_term"
            primary_key = CompositeKey("owner", "term", "event", "alarm")
            indexes = ((("event", "term", "alarm"), False),)

    class Event(Model):
        owner_id = IntegerField()
        title = CharField()
        description = TextField(null=True)
        data = JSONField(null=True)

        class Meta:
            database = db
            table_name = "event"

    class Alarm(Model):
        owner_id = IntegerField()
        event_id = IntegerField()
        alarm_phonenumber = CharField()
        alarm_e164 = CharField(null=True)
        alarm_email = CharField()

        class Meta:
            database = db
            table_name = "alarm"

    db.create_tables([SearchTerm])
    of_event = (Event.owner_id, Event.title, Event.data, Event.description)
    numbers = (Alarm.alarm_phonenumber, Alarm.alarm_e164)
    of_alarm = (Alarm.owner_id, Alarm.event_id, Alarm.alarm_email, *numbers)
    for model, columns, terms_of in (
        (Event, of_event, terms_of_event),
        (Alarm, of_alarm, terms_of_alarm),
    ):
        last, rows = 0, model.select(model.id, *columns).order_by(model.id).limit(BATCH).tuples()
        while some := list(rows.where(model.id > last)):
            last = some[-1][0]
            terms = [term for row in some for term in terms_of(*row)]
            for first in range(0, len(terms), ROWS):
                write(db, terms[first : first + ROWS])
    db.execute_sql("ANALYZE search_term")


def write(db, terms):
    """By a statement of our own: peewee takes ten times as long to make it."""
    row = "(" + ", ".join([db.param] * 4) + ")"
    db.execute_sql(
        "INSERT INTO search_term (owner, term, event, alarm) VALUES " + ", ".join([row] * len(terms)),
        [value for term in terms for value in term],
    )


def terms_of_event(row_id, owner, title, data, description):
    texts = [title, *search_terms.of_data(data), description or ""]
    return [(owner, term, row_id, 0) for term in search_terms.of_texts(texts)]


def terms_of_alarm(row_id, owner, event, email, number, e164):
    terms = search_terms.of_texts([email])
    terms |= search_terms.of_number(number)
    terms |= search_terms.of_number(e164)
    return [(owner, term, event, row_id) for term in terms]


def down(migrator, db):
    migrator.migrate(migrator.drop_table("search_term"))
