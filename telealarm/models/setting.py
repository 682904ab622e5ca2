"""How a manager's calendar users call: caller id, survey, gateways."""

from peewee import BooleanField, CharField, Field, ForeignKeyField, IntegerField, JSONField

from telealarm.models.account import User
from telealarm.models.audio import AudioFile
from telealarm.models.base import BaseModel, Key, OptionalKey, created
from telealarm.models.gateway import Gateway, SmsGateway
from telealarm.models.survey import Survey
from telealarm.words import AmdBehavior


class CalendarSetting(BaseModel):
    owner = ForeignKeyField(User)
    owner_id: Key
    label = CharField(max_length=80)
    callerid = CharField(max_length=80, default="")
    caller_name = CharField(max_length=80, default="")
    call_timeout = IntegerField(default=60)  # seconds of ringing
    survey = ForeignKeyField(Survey)
    survey_id: Key
    aleg_gateway = ForeignKeyField(Gateway)
    aleg_gateway_id: Key
    sms_gateway = ForeignKeyField(SmsGateway, null=True)
    sms_gateway_id: OptionalKey
    voicemail = BooleanField(default=False)
    amd_behavior = IntegerField(default=AmdBehavior.ALWAYS)
    voicemail_audiofile = ForeignKeyField(AudioFile, null=True)
    voicemail_audiofile_id: OptionalKey
    voicemail_survey = BooleanField(default=False)
    settle = BooleanField(default=True)
    calling_days = CharField(max_length=30, default="MO,TU,WE,TH,FR,SA,SU")
    holidays: "Field[list[str]]" = JSONField(default=list)
    # Codes like DE-BY, with commas between: their public holidays are holidays too.
    holidays_of = CharField(max_length=200, default="")
    snooze_minutes = IntegerField(default=10)
    callback_pin = BooleanField(default=False)
    confirm_spoken = BooleanField(default=False)
    # Nobody is called or written to without the person's consent.
    require_consent = BooleanField(default=False)
    failure_phonenumber = CharField(max_length=50, null=True)
    failure_e164 = CharField(max_length=20, null=True)
    # The region of phone numbers, like ES; null: the manager's.
    region = CharField(max_length=2, null=True)
    created_date = created()
    updated_date = created()

    # This is no column: store.access.visibility adds it to the selected rows.
    owner_name: str
