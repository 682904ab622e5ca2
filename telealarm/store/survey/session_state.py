"""What a survey session reads, and what it saves at each step so that another can continue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from telealarm import i18n
from telealarm.clock import utcnow
from telealarm.models import Alarm, Branching, CallRequest, Section, SurveyResult
from telealarm.models.survey import LAST
from telealarm.rules import phone, placeholders
from telealarm.sections.base import SectionType
from telealarm.store.alarms import eligibility
from telealarm.store.dialing.call_progress import detected
from telealarm.store.dialing.calls import Call, held, is_held, of
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import put
from telealarm.store.messages.template_values import values
from telealarm.store.outcome import apply, late_answers
from telealarm.store.survey import audio_files
from telealarm.store.survey.audio_files import Recording
from telealarm.store.webhooks import webhooks
from telealarm.words import AlarmResult, AmdBehavior, AmdStatus, Change, TimelineWord


@dataclass(frozen=True)
class ScriptSection:
    """A section, with the text to speak, or the recording to play instead.

    `wrong_key` is played after a wrong key, instead of our own prompt. `scripts`: the texts that
    the section's action may speak. `wordless`: the section asks for keys, but its script is empty
    because its placeholders have no values.
    """

    id: int
    kind: SectionType
    text: str
    recording: Recording | None
    wrong_key: Recording | None
    retries: int
    timeout_seconds: int
    branches: dict[str, int | None]
    completed: bool = False
    scripts: tuple[str, ...] = ()
    wordless: bool = False


@dataclass(frozen=True)
class Script:
    """The survey of a call, and where its session is (`at` None: the survey is over).

    `acting`: the section's action runs. `completed`: a section marked `completed` was reached.
    `confirms`: answers are read back. `values`: the values of the placeholders.
    """

    language: str
    sections: list[ScriptSection]
    at: int | None
    lap: int
    heard: bool
    playback: str
    answered: datetime | None
    owner: int
    acting: bool
    completed: bool
    confirms: bool
    # For an answering machine: a recording, or else a text and its language. Without both it hears
    # the survey's first prompt.
    voicemail: Recording | None = None
    voicemail_text: tuple[str, str] | None = None
    values: Mapping[str, object] = field(default_factory=dict)


def load(call: Call) -> Script:
    """Return the survey of `call`, its sections in order.

    Call it through the writer. So it includes what an earlier session has queued to be written.
    """
    return script(CallRequest.get_by_id(call.id))


def script(row: CallRequest) -> Script:
    """Return the survey of the call `row`."""
    alarm = row.alarm
    # The values at the time of the claim: so the prompts are those rendered before the call.
    placeholder_values = values(
        alarm,
        alarm.event,
        row.call_time,
        language=row.survey.tts_language,
        attempt=row.num_attempt,
    )
    branches: dict[int, dict[str, int | None]] = {}
    for branching in Branching.select().join(Section).where(Section.survey == row.survey_id):
        branches.setdefault(branching.section_id, {})[branching.keys] = branching.goto_id
    rows = Section.select().where(Section.survey == row.survey_id)
    sections = [
        _section(section, branches.get(section.id, {}), placeholder_values)
        for section in rows.order_by(Section.order, Section.id)
    ]
    first = sections[0].id if sections else None
    return Script(
        language=alarm.language or row.survey.tts_language,
        sections=sections,
        at=None if row.finished else (row.section_id or first),
        lap=row.lap,
        heard=row.heard,
        playback=row.playback,
        answered=row.answered,
        owner=row.owner_id,
        acting=row.acting,
        completed=row.completed,
        confirms=_confirms(alarm),
        voicemail=audio_files.of(row.voicemail_audiofile),
        voicemail_text=_voicemail_text(row),
        values=placeholder_values,
    )


def _section(
    section: Section, branches: dict[str, int | None], values: Mapping[str, object]
) -> ScriptSection:
    kind = section.kind
    text = placeholders.speakable(section.script, values)
    scripts = [placeholders.speakable(script, values) for script in kind.scripts()]
    return ScriptSection(
        id=section.id,
        kind=kind,
        text=text,
        recording=audio_files.of(section.audiofile),
        wrong_key=audio_files.of(section.invalid_audiofile),
        retries=section.retries,
        timeout_seconds=section.timeout,
        branches=branches,
        completed=section.completed,
        scripts=tuple(filter(None, scripts)),
        wordless=kind.answers() is not None
        and bool(section.script.strip())
        and not (text or section.audiofile_id),
    )


def who_answered(call: Call) -> AmdStatus | None:
    """Return who answered; None if that is not known."""
    row = held(call)
    return AmdStatus(row.amd_status) if row.amd_status else None


def message_left(call: Call) -> None:
    """Save that an answering machine has heard the whole message."""
    put(held(call), heard=True)
    record(
        call.alarm_id,
        TimelineWord.MESSAGE_LEFT,
        "on an answering machine",
        request_id=call.request_id,
    )


def enter(call: Call, section: int | None, lap: int) -> None:
    """Save that the session is in this section now; None: the survey is over."""
    _arrive(held(call), section, lap)


def acting(call: Call) -> None:
    """Save that the session runs its section's action, until it enters another section."""
    put(held(call), acting=True)


