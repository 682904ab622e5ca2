"""Surveys (IVR): templates that can be edited, and the sealed copies that calls use."""

from typing import Any

from peewee import (
    BooleanField,
    CharField,
    Field,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelSelect,
    TextField,
)

from telealarm import sections
from telealarm.models.account import User
from telealarm.models.audio import AudioFile
from telealarm.models.base import BaseModel, Key, OptionalKey, created
from telealarm.sections.base import SectionType

# Which of several ratings in one call becomes the alarm's result.
FIRST, LAST = "first", "last"


class SurveyFields(BaseModel):
    owner = ForeignKeyField(User)
    owner_id: Key
    name = CharField()
    tts_language = CharField(max_length=10, default="en")
    description = TextField(null=True)
    rating_counts = CharField(max_length=5, default=FIRST)
    created_date = created()
    updated_date = created()


class SurveyTemplate(SurveyFields):
    """A survey that can be edited."""

    sections: "ModelSelect[SectionTemplate]"


class Survey(SurveyFields):
    """A sealed survey: a copy that never changes, so that reports can be compared."""

    template = ForeignKeyField(SurveyTemplate, null=True, on_delete="SET NULL")
    template_id: OptionalKey
    sections: "ModelSelect[Section]"


class SectionFields(BaseModel):
    order = IntegerField()
    type = IntegerField()
    question = CharField(max_length=500, default="")
    script = TextField(default="")
    # Recordings that are played instead of the script, and instead of our text for a wrong key.
    audiofile = ForeignKeyField(AudioFile, null=True, backref="+")
    audiofile_id: OptionalKey
    invalid_audiofile = ForeignKeyField(AudioFile, null=True, backref="+")
    invalid_audiofile_id: OptionalKey
    retries = IntegerField(default=0)
    timeout = IntegerField(default=5)  # seconds
    # The fields of its type, and of other types if they were sent. Missing fields have defaults.
    settings: "Field[dict[str, Any]]" = JSONField(default=dict)
    completed = BooleanField(default=False)
    created_date = created()
    updated_date = created()

    @property
    def is_silent(self) -> bool:
        """Return whether the section has neither a script nor a recording."""
        return not self.script.strip() and self.audiofile_id is None

    @property
    def kind(self) -> SectionType:
        """Return the section with its type. Raises TeleAlarmError if the type is unknown."""
        return sections.of(self.type, self.settings)


class SectionTemplate(SectionFields):
    survey = ForeignKeyField(SurveyTemplate, on_delete="CASCADE", backref="sections")
    survey_id: Key
    branchings: "ModelSelect[BranchingTemplate]"


class Section(SectionFields):
    survey = ForeignKeyField(Survey, backref="sections")
    survey_id: Key
    branchings: "ModelSelect[Branching]"


class BranchingTemplate(BaseModel):
    """Leads from a section to another, by an answer or by `0`, `timeout`, `invalid` or `any`."""

    keys = CharField(max_length=100)
    section = ForeignKeyField(SectionTemplate, on_delete="CASCADE", backref="branchings")
    section_id: Key
    goto = ForeignKeyField(SectionTemplate, null=True, on_delete="CASCADE")  # null: end of call
    goto_id: OptionalKey
    created_date = created()
    updated_date = created()

    class Meta:
        indexes = ((("section", "keys"), True),)


class Branching(BaseModel):
    keys = CharField(max_length=100)
    section = ForeignKeyField(Section, backref="branchings")
    section_id: Key
    goto = ForeignKeyField(Section, null=True)
    goto_id: OptionalKey

    class Meta:
        indexes = ((("section", "keys"), True),)
