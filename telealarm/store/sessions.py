"""What a survey session reads, and what it keeps at each step so that another can go on."""

from dataclasses import dataclass
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.models import Branching, CallRequest, Section, SurveyResult
from telealarm.rules import placeholders
from telealarm.rules.states import AlarmResult
from telealarm.rules.webhook import Change
from telealarm.store import recordings, settlement, webhooks
from telealarm.store.calls import Call, held
from telealarm.store.change import put
from telealarm.store.recordings import Recording
from telealarm.store.timeline import tell
from telealarm.store.wording import values


@dataclass(frozen=True)
class ScriptSection:
    """A section, with the text as it is to be spoken, or what is played instead.

    `wrong_key` is played instead of our own words for a key that is not offered.
    """

    id: int
    type: int
    text: str
    recording: Recording | None
    wrong_key: Recording | None
    keys: frozenset[str]
    retries: int
    timeout_seconds: int
    branches: dict[str, int | None]


@dataclass(frozen=True)
class Script:
    """The survey of a call, and where its session is (`at` None: over)."""

    language: str
    sections: list[ScriptSection]
    at: int | None
    lap: int
    heard: bool
    playback: str
    answered: datetime | None


def load(call: Call) -> Script:
    """The survey of `call` in its sections' order. Read it through the writer, so that what an
    earlier session has queued is in it.
    """
    return script(CallRequest.get_by_id(call.id))


def script(row: CallRequest) -> Script:
    """The survey of the call as `row` has it."""
    alarm = row.alarm
    # As of the claim: what is spoken then is what was rendered before anybody was rung.
    said = values(
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
        ScriptSection(
            id=section.id,
            type=section.type,
            text=placeholders.fill(section.script, said),
            recording=recordings.of(section.audiofile),
            wrong_key=recordings.of(section.invalid_audiofile),
            keys=section.offered_keys(),
            retries=section.retries,
            timeout_seconds=section.timeout,
            branches=branches.get(section.id, {}),
        )
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
    )


def enter(call: Call, section: int | None, lap: int) -> None:
    """The session is in this section now; None: the survey is over."""
    put(held(call), section=section, lap=lap, finished=section is None)


def playing(call: Call, playback: str) -> None:
    """This playback is about to begin, so that whoever adopts the call can stop it."""
    put(held(call), playback=playback)


def heard(call: Call) -> None:
    """The callee has heard the first prompt, to its end or to a key."""
    put(held(call), heard=True)


def keep(call: Call, section: int, response: str, *, rating: bool, following: int | None) -> None:
    """An answer, and the section that follows it, in one. The first rating that counts stays."""
    row = held(call)
    SurveyResult.insert(call=row, section=section, response=response).on_conflict(
        conflict_target=[SurveyResult.call, SurveyResult.section],
        update={SurveyResult.response: response},
    ).execute()
    alarm = row.alarm
    if rating and alarm.result == AlarmResult.NONE:
        put(alarm, result=int(response))
        put(row, result=response)
        webhooks.tell(alarm, Change.RESULT, utcnow(), row.request)
        if alarm.result:
            settlement.settle_others(alarm, utcnow())
    put(row, section=following, lap=0, finished=following is None)
    tell(call.alarm_id, "key", response, request_id=call.request_id)


def speech_failed(call: Call, why: str) -> None:
    """A prompt could not be rendered; the callee hears a text of ours instead."""
    tell(call.alarm_id, "speech_failed", why, request_id=call.request_id)
