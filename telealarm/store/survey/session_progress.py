"""What happens in survey sessions, written as it happens: another worker can go on there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telealarm.clock import utcnow
from telealarm.models import Alarm, CallRequest, SurveyResult
from telealarm.models.survey import LAST
from telealarm.store.dialing.call_progress import HELD_BY, change, detected, held_among
from telealarm.store.dialing.calls import Call, held, is_held
from telealarm.store.engine import read_cache
from telealarm.store.engine.prepared import Prepared, given_rows, insertion
from telealarm.store.engine.timeline import Entry, record, record_all
from telealarm.store.engine.together import together
from telealarm.store.engine.transition import put, put_all
from telealarm.store.outcome import apply, call_rows, late_answers, sources
from telealarm.store.webhooks import webhooks
from telealarm.words import AlarmResult, AmdStatus, Change, TimelineWord


def message_left(call: Call) -> None:
    """Save that an answering machine has heard the whole message."""
    put(held(call), heard=True)
    record(
        call.alarm_id,
        TimelineWord.MESSAGE_LEFT,
        "on an answering machine",
        request_id=call.request_id,
    )


@together
def enter(steps: Sequence[tuple[Call, int | None, int, str]]) -> Sequence[None]:
    """Save that the session is in this section now, in this lap; None: the survey is over.

    The last text is what the timeline says of a section that is marked `completed`; else empty.
    """
    change(
        _ENTER,
        [call for call, *_ in steps],
        [(section, lap, section is None) for _, section, lap, _ in steps],
    )
    _complete([(call, what) for call, _, _, what in steps if what])
    return [None] * len(steps)


@together
def acting(steps: Sequence[tuple[Call]]) -> Sequence[None]:
    """Save that the session runs its section's action, until it enters another section."""
    change(_ACTING, [call for (call,) in steps])
    return [None] * len(steps)


@together
def heard(steps: Sequence[tuple[Call]]) -> Sequence[None]:
    """Save that the callee has heard the first prompt, to its end or until a key."""
    change(_HEARD, [call for (call,) in steps])
    return [None] * len(steps)


@dataclass(frozen=True)
class Answer:
    """A key, or several, that answered a section.

    `rating`: it may become the alarm's result. `following`: the next section; None: the end.
    `completes`: what `enter` gets for that section.
    """

    section: int
    response: str
    rating: bool
    following: int | None
    completes: str = ""


@together
def keep(steps: Sequence[tuple[Call, Answer]]) -> Sequence[bool]:
    """Save answers, each together with the section that follows it: its prompt was heard.

    If the survey counts the first rating, later ratings do not replace it. False: another worker
    has the call now; the answer counts, and the survey goes on there.
    """
    now = utcnow()
    with read_cache.remembering():
        rows = call_rows.whole([call.id for call, _ in steps])
        answers = [(rows[call.id], call, answer) for call, answer in steps]
        for row, call, answer in answers:
            if row.amd_status and is_held(row, call):
                detected(call, AmdStatus.PERSON, f"key {answer.response}")
        _put_results([(row, answer) for row, _, answer in answers])
        _rate([(row, answer) for row, _, answer in answers if answer.rating], now)
        ours = [(row, call, answer) for row, call, answer in answers if is_held(row, call)]
        ours = [(row, call, answer) for row, call, answer in answers if is_held(row, call)]
        put_all([row for row, _, _ in ours], [_place(row, answer) for row, _, answer in ours])
        others = [row for row, call, _ in answers if not is_held(row, call)]
        put_all(others, [{"result": row.result} for row in others])
        _complete([(call, answer.completes) for _, call, answer in ours if answer.completes])
        record_all(
            Entry(call.alarm_id, TimelineWord.KEY, answer.response, call.request_id)
            for _, call, answer in answers
        )
        for row, _, _ in answers:
            _win_late(row)
    return [is_held(row, call) for row, call, _ in answers]


def _replaces(row: CallRequest, answer: Answer) -> bool:
    """Return whether the answer replaces an earlier one to the same section."""
    return row.survey.rating_counts == LAST or not answer.rating


def _place(row: CallRequest, answer: Answer) -> dict[str, object]:
    """Return the columns of a call that an answer changes: its result, and where the survey is."""
    following = answer.following
    place = {"section": following, "lap": 0, "acting": False, "finished": following is None}
    return {**place, "result": row.result, "heard": True}


