"""What a survey session reads: its script, and where an earlier session of the call has come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from telealarm import i18n
from telealarm.models import Alarm, CallRequest, Section
from telealarm.rules import phone, placeholders
from telealarm.sections.base import SectionType
from telealarm.store.alarms import eligibility
from telealarm.store.dialing.calls import Call, held
from telealarm.store.engine import read_cache, recipients
from telealarm.store.engine.together import together
from telealarm.store.messages.template_values import values
from telealarm.store.outcome import call_rows
from telealarm.store.survey import audio_files, sealed
from telealarm.store.survey.audio_files import Recording
from telealarm.words import AmdBehavior, AmdStatus


@dataclass(frozen=True)
class ScriptSection:
    """A section, with the text to speak, or the recording to play instead.

    `wrong_key` is played after a wrong key, instead of our own prompt. `scripts`: the texts that
    the section's action may speak. `wordless`: the section asks for keys, but its script is empty
    because its placeholders have no values. `completes`: what the timeline says if it is marked
    `completed`; else empty.
    """

    id: int
    kind: SectionType
    text: str
    recording: Recording | None
    wrong_key: Recording | None
    retries: int
    timeout_seconds: int
    branches: dict[str, int | None]
    completes: str = ""
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


@together
def load(steps: Sequence[tuple[Call]]) -> Sequence[Script]:
    """Return the survey of each call, its sections in order.

    Call it through the writer. So it includes what an earlier session has queued to be written.
    """
    with read_cache.remembering():
        rows = call_rows.whole([call.id for (call,) in steps])
        return [script(rows[call.id]) for (call,) in steps]


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
    sections = [
        _section(section, branches, placeholder_values)
        for section, branches in sealed.outline(row.survey)
    ]
    first = sections[0].id if sections else None
    return Script(
        language=recipients.language(alarm) or row.survey.tts_language,
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
        completes=_completes(section),
        scripts=tuple(filter(None, scripts)),
        wordless=kind.answers() is not None
        and bool(section.script.strip())
        and not (text or section.audiofile_id),
    )


def _completes(section: Section) -> str:
    """Return what the timeline says of a section that is marked `completed`; else empty."""
    return (section.question or f"section {section.order}") if section.completed else ""


def who_answered(call: Call) -> AmdStatus | None:
    """Return who answered; None if that is not known."""
    row = held(call)
    return AmdStatus(row.amd_status) if row.amd_status else None


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
    language = recipients.language(row.alarm) or row.survey.tts_language
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
