"""The call log: the calls that were placed, and their answers."""

import uuid

from peewee import SQL, BooleanField, CharField, FloatField, ForeignKeyField, IntegerField

from telealarm.models.account import User
from telealarm.models.alarm import Alarm, AlarmRequest
from telealarm.models.audio import AudioFile
from telealarm.models.base import BaseModel, ClaimableModel, Key, OptionalKey, UtcField, created
from telealarm.models.gateway import Gateway
from telealarm.models.survey import Section, Survey
from telealarm.words import CallStatus


class CallRequest(ClaimableModel):
    """One channel. The data for dialing are copied here at the claim, and never change after it."""

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
    endpoint = CharField(max_length=600)  # what Asterisk dials
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
    amd_behavior = IntegerField(null=True)  # null: AMD does not run
    amd_status = IntegerField(default=0)
    voicemail_audiofile = ForeignKeyField(AudioFile, null=True)
    voicemail_audiofile_id: OptionalKey
    inbound = BooleanField(default=False)  # the callee rang back: this is their channel
    rang = BooleanField(default=False)
    refused = BooleanField(default=False)  # Asterisk refused it: the gateway leads nowhere
    started = UtcField(null=True)
    answered = UtcField(null=True)
    ended = UtcField(null=True)
    # The number in E.164 form, if the call counts to the caps of a person; null: it does not.
    contact = CharField(max_length=20, null=True)
    settled = UtcField(null=True)
    # When its alarm was called off. The call is hung up if nobody has answered yet.
    withdrawn = UtcField(null=True)
    # Where the session is, for a worker that adopts the call; null: the survey has ended.
    section = ForeignKeyField(Section, null=True)
    section_id: OptionalKey
    lap = IntegerField(default=0)
    acting = BooleanField(default=False)  # the section's action runs, such as a recording
    playback = CharField(max_length=120, default="")  # as an earlier version wrote it
    heard = BooleanField(default=False)  # the callee has heard the first prompt
    completed = BooleanField(default=False)  # a section marked `completed` was reached
    finished = BooleanField(default=False)  # the survey ended, or the callee hung up
    hung_up = BooleanField(default=False)  # the callee hung up while this service was away

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
            (("owner", "disposition", "id"), False),
            (("disposition", "id"), False),
        )


CallRequest.add_index(
    CallRequest.index(
        CallRequest.contact, where=SQL("contact IS NOT NULL"), name="call_request_contact"
    )
)


class SurveyResult(BaseModel):
    """The answer in a section of a call."""

    call = ForeignKeyField(CallRequest, backref="results")
    call_id: Key
    section = ForeignKeyField(Section)
    section_id: Key
    response = CharField(max_length=100)
    # Of a recorded message: the name of its file, and its length.
    record_file = CharField(max_length=64, default="")
    recording_duration = FloatField(default=0)  # seconds
    created_date = created()

    class Meta:
        indexes = ((("call", "section"), True),)


# The recorded messages, which are few among the answers: to sum up their length.
SurveyResult.add_index(
    SurveyResult.index(
        SurveyResult.call, where=SQL("record_file <> ''"), name="survey_result_recorded"
    )
)
