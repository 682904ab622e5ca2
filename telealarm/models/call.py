"""The call log: calls that were placed, and what was keyed."""

import uuid

from peewee import BooleanField, CharField, FloatField, ForeignKeyField, IntegerField

from telealarm.models.account import User
from telealarm.models.alarm import Alarm, AlarmRequest
from telealarm.models.audio import AudioFile
from telealarm.models.base import BaseModel, ClaimableModel, Key, OptionalKey, UtcField, created
from telealarm.models.gateway import Gateway
from telealarm.models.survey import Section, Survey
from telealarm.words import CallStatus


class CallRequest(ClaimableModel):
    """One channel. What it dials is copied here when the call is claimed, and then stands."""

    owner = ForeignKeyField(User)
    owner_id: Key
    request = ForeignKeyField(AlarmRequest, unique=True, backref="calls")
    request_id: Key
    alarm = ForeignKeyField(Alarm)
    alarm_id: Key
    request_uuid = CharField(max_length=36, default=lambda: str(uuid.uuid4()))
    aleg_uuid = CharField(max_length=80, unique=True)
    call_time = created()
    status = IntegerField(default=CallStatus.PENDING)
    callerid = CharField(max_length=80, default="")
    caller_name = CharField(max_length=80, default="")
    phone_number = CharField(max_length=80)
    dialled = CharField(max_length=140, default="")  # the number as the gateway dials it
    endpoint = CharField(max_length=600)  # what Asterisk is told to dial
    timeout = IntegerField(default=60)  # seconds of ringing
    timelimit = IntegerField(default=3600)  # seconds in all
    gateway = ForeignKeyField(Gateway)
    gateway_id: Key
    survey = ForeignKeyField(Survey)
    survey_id: Key
    num_attempt = IntegerField(default=1)
    last_attempt_time = UtcField(null=True)
    result = CharField(max_length=40, default="")
    hangup_cause = IntegerField(default=0)  # Q.850
    disposition = CharField(max_length=20, default="")
    amd_behavior = IntegerField(null=True)  # null: nobody asks who answers
    amd_status = IntegerField(default=0)
    voicemail_audiofile = ForeignKeyField(AudioFile, null=True)
    voicemail_audiofile_id: OptionalKey
    inbound = BooleanField(default=False)  # the callee rang back; this is the caller's channel
    rang = BooleanField(default=False)
    refused = BooleanField(default=False)  # by Asterisk: the gateway leads nowhere
    started = UtcField(null=True)
    answered = UtcField(null=True)
    ended = UtcField(null=True)
    settled = UtcField(null=True)
    # Its alarm was called off: hung up, if nobody has answered yet.
    withdrawn = UtcField(null=True)
    # Where the session is, for whoever adopts it. Null once the survey has come to its end.
    section = ForeignKeyField(Section, null=True)
    section_id: OptionalKey
    lap = IntegerField(default=0)
    acting = BooleanField(default=False)  # records, talks with an agent, is in a conference
    playback = CharField(max_length=120, default="")  # what plays, or has played last
    heard = BooleanField(default=False)  # the first prompt to its end
    completed = BooleanField(default=False)  # a section marked `completed` was reached
    finished = BooleanField(default=False)  # the survey ended, or the callee hung up

    class Meta:
        indexes = (
            (("ended", "settled"), False),
            (("ended", "dialled"), False),
            (("status", "worker"), False),
            (("owner", "id"), False),
            (("owner", "status", "id"), False),
            (("status", "id"), False),
            (("owner", "phone_number", "id"), False),
            (("phone_number", "id"), False),
            (("owner", "call_time", "id"), False),
            (("call_time", "id"), False),
        )


class SurveyResult(BaseModel):
    """What was answered in a section of a call."""

    call = ForeignKeyField(CallRequest, backref="results")
    call_id: Key
    section = ForeignKeyField(Section)
    section_id: Key
    response = CharField(max_length=100)
    # Of a recorded message: the name of its file, and how long it plays.
    record_file = CharField(max_length=64, default="")
    recording_duration = FloatField(default=0)  # seconds
    created_date = created()

    class Meta:
        indexes = ((("call", "section"), True),)