def _rate(rated: Sequence[tuple[CallRequest, Answer]], now: datetime) -> None:
    """Let ratings become the results of their alarms. `keep` saves that of the call."""
    counting = []
    for row, answer in rated:
        last_counts = row.survey.rating_counts == LAST
        if row.alarm.result == AlarmResult.NONE or (last_counts and row.result):
            counting.append((row, answer))
    put_all(
        [row.alarm for row, _ in counting],
        [{"result": _result(row.alarm, answer)} for row, answer in counting],
    )
    for row, answer in counting:
        row.result = answer.response
    answered = [row for row, _ in counting if row.alarm.result]
    for row in answered:
        webhooks.tell(row.alarm, Change.RESULT, now, row.request)
    for alarm in sources.answered([row.alarm for row in answered], now):
        apply.settle_others(alarm, now)


def _result(alarm: Alarm, answer: Answer) -> int:
    """Return the result of the alarm. A callee who asks for one more call has not answered yet."""
    return AlarmResult.NONE if answer.response == alarm.snooze_key else int(answer.response)


def answer(row: CallRequest, section: int, response: str, **recorded: object) -> None:
    """Save the survey result of a section. `recorded`: file and length of a message."""
    _put_result(row, section, response, recorded)
    _win_late(row)


def _win_late(row: CallRequest) -> None:
    """Let an answer win that is saved after the outcome of its call."""
    if row.settled is not None:
        late_answers.settle(row, utcnow())


def _put_results(answers: Sequence[tuple[CallRequest, Answer]]) -> None:
    """Save answers as survey results."""
    now = utcnow()
    for query, replaces in ((_REPLACE, True), (_ADD, False)):
        query.run(
            results=[
                (row.id, answer.section, answer.response, "", 0.0, now)
                for row, answer in answers
                if _replaces(row, answer) is replaces
            ]
        )


_RESULT = (SurveyResult.call, SurveyResult.section)


def _inserted() -> Any:
    return insertion(
        "results",
        *(*_RESULT, SurveyResult.response, SurveyResult.record_file),
        *(SurveyResult.recording_duration, SurveyResult.created_date),
    )


_REPLACE = Prepared(
    SurveyResult,
    lambda: _inserted().on_conflict(conflict_target=_RESULT, preserve=[SurveyResult.response]),
)
_ADD = Prepared(
    SurveyResult, lambda: _inserted().on_conflict(conflict_target=_RESULT, action="IGNORE")
)


def _put_result(
    row: CallRequest, section: int, response: str, recorded: Mapping[str, object]
) -> None:
    """Save the survey result of a section. It replaces an earlier one of the call."""
    insert = SurveyResult.insert(call=row, section=section, response=response, **recorded)
    update = {"response": response, **recorded}
    insert.on_conflict(conflict_target=list(_RESULT), update=update).execute()


def speech_failed(call: Call, why: str) -> None:
    """Save that a prompt could not be rendered. The callee hears one of our own texts instead."""
    record(call.alarm_id, TimelineWord.SPEECH_FAILED, why, request_id=call.request_id)


def speech_late(call: Call, why: str) -> None:
    """Save that the call waited for its prompts."""
    record(call.alarm_id, TimelineWord.SPEECH_LATE, why, request_id=call.request_id)


def _complete(reached: Sequence[tuple[Call, str]]) -> None:
    """Mark calls whose session reached a section marked `completed`, once."""
    if reached:
        new = change(_COMPLETE, [call for call, _ in reached])
        record_all(
            Entry(call.alarm_id, TimelineWord.COMPLETED, what, call.request_id)
            for call, what in reached
            if call.id in new
        )


def _update(*columns: Any, only: Any = None, **constants: object) -> Prepared[CallRequest]:
    """Return an update of calls that are held: of these columns, and to these constants.

    `only`: which calls it changes.
    """

    def build() -> Any:
        steps = given_rows("steps", *HELD_BY, *columns)
        given = {column: getattr(steps.c, column.column_name) for column in columns}
        fixed = {getattr(CallRequest, name): value for name, value in constants.items()}
        update = CallRequest.update({**given, **fixed}).from_(steps).with_cte(steps)
        update = update.where(held_among(steps)).returning(CallRequest.id)
        return update if only is None else update.where(only)

    return Prepared(CallRequest, build)


_ENTER = _update(CallRequest.section, CallRequest.lap, CallRequest.finished, acting=False)
_ACTING = _update(acting=True)
_HEARD = _update(heard=True)
_COMPLETE = _update(completed=True, only=CallRequest.completed == False)  # noqa: E712 - SQL
