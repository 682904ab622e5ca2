"""Recordings that managers upload. They are played instead of speech."""

from peewee import CharField, FloatField, ForeignKeyField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, created


class AudioFile(BaseModel):
    """A recording. `digest` (SHA-256 of the sound) is the file's name. Rows may share a file."""

    owner = ForeignKeyField(User)
    owner_id: Key
    name = CharField(max_length=150)
    digest = CharField(max_length=64, index=True)
    seconds = FloatField()
    created_date = created()
    updated_date = created()