def playing(call: Call, playback: str) -> None:
    """Save that this playback begins. A worker that adopts the call can stop it."""
    put(held(call), playback=playback)


def heard(call: Call) -> None:
    """Save that the callee has heard the first prompt, to its end or until a key."""
    put(held(call), heard=True)


def keep(call: Call, section: int, response: str, *, rating: bool, following: int | None) -> bool:
    """Save an answer together with the section that follows it.

    If the survey counts the first rating, later ratings do not replace it. Return False if another
    worker has the call now: the answer counts, and the survey goes on there.
    """
    row = of(call)
    ours = is_held(row, call)
    alarm = row.alarm
    if row.amd_status and ours:
        detected(call, AmdStatus.PERSON, f"key {response}")
    last_counts = row.survey.rating_counts == LAST
    _put_result(row, section, response, {}, again=last_counts or not rating)
    if rating and (alarm.result == AlarmResult.NONE or (last_counts and row.result)):
        # A callee who asks for one more call has not answered yet.
        put(alarm, result=AlarmResult.NONE if response == alarm.snooze_key else int(response))
        put(row, result=response)
        if alarm.result:
            webhooks.tell(alarm, Change.RESULT, utcnow(), row.request)
            apply.settle_others(alarm, utcnow())
    if ours:
        _arrive(row, following, 0)
    record(call.alarm_id, TimelineWord.KEY, response, request_id=call.request_id)
    _win_late(row)
    return ours


def answer(row: CallRequest, section: int, response: str, **recorded: object) -> None:
    """Save the survey result of a section. `recorded`: file and length of a message."""
    _put_result(row, section, response, recorded)
    _win_late(row)


def _win_late(row: CallRequest) -> None:
    """Let an answer win that is saved after the outcome of its call."""
    if row.settled is not None:
        late_answers.settle(row, utcnow())


def _put_result(
    row: CallRequest,
    section: int,
    response: str,
    recorded: Mapping[str, object],
    *,
    again: bool = True,
) -> None:
    """Save a survey result. `again`: it replaces an earlier result of the call."""
    insert = SurveyResult.insert(call=row, section=section, response=response, **recorded)
    target = [SurveyResult.call, SurveyResult.section]
    if again:
        update = {"response": response, **recorded}
        insert.on_conflict(conflict_target=target, update=update).execute()
    else:
        insert.on_conflict(conflict_target=target, action="IGNORE").execute()


def speech_failed(call: Call, why: str) -> None:
    """Save that a prompt could not be rendered. The callee hears one of our own texts instead."""
    record(call.alarm_id, TimelineWord.SPEECH_FAILED, why, request_id=call.request_id)


def speech_late(call: Call, why: str) -> None:
    """Save that the call waited for its prompts."""
    record(call.alarm_id, TimelineWord.SPEECH_LATE, why, request_id=call.request_id)


def _arrive(row: CallRequest, section_id: int | None, lap: int) -> None:
    put(row, section=section_id, lap=lap, acting=False, finished=section_id is None)
    if section_id is None or row.completed:
        return
    section = Section.get_by_id(section_id)
    if section.completed:
        put(row, completed=True)
        what = section.question or f"section {section.order}"
        record(row.alarm_id, TimelineWord.COMPLETED, what, request_id=row.request_id)


def _voicemail_text(row: CallRequest) -> tuple[str, str] | None:
    """Return the neutral message for an answering machine, and its language.

    Return None if no such message is left, or if the calendar setting wants the survey's words.
    """
    setting = eligibility.setting_of(row.alarm)
    leaves = row.amd_behavior in (AmdBehavior.ALWAYS, AmdBehavior.VOICEMAIL_ONLY)
    if not leaves or row.voicemail_audiofile_id is not None:
        return None
    if setting is not None and setting.voicemail_survey:
        return None
    language = row.alarm.language or row.survey.tts_language
    return neutral_message(row.caller_name, row.callerid, language)


def neutral_message(caller_name: str, caller_id: str, language: str) -> tuple[str, str]:
    """Return who called and which number to ring back, in words, and their language."""
    name, number = caller_name.strip(), phone.clean(caller_id)
    parts = [word for word, text in (("name", name), ("number", number)) if text]
    which = "from_" + ("_and_".join(parts) or "nobody")
    text, spoken_in = i18n.spoken("voicemail", which, language)
    # The digits are read out one by one.
    return text.format(caller_name=name, number=" ".join(number.lstrip("+"))), spoken_in


def _confirms(alarm: Alarm) -> bool:
    setting = eligibility.setting_of(alarm)
    return bool(setting and setting.confirm_spoken)
