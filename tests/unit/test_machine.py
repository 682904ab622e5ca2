"""The survey machine: what a callee meets, key by key."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from telealarm.rules.key_answers import ListedKeys, Number
from telealarm.rules.survey_graph import Flow
from telealarm.sections import section_types
from telealarm.sections.base import SectionType
from telealarm.sections.call_transfer import NO_AGENT, CallTransfer
from telealarm.sections.capture_digits import CaptureDigits
from telealarm.sections.conference import Conference
from telealarm.sections.context import ActionResult, Outcome
from telealarm.sections.do_not_call import DoNotCall
from telealarm.sections.hang_up import HangUp
from telealarm.sections.multi_choice import MultiChoice
from telealarm.sections.play_message import PlayMessage
from telealarm.sections.rating import Rating
from telealarm.sections.record_message import RecordMessage
from telealarm.survey.commands import (
    GOODBYE,
    INVALID_KEY,
    NO_ANSWER,
    Act,
    Command,
    EndCall,
    Enter,
    KeepAnswer,
    Listen,
    Say,
)
from telealarm.survey.ivr_step import IvrStep
from telealarm.survey.machine import Machine

DONE = ActionResult(Outcome.DONE)
NOTHING = ActionResult(Outcome.NOTHING)
FAILED = ActionResult(Outcome.FAILED)
# What a transfer comes to.
TAKEN = ActionResult(Outcome.DONE, ends_call=True, says=NO_AGENT)
NO_ONE = ActionResult(Outcome.NOTHING, says=NO_AGENT)
NO_LINE = ActionResult(Outcome.FAILED, says=NO_AGENT)


def step(section_id: int, kind: SectionType, **fields: Any) -> IvrStep:
    """A section of this type, as the machine gets it."""
    return IvrStep(section_id, flow=kind.flow, answers=kind.answers(), rates=kind.rates, **fields)


def rating(section_id: int, laps: int = 3, **fields: Any) -> IvrStep:
    return step(section_id, Rating(rating_laps=laps), **fields)


RATING = rating(1)
RATING_2 = rating(2)
SAY_2 = Say(section=2)


def play(section_id: int, **branches: int | None) -> IvrStep:
    return step(
        section_id,
        PlayMessage(),
        branches={key.removeprefix("on_"): goto for key, goto in branches.items()},
    )


def test_a_key_in_the_prompt_is_kept_and_answered_with_goodbye() -> None:
    machine = Machine([RATING], 1)
    assert machine.begin() == [Enter(1, 0), Say(section=1)]
    assert machine.keyed("2") == [KeepAnswer(1, "2", True, None), Enter(None, 0), Say(text=GOODBYE)]
    assert machine.keyed("1") == []  # too late to change one's mind
    assert machine.heard() == [EndCall()]


def test_a_key_after_the_prompt_counts_as_well() -> None:
    machine = Machine([RATING], 1)
    machine.begin()
    assert machine.heard() == [Listen(5.0)]
    assert machine.keyed("1")[0] == KeepAnswer(1, "1", True, None)


def test_no_key_repeats_the_prompt_as_often_as_retries_say_and_then_says_so() -> None:
    machine = Machine([rating(1, 1, retries=1)], 1)
    machine.begin()
    machine.heard()
    assert machine.timed_out() == [Enter(1, 1), Say(section=1)]
    machine.heard()
    assert machine.timed_out() == [Say(text=NO_ANSWER)]
    assert machine.heard() == [Enter(None, 0), EndCall()]


def test_a_key_that_comes_while_the_survey_gives_up_counts_yet() -> None:
    machine = Machine([RATING], 1)
    machine.begin()
    machine.heard()
    assert machine.timed_out() == [Say(text=NO_ANSWER)]
    assert machine.keyed("9") == machine.keyed("#") == []  # no answer: it is said on
    assert machine.keyed("1")[0] == KeepAnswer(1, "1", True, None)
    assert machine.keyed("2") == []


def test_a_number_that_comes_while_the_survey_gives_up_is_waited_for() -> None:
    machine = Machine([capture()], 1)
    machine.begin()
    machine.heard()
    assert machine.timed_out() == [Say(text=NO_ANSWER)]
    assert machine.keyed("1") == [Listen(5.0)]
    assert machine.timed_out()[0] == KeepAnswer(1, "1", False, None)


def test_a_key_not_offered_is_refused_and_another_may_follow() -> None:
    machine = Machine([RATING], 1)
    machine.begin()
    assert machine.keyed("7") == [Say(text=INVALID_KEY)]
    assert machine.heard() == [Listen(5.0)]
    assert machine.keyed("1")[0] == KeepAnswer(1, "1", True, None)


def test_with_retries_left_a_key_not_offered_repeats_the_prompt() -> None:
    machine = Machine([rating(1, 1, retries=1)], 1)
    machine.begin()
    assert machine.keyed("*") == [Say(text=INVALID_KEY), Enter(1, 1), Say(section=1)]


def test_wrong_keys_without_end_do_not_hold_the_line() -> None:
    machine = Machine([RATING], 1)
    machine.begin()
    for _ in range(9):
        assert machine.keyed("9") == [Say(text=INVALID_KEY)]
    assert machine.keyed("9") == [Say(text=NO_ANSWER)]
    assert machine.keyed("1") == []
    assert machine.heard() == [Enter(None, 0), EndCall()]


def test_branches_lead_by_key_any_invalid_and_timeout() -> None:
    section = step(
        1,
        MultiChoice(key_1="yes", key_2="no"),
        branches={"1": 2, "any": 3, "invalid": 4, "timeout": 5},
    )
    sections = [section, *(play(n, on_0=None) for n in (2, 3, 4, 5))]

    def after(key: str) -> list[object]:
        machine = Machine(sections, 1)
        machine.begin()
        return list(machine.keyed(key))

    assert after("1") == [KeepAnswer(1, "1", False, 2), Enter(2, 0), Say(section=2)]
    assert after("2") == [KeepAnswer(1, "2", False, 3), Enter(3, 0), Say(section=3)]
    assert after("9") == [Enter(4, 0), Say(section=4)]
    machine = Machine(sections, 1)
    machine.begin()
    machine.heard()
    assert machine.timed_out() == [Enter(5, 0), Say(section=5)]


def test_sections_without_branching_follow_each_other_and_the_last_ends_the_call() -> None:
    machine = Machine([play(1), play(2)], 1)
    assert machine.begin() == [Enter(1, 0), Say(section=1)]
    assert machine.heard() == [Enter(2, 0), Say(section=2)]
    assert machine.heard() == [Enter(None, 0), EndCall()]


def test_a_section_with_branchings_of_which_none_fits_ends_the_call() -> None:
    section = rating(1, 2, branches={"1": 2})
    machine = Machine([section, play(2)], 1)
    machine.begin()
    assert machine.keyed("2")[-1] == Say(text=GOODBYE)


def test_a_key_pressed_during_the_greeting_answers_the_question_that_follows() -> None:
    machine = Machine([play(9), RATING], 9)
    machine.begin()
    assert machine.keyed("1") == [
        Enter(1, 0),
        KeepAnswer(1, "1", True, None),
        Enter(None, 0),
        Say(text=GOODBYE),
    ]


def test_a_session_that_is_adopted_begins_in_its_section_and_lap() -> None:
    machine = Machine([play(9), RATING], 1, lap=2)
    assert machine.begin() == [Enter(1, 2), Say(section=1)]


def test_a_session_that_is_adopted_after_the_end_hangs_up() -> None:
    assert Machine([RATING], None).begin() == [Enter(None, 0), EndCall()]


def test_a_hang_up_section_says_its_words_and_ends() -> None:
    machine = Machine([step(1, HangUp())], 1)
    machine.begin()
    assert machine.heard() == [Enter(None, 0), EndCall()]


def capture(
    section_id: int = 1,
    digits: int = 4,
    low: int | None = None,
    high: int | None = None,
    **fields: Any,
) -> IvrStep:
    limits = {"validate_number": False} if low is None else {"min_number": low, "max_number": high}
    return step(section_id, CaptureDigits(number_digits=digits, **limits), **fields)


def keyed(machine: Machine, keys: str) -> list[Command]:
    said: list[Command] = []
    for key in keys:
        said = machine.keyed(key) or said
    return said


def test_a_number_ends_at_the_hash_and_keeps_its_zeros() -> None:
    machine = Machine([capture(digits=8)], 1)
    machine.begin()
    assert machine.keyed("0") == [Listen(5.0)]
    assert keyed(machine, "07#")[0] == KeepAnswer(1, "007", False, None)


def test_a_number_is_complete_at_its_length_and_swallows_the_hash_that_follows() -> None:
    machine = Machine([capture(), RATING_2], 1)
    machine.begin()
    assert keyed(machine, "1123")[0] == KeepAnswer(1, "1123", False, 2)
    assert machine.keyed("#") == []
    assert machine.keyed("#") == [Say(text=INVALID_KEY)]


def test_a_star_begins_a_number_anew() -> None:
    machine = Machine([capture()], 1)
    machine.begin()
    assert keyed(machine, "99*1123")[0] == KeepAnswer(1, "1123", False, None)


def test_a_number_without_a_hash_counts_when_nothing_more_comes() -> None:
    machine = Machine([capture()], 1)
    machine.begin()
    machine.keyed("7")
    assert machine.timed_out()[0] == KeepAnswer(1, "7", False, None)


def test_a_number_out_of_range_is_refused() -> None:
    machine = Machine([capture(low=10, high=20, retries=1)], 1)
    machine.begin()
    assert keyed(machine, "21#") == [Say(text=INVALID_KEY), Enter(1, 1), Say(section=1)]
    assert machine.keyed("#") == [Say(text=INVALID_KEY)]  # no number at all
    assert keyed(machine, "0012")[0] == KeepAnswer(1, "0012", False, None)


def test_a_number_may_be_keyed_ahead_of_its_question() -> None:
    machine = Machine([play(9), capture(1), RATING_2], 9)
    machine.begin()
    assert machine.keyed("1") == [Enter(1, 0), Listen(5.0)]
    assert keyed(machine, "1#")[0] == KeepAnswer(1, "11", False, 2)


def test_a_number_may_be_exactly_one_or_of_a_single_digit() -> None:
    exact = capture(low=1123, high=1123)
    for keys, kept in (("1123", True), ("1124", False), ("123#", False)):
        machine = Machine([exact], 1)
        machine.begin()
        assert isinstance(keyed(machine, keys)[0], KeepAnswer) is kept, keys
    single = Machine([capture(digits=1), RATING_2], 1)
    single.begin()
    assert single.keyed("*") == [Listen(5.0)]
    assert single.keyed("0")[0] == KeepAnswer(1, "0", False, 2)


def test_a_number_that_is_not_checked_may_be_any() -> None:
    machine = Machine([capture(digits=50)], 1)
    machine.begin()
    assert keyed(machine, "0" * 50)[0] == KeepAnswer(1, "0" * 50, False, None)


def test_what_is_no_digit_is_no_part_of_a_number() -> None:
    machine = Machine([capture()], 1)
    machine.begin()
    assert keyed(machine, "1A") == [Say(text=INVALID_KEY)]
    assert keyed(machine, "1123")[0] == KeepAnswer(1, "1123", False, None)


def test_a_number_leads_where_its_branching_says() -> None:
    machine = Machine([capture(branches={"1123": 2, "any": None}), RATING_2], 1)
    machine.begin()
    assert keyed(machine, "1123")[0] == KeepAnswer(1, "1123", False, 2)


def test_answers_are_spoken_back() -> None:
    machine = Machine([RATING], 1, confirms=True)
    machine.begin()
    assert machine.keyed("2") == [
        KeepAnswer(1, "2", True, None),
        Say(section=1, answer="2"),
        Enter(None, 0),
        Say(text=GOODBYE),
    ]


def test_a_recording_follows_its_script_and_a_key_skips_the_script() -> None:
    machine = Machine([step(1, RecordMessage()), RATING_2], 1)
    machine.begin()
    assert machine.keyed("1") == [Act(1)]
    assert machine.done(DONE) == [Enter(2, 0), Say(section=2)]


def test_who_says_nothing_may_try_again() -> None:
    machine = Machine([step(1, RecordMessage(), retries=1), RATING_2], 1)
    machine.begin()
    assert machine.heard() == [Act(1)]
    assert machine.done(NOTHING) == [Enter(1, 1), Say(section=1)]
    machine.heard()
    assert machine.done(NOTHING) == [Enter(2, 0), Say(section=2)]


def test_who_asks_not_to_be_called_is_put_on_the_list_before_a_word_is_said() -> None:
    machine = Machine([step(1, DoNotCall())], 1)
    assert machine.begin() == [Enter(1, 0), Act(1)]
    assert machine.keyed("5") == []  # nothing stops it
    assert machine.done(DONE) == [Say(section=1)]
    assert machine.heard() == [Enter(None, 0), EndCall()]


def test_a_transfer_that_was_taken_ends_the_call_unless_the_survey_goes_on() -> None:
    for branches, after in (({}, [Enter(None, 0), EndCall()]), ({"0": 2}, [Enter(2, 0), SAY_2])):
        machine = Machine([step(1, CallTransfer(), branches=branches), RATING_2], 1)
        machine.begin()
        assert machine.heard() == [Act(1)]
        assert machine.done(TAKEN) == after


def test_where_nobody_takes_a_call_the_callee_is_told_and_the_survey_goes_on() -> None:
    for branches in ({}, {"0": 2}, {"timeout": 2}, {"timeout": 2, "0": None}):
        machine = Machine([step(1, CallTransfer(), branches=branches), RATING_2], 1)
        machine.begin()
        machine.heard()
        assert machine.done(NO_ONE) == [Say(text=NO_AGENT), Enter(2, 0), SAY_2]


def test_a_key_pressed_while_the_agent_rings_answers_what_comes_next() -> None:
    machine = Machine([step(1, CallTransfer()), RATING_2], 1)
    machine.begin()
    machine.heard()
    assert machine.keyed("3") == []
    assert machine.done(NO_LINE)[:3] == [
        Say(text=NO_AGENT),
        Enter(2, 0),
        KeepAnswer(2, "3", True, None),
    ]


def test_whoever_adopts_a_talk_goes_on_with_it_and_repeats_what_else_was_done() -> None:
    transfer = step(1, CallTransfer())
    assert Machine([transfer], 1, acting=True).begin() == [Act(1)]
    assert Machine([RATING], 1, acting=True).begin() == [Enter(1, 0), Say(section=1)]


def test_a_survey_that_goes_in_a_circle_comes_to_an_end() -> None:
    machine = Machine([play(1, on_0=1)], 1)
    commands = machine.begin()
    for _ in range(1000):
        if EndCall() in commands:
            return
        commands = machine.heard()
    raise AssertionError("it goes on for ever")


def rating_up_to(laps: int, **fields: Any) -> IvrStep:
    return rating(1, laps, **fields)


def test_a_rating_up_to_ten_waits_for_a_second_digit_where_one_may_follow() -> None:
    for keys, rating in (("7", "7"), ("10", "10"), ("1#", "1"), ("*9", "9"), ("1*2", "2")):
        machine = Machine([rating_up_to(10)], 1)
        machine.begin()
        assert keyed(machine, keys)[0] == KeepAnswer(1, rating, True, None), keys
    machine = Machine([rating_up_to(10)], 1)
    machine.begin()
    assert machine.keyed("1") == [Listen(5.0)]
    assert machine.timed_out()[0] == KeepAnswer(1, "1", True, None)


def test_a_rating_beyond_its_end_is_refused_at_once() -> None:
    for keys in ("0", "11", "#"):
        machine = Machine([rating_up_to(10)], 1)
        machine.begin()
        assert keyed(machine, keys) == [Say(text=INVALID_KEY)], keys
    machine = Machine([rating_up_to(25)], 1)
    machine.begin()
    assert keyed(machine, "3")[0] == KeepAnswer(1, "3", True, None)  # thirty is too much


def test_a_rating_of_two_digits_may_be_keyed_ahead() -> None:
    machine = Machine([play(9), rating_up_to(10)], 9)
    machine.begin()
    assert machine.keyed("1") == [Enter(1, 0), Listen(5.0)]
    assert machine.keyed("0")[0] == KeepAnswer(1, "10", True, None)


def test_a_hash_after_an_answer_belongs_to_it() -> None:
    machine = Machine([RATING, RATING_2], 1)
    machine.begin()
    assert machine.keyed("1")[:2] == [KeepAnswer(1, "1", True, 2), Enter(2, 0)]
    assert machine.keyed("#") == []
    assert machine.keyed("#") == [Say(text=INVALID_KEY)]
    assert machine.keyed("#") == [Say(text=INVALID_KEY)]


def test_a_choice_has_the_labelled_keys_alone() -> None:
    for key in "023456789*#":
        machine = Machine([step(1, MultiChoice(key_1="yes"))], 1)
        machine.begin()
        assert machine.keyed(key) == [Say(text=INVALID_KEY)], key


def test_two_keys_at_once_are_one_answer_each_or_one_number() -> None:
    machine = Machine([RATING, RATING_2], 1)
    machine.begin()
    assert keyed(machine, "12") == [
        KeepAnswer(2, "2", True, None),
        Enter(None, 0),
        Say(text=GOODBYE),
    ]
    machine = Machine([RATING], 1)
    machine.begin()
    assert machine.keyed("1")[0] == KeepAnswer(1, "1", True, None)
    assert machine.keyed("2") == []


def test_a_timeout_of_nothing_leaves_time_to_press_a_key() -> None:
    machine = Machine([rating(1, 1, timeout_seconds=0)], 1)
    machine.begin()
    assert machine.heard() == [Listen(1.0)]
    machine = Machine([capture(timeout_seconds=0)], 1)
    machine.begin()
    assert machine.keyed("1") == [Listen(2.0)]


def test_a_rating_that_is_asked_again_is_kept_again_and_the_rows_say_which_counts() -> None:
    again = rating(1, branches={"3": 1, "any": None, "timeout": 1})
    machine = Machine([again], 1)
    machine.begin()
    assert machine.keyed("3") == [KeepAnswer(1, "3", True, 1), Enter(1, 0), Say(section=1)]
    machine.heard()
    assert machine.timed_out() == [Enter(1, 0), Say(section=1)]
    assert machine.keyed("2")[0] == KeepAnswer(1, "2", True, None)


def test_a_wrong_key_may_lead_back_to_the_question_and_still_comes_to_an_end() -> None:
    circle = rating(1, 1, branches={"invalid": 1})
    machine = Machine([circle], 1)
    said = machine.begin()
    for _ in range(1000):
        if Enter(None, 0) in said:
            return
        said = machine.keyed("9")
    raise AssertionError("it goes on for ever")


def test_any_stands_for_whatever_has_no_branching_of_its_own() -> None:
    for kind, how in (
        (RecordMessage(), NOTHING),
        (RecordMessage(), DONE),
        (CallTransfer(), TAKEN),
        (CallTransfer(), NO_ONE),
        (Conference(), FAILED),
    ):
        machine = Machine([step(1, kind, branches={"any": 2}), play(9), RATING_2], 1)
        machine.begin()
        machine.heard()
        assert machine.done(how)[-2:] == [Enter(2, 0), SAY_2], (kind, how)
    machine = Machine([play(1, on_any=2), play(9), RATING_2], 1)
    machine.begin()
    assert machine.heard() == [Enter(2, 0), SAY_2]


def test_silence_is_no_key_that_any_stands_for() -> None:
    question = rating(1, 1, branches={"any": 2})
    machine = Machine([question, RATING_2], 1)
    machine.begin()
    machine.heard()
    assert machine.timed_out() == [Say(text=NO_ANSWER)]


def test_a_message_alone_is_said_and_ends_whatever_is_keyed() -> None:
    machine = Machine([play(1)], 1)
    machine.begin()
    assert machine.keyed("*") == [Enter(None, 0), EndCall()]
    assert machine.keyed("1") == []


def test_the_first_of_two_keys_in_the_greeting_answers_and_the_second_the_next_question() -> None:
    machine = Machine([play(9), RATING, RATING_2], 9)
    machine.begin()
    assert keyed(machine, "12")[0] == KeepAnswer(2, "2", True, None)


def test_keys_while_a_message_is_recorded_or_an_agent_rings_are_not_lost() -> None:
    machine = Machine([step(1, RecordMessage()), RATING_2, capture(3)], 1)
    machine.begin()
    machine.heard()
    assert keyed(machine, "2" + "1123") == []
    assert [c for c in machine.done(DONE) if isinstance(c, KeepAnswer)] == [
        KeepAnswer(2, "2", True, 3),
        KeepAnswer(3, "1123", False, None),
    ]


KEYS = st.sampled_from("0123456789*#ABCD")
GOTOS = st.sampled_from([None, 0, 1, 2])
WAYS = st.sampled_from(["0", "1", "any", "timeout", "invalid", "12"])
HOWS = st.sampled_from([TAKEN, NO_ONE, NO_LINE, FAILED, NOTHING, DONE])
ANSWERS = st.builds(
    ListedKeys, st.frozensets(st.sampled_from([*"1234567890", "10", "12", "33"]), max_size=5)
) | st.builds(
    Number,
    st.integers(1, 5),
    st.none() | st.integers(0, 50),
    st.none() | st.integers(50, 99),
)
# How the types go, whatever answers those take that ask.
KINDS = st.sampled_from(
    sorted({(kind.flow, kind.rates) for kind in section_types().values()}, key=str)
)
SECTIONS = st.lists(
    st.builds(
        lambda kind, answers, retries, branches: IvrStep(
            id=0,
            flow=kind[0],
            rates=kind[1],
            answers=answers if kind[0] is Flow.ASK else None,
            retries=retries,
            branches=branches,
        ),
        KINDS,
        ANSWERS,
        st.integers(0, 3),
        st.dictionaries(WAYS, GOTOS, max_size=4),
    ),
    min_size=3,
    max_size=3,
).map(lambda made: [replace(section, id=place) for place, section in enumerate(made)])


@settings(max_examples=400, deadline=None)
@given(
    sections=SECTIONS,
    keys=st.lists(st.none() | KEYS, max_size=60),
    hows=st.lists(HOWS, min_size=1, max_size=20),
    confirms=st.booleans(),
)
def test_whatever_happens_it_is_never_silent_and_ends(
    sections: list[IvrStep], keys: list[str | None], hows: list[str], confirms: bool
) -> None:
    """Each answer of the machine ends in something that is heard, waited for, done, or the end;
    when the callee presses no more keys, it hangs up.
    """
    machine = Machine(sections, 0, confirms=confirms)
    commands, pressed = machine.begin(), iter(keys)
    kept = 0
    for step in range(4000):
        assert commands, "the session would wait for ever"
        last = commands[-1]
        assert isinstance(last, Say | Listen | Act | EndCall), last
        kept += sum(isinstance(command, KeepAnswer) for command in commands)
        if isinstance(last, EndCall):
            assert kept <= len(keys)
            return
        key = next(pressed, None)
        cut = machine.keyed(key) if key is not None else []
        if cut:
            commands = cut
        elif isinstance(last, Act):
            commands = machine.done(hows[step % len(hows)])
        elif isinstance(last, Listen):
            commands = machine.timed_out()
        else:
            commands = machine.heard()
    raise AssertionError("it goes on for ever")
