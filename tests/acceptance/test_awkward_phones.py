"""Callees who do not behave: they hang up at any moment, and press what and when they like."""

import asyncio
from dataclasses import dataclass, field

from tests.acceptance.conftest import Plug, Practice
from tests.acceptance.test_sections import (
    CHOICE,
    DIGITS,
    PLAY,
    RATES,
    RECORD,
    Answered,
    answered,
    sealed,
)
from tests.lab.behaviours import (
    Behaviour,
    answers_and_presses,
    answers_only,
    hangs_up_after,
    presses_by_info,
)
from tests.lab.rest import JSON, number_of
from tests.lab.speed import account, limit

SUCCESS, FAILURE = 5, 3


async def test_whenever_somebody_hangs_up_the_request_is_settled(
    practice: Practice, plug: Plug
) -> None:
    clinic = practice.clinic
    survey = await sealed(
        clinic.rest,
        {"type": PLAY, "script": "Good morning."},
        {"type": RECORD, "script": "Speak.", "recording_seconds": 1},
        RATES,
    )
    # As they pick up, in the greeting, between two prompts, in the message, and in the question.
    moments = (0.03, 0.2, 0.6, 1.0, 1.6, 2.2, 3.2, 4.5)

    async def hung_up(number: str, seconds: float) -> None:
        await plug(number, hangs_up_after(seconds))
        alarm = await clinic.appointment(number, survey=survey, maxretry=0)
        found = await answered(practice, alarm)
        said = f"{seconds}: {found}"
        assert found.alarm["status"] in (SUCCESS, FAILURE), said
        assert found.alarm["status_reason"] in ("", "early_hangup"), said
        assert (found.call["disposition"], found.call["hangup_cause"]) == ("ANSWER", 16), said
        assert found.call["answered"] and found.call["ended"], said
        (request,) = await clinic.rest.results(f"alarm-request/?alarm={number_of(alarm.alarm)}")
        assert request["status"] == found.alarm["status"], said
        assert request["callstatus"] == found.call["hangup_cause"], said
        assert found.words[-1] == ("result" if request["status"] == SUCCESS else "failure"), said

    numbers = map(str, range(701, 701 + len(moments)))
    await asyncio.gather(*map(hung_up, numbers, moments))
    assert "Traceback" not in practice.serve.log.read_text()


@dataclass(frozen=True)
class Case:
    """What is asked, how the phone behaves, and the answers that are kept then."""

    phone: Behaviour
    sections: list[JSON]
    responses: list[str]
    branches: dict[tuple[int, str], int | None] = field(default_factory=dict)
    result: int = 0


GREETS = {"type": PLAY, "script": "Good morning."}
CHOOSES = {"type": CHOICE, "script": "Which day?", "key_1": "Monday", "key_4": "Thursday"}
COUNTS = {"type": DIGITS, "script": "How many?", "number_digits": 4, "max_number": 9999}
CASES = {
    "before anything was said": Case(
        answers_and_presses("2", first_key=0.02), [RATES], ["2"], {}, 2
    ),
    "two keys at once": Case(presses_by_info("23", between=0.0), [RATES, RATES], ["2", "3"], {}, 2),
    "star, hash and others are no answers": Case(
        answers_and_presses("*#04", between=1.8), [CHOOSES], ["4"]
    ),
    "after the last prompt, while it gives up": Case(
        # Two seconds of question, one of waiting, three of goodbye.
        answers_and_presses("3", first_key=4.5),
        [{**RATES, "timeout": 1}],
        ["3"],
        {},
        3,
    ),
    "up to ten": Case(
        answers_and_presses("10", between=0.4),
        [{**RATES, "rating_laps": 10}],
        ["10"],
        {},
        10,
    ),
    "no time at all": Case(
        answers_and_presses("1123#", first_key=2.2, between=0.6),
        [{**COUNTS, "timeout": 0}],
        ["1123"],
    ),
    "exactly one number": Case(
        presses_by_info("1124" + "1123#", between=0.5),
        [{**COUNTS, "min_number": 1123, "max_number": 1123, "retries": 1}],
        ["1123"],
    ),
    "too much, and a digit taken back": Case(
        answers_and_presses("9999" + "7*1123#", first_key=1.5, between=0.6),
        [{**COUNTS, "max_number": 1500, "retries": 1}],
        ["1123"],
    ),
    "rated, sent back, and rated again": Case(
        answers_and_presses("1322", first_key=1.5, between=1.5),
        [RATES, CHOOSES | {"key_3": "again", "key_2": "done"}],
        ["1", "2"],
        {(1, "3"): 0, (1, "2"): None, (1, "any"): 0},
        1,
    ),
    "messages alone": Case(answers_only(), [GREETS, GREETS], []),
    "a message whose placeholder has no value": Case(
        answers_only(), [{**GREETS, "script": "{nothing}"}], []
    ),
    "a question whose placeholder has no value": Case(
        answers_and_presses("1", first_key=3.0), [{**RATES, "script": "{nothing}"}], ["1"], {}, 1
    ),
}


async def test_whatever_is_pressed_is_understood_or_refused(practice: Practice, plug: Plug) -> None:
    clinic = practice.clinic

    async def pressed(number: str, name: str, case: Case) -> None:
        survey = await sealed(clinic.rest, *case.sections, branches=case.branches)
        phone = await plug(number, case.phone)
        found = await answered(practice, await clinic.appointment(number, survey=survey))
        said = f"{name}: {found}, {await phone.events()}"
        assert found.responses == case.responses, said
        assert (found.alarm["status"], found.alarm["result"]) == (SUCCESS, case.result), said
        assert phone.heard.seconds_heard() > 0.5, said
        assert phone.heard.longest_silence() < limit(6), f"{said}; {account()}"
        assert_one_story(found)

    numbers = map(str, range(721, 721 + len(CASES)))
    await asyncio.gather(*map(pressed, numbers, CASES, CASES.values()))
    assert "Traceback" not in practice.serve.log.read_text()


def assert_one_story(found: Answered) -> None:
    """Alarm, call and timeline tell the same of the answers that were kept."""
    assert found.call["result"] == (str(found.alarm["result"]) if found.alarm["result"] else "")
    assert found.words.count("key") >= len(found.responses)
    assert found.words[-1] == "result"
