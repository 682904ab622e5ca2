"""The users who can log in."""

from peewee import BooleanField, CharField, IntegerField

from telealarm.models.base import BaseModel, created


class User(BaseModel):
    """A superuser or a manager. A manager owns calendar users, surveys and settings."""

    username = CharField(max_length=150, unique=True)
    password_hash = CharField(max_length=255)
    is_superuser = BooleanField(default=False)
    is_active = BooleanField(default=True)
    # The region of a manager's phone numbers, like ES; null: the configuration's.
    region = CharField(max_length=2, null=True)
    # The zone in which the days of the limits begin; null: the configuration's.
    timezone = CharField(max_length=64, null=True)
    # The limits of a manager; null: the configuration's. A superuser has none.
    max_calls_per_day = IntegerField(null=True)
    max_alarms_waiting = IntegerField(null=True)
    max_trial_calls_per_day = IntegerField(null=True)
    max_audio_megabytes = IntegerField(null=True)
    min_series_minutes = IntegerField(null=True)
    # The caps for each recipient, also of a superuser; null: the configuration's.
    max_contacts_per_day = IntegerField(null=True)
    max_contacts_per_week = IntegerField(null=True)
    min_contact_minutes = IntegerField(null=True)
    created = created()

    # This is no column: the id of the token by which the user logged in.
    token_id: int | None = None
