"""The words and numbers that events, alarms and calls are found by."""

from peewee import BlobField, CompositeKey, IntegerField

from telealarm.models.base import BaseModel


class SearchTerm(BaseModel):
    """A word of an event, or (with `alarm`) a number or word of one of its alarms.

    `term` is bytes, so that both databases compare it in the same way: a word is found by the range
    of those that begin with it. The table refers to no other. So it never keeps a row from being
    deleted.
    """

    owner = IntegerField()
    term = BlobField()
    event = IntegerField()
    alarm = IntegerField(default=0)

    class Meta:
        # The first finds rows by a word, the second looks whether a row has a word.
        primary_key = CompositeKey("owner", "term", "event", "alarm")
        indexes = ((("event", "term", "alarm"), False),)


class PersonTerm(BaseModel):
    """A word or number of a person, as SearchTerm has those of events."""

    owner = IntegerField()
    term = BlobField()
    person = IntegerField()

    class Meta:
        primary_key = CompositeKey("owner", "term", "person")
        indexes = ((("person",), False),)
