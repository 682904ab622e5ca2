"""Surveys (IVR): templates that are edited, and sealed copies that are called with."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, ModelSelect, TextField

from telealarm.models.account import User
from telealarm.models.audio import AudioFile
from telealarm.models.base import BaseModel, Key, OptionalKey, created
from telealarm.words import SectionType

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
    """A survey as it is written."""

    sections: "ModelSelect[SectionTemplate]"


class Survey(SurveyFields):
    """A sealed survey: a copy that never changes, so that every report means the same."""

    template = ForeignKeyField(SurveyTemplate, null=True, on_delete="SET NULL")
    template_id: OptionalKey
    sections: "ModelSelect[Section]"


class SectionFields(BaseModel):
    order = IntegerField()
    type = IntegerField()
    question = CharField(max_length=500, default="")
    script = TextField(default="")
    # Played instead of the script, and instead of our own words for a wrong key.
    audiofile = ForeignKeyField(AudioFile, null=True, backref="+")
    audiofile_id: OptionalKey
    invalid_audiofile = ForeignKeyField(AudioFile, null=True, backref="+")
    invalid_audiofile_id: OptionalKey
    retries = IntegerField(default=0)
    timeout = IntegerField(default=5)  # seconds
    key_0 = CharField(max_length=100, null=True)
    key_1 = CharField(max_length=100, null=True)
    key_2 = CharField(max_length=100, null=True)
    key_3 = CharField(max_length=100, null=True)
    key_4 = CharField(max_length=100, null=True)
    key_5 = CharField(max_length=100, null=True)
    key_6 = CharField(max_length=100, null=True)
    key_7 = CharField(max_length=100, null=True)
    key_8 = CharField(max_length=100, null=True)
    key_9 = CharField(max_length=100, null=True)
    rating_laps = IntegerField(default=9)
    validate_number = BooleanField(default=True)
    number_digits = IntegerField(default=2)
    min_number = IntegerField(default=0)
    max_number = IntegerField(default=99)
    recording_seconds = IntegerField(default=60)
    phonenumber = CharField(max_length=50, null=True)
    confirm_script = TextField(null=True)
    confirm_key = CharField(max_length=1, null=True)
    conference = CharField(max_length=50, null=True)
    sms_text = CharField(max_length=1000, null=True)
    completed = BooleanField(default=False)
    created_date = created()
    updated_date = created()

    @property
    def is_silent(self) -> bool:
        """Whether nothing is spoken or played when it is reached."""
        return not self.script.strip() and self.audiofile_id is None

    def offered_keys(self) -> frozenset[str]:
        """The keys that answer this section: of a rating 1 to rating_laps, else the labelled."""
        if self.type == SectionType.RATING:
            return frozenset(str(key) for key in range(1, self.rating_laps + 1))
        if self.type == SectionType.MULTI_CHOICE:
            return frozenset(key for key in "0123456789" if getattr(self, f"key_{key}"))
        return frozenset()


class SectionTemplate(SectionFields):
    survey = ForeignKeyField(SurveyTemplate, on_delete="CASCADE", backref="sections")
    survey_id: Key
    branchings: "ModelSelect[BranchingTemplate]"


class Section(SectionFields):
    survey = ForeignKeyField(Survey, backref="sections")
    survey_id: Key
    branchings: "ModelSelect[Branching]"


class BranchingTemplate(BaseModel):
    """From a section, by what was keyed (or `0`, `timeout`, `invalid`, `any`), to another."""

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
