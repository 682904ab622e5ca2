"""audio-files/: recordings. They are uploaded as wav and kept in the format of Asterisk."""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import COLUMN, CREATED, UPDATED, Computed, SelfLink
from telealarm.api.fields.texts import Text
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.api.rest.uploads import Wav
from telealarm.models import AudioFile
from telealarm.rules.audio import WAV

DOWNLOAD = Computed(
    lambda context, row: context.links.to("audio-files", row.id) + "download/",
    json_schema.LINK,
    meaning="The link to download the recording.",
)


class AudioFileForm(Form):
    url: ClassVar = SelfLink("audio-files")
    name: Annotated[str, Text(150, 1)]
    """The name of the recording in lists."""
    audio_file: Annotated[Any, Wav(), DOWNLOAD]
    """The recording, as a part of a form (multipart/form-data)."""
    seconds: ClassVar = COLUMN
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> AudioFile:
    return context.recordings.create(owner_id, values["name"], values["audio_file"])


def change(context: RequestContext, row: AudioFile, values: Values) -> None:
    sound = values.pop("audio_file", None)
    context.recordings.change(row, values, sound)


def delete(context: RequestContext, row: AudioFile) -> None:
    context.recordings.remove(row)


def download(context: RequestContext, row: AudioFile, values: Values) -> Path:
    """Download the recording"""
    return context.recordings.path(row.digest)


AUDIO_FILE = Resource(
    name="audio-files",
    model=AudioFile,
    form=AudioFileForm,
    filters={"name": AudioFile.name},
    create=create,
    change=change,
    delete=delete,
    upload="audio_file",
    actions=(Action("download", "GET", download, media=WAV),),
)
