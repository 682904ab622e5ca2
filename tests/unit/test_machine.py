"""The survey machine: what a callee meets, key by key."""

from telealarm.rules.states import SectionType
from telealarm.survey.machine import (
    GOODBYE,
    INVALID_KEY,
    NO_ANSWER,
    Enter,
    HangUp,
    Keep,
    Listen,
    Machine,
    Say,
    Section,
)

RATING = Section(1, SectionType.RATING, keys=frozenset("123"))


def play(section_id: int, **branches: int | None) -> Section:
    return Section(
        section_id,
        SectionType.PLAY_MESSAGE,
        branches={key.removeprefix("on_"): goto for key, goto in branches.items()},
    )


def test_a_key_in_the_prompt_is_kept_and_answered_with_goodbye() -> None:
    machine = Machine([RATING], 1)
    assert machine.begin() == [Enter(1, 0), Say(section=1)]
    assert machine.keyed("2") == [Keep(1, "2", True, None), Enter(None, 0), Say(text=GOODBYE)]
    assert machine.keyed("1") == []  # too late to change one's mind
    assert machine.heard() == [HangUp()]


def test_a_key_after_the_prompt_counts_as_well() -> None:
    machine = Machine([RATING], 1)
    machine.begin()
    assert machine.heard() == [Listen(5.0)]
    assert machine.keyed("1")[0] == Keep(1, "1", True, None)


def test_no_key_repeats_the_prompt_as_often_as_retries_say_and_then_says_so() -> None:
    machine = Machine([Section(1, SectionType.RATING, keys=frozenset("1"), retries=1)], 1)
    machine.begin()
    machine.heard()
    assert machine.timed_out() == [Enter(1, 1), Say(section=1)]
    machine.heard()
    assert machine.timed_out() == [Enter(None, 0), Say(text=NO_ANSWER)]
    assert machine.heard() == [HangUp()]


def test_a_key_not_offered_is_refused_and_another_may_follow() -> None:
    machine = Machine([RATING], 1)
    machine.begin()
    assert machine.keyed("7") == [Say(text=INVALID_KEY)]
    assert machine.heard() == [Listen(5.0)]
    assert machine.keyed("1")[0] == Keep(1, "1", True, None)


def test_with_retries_left_a_key_not_offered_repeats_the_prompt() -> None:
    machine = Machine([Section(1, SectionType.RATING, keys=frozenset("1"), retries=1)], 1)
    machine.begin()
    assert machine.keyed("*") == [Say(text=INVALID_KEY), Enter(1, 1), Say(section=1)]


def test_wrong_keys_without_end_do_not_hold_the_line() -> None:
    machine = Machine([RATING], 1)
    machine.begin()
    for _ in range(9):
        assert machine.keyed("9") == [Say(text=INVALID_KEY)]
    assert machine.keyed("9") == [Enter(None, 0), Say(text=NO_ANSWER)]


def test_branches_lead_by_key_any_invalid_and_timeout() -> None:
    section = Section(
        1,
        SectionType.MULTI_CHOICE,
        keys=frozenset("12"),
        branches={"1": 2, "any": 3, "invalid": 4, "timeout": 5},
    )
    sections = [section, *(play(n, on_0=None) for n in (2, 3, 4, 5))]

    def after(key: str) -> list[object]:
        machine = Machine(sections, 1)
        machine.begin()
        return list(machine.keyed(key))

    assert after("1") == [Keep(1, "1", False, 2), Enter(2, 0), Say(section=2)]
    assert after("2") == [Keep(1, "2", False, 3), Enter(3, 0), Say(section=3)]
    assert after("9") == [Enter(4, 0), Say(section=4)]
    machine = Machine(sections, 1)
    machine.begin()
    machine.heard()
    assert machine.timed_out() == [Enter(5, 0), Say(section=5)]


def test_sections_without_branching_follow_each_other_and_the_last_ends_the_call() -> None:
    machine = Machine([play(1), play(2)], 1)
    assert machine.begin() == [Enter(1, 0), Say(section=1)]
    assert machine.heard() == [Enter(2, 0), Say(section=2)]
    assert machine.heard() == [Enter(None, 0), HangUp()]


def test_a_section_with_branchings_of_which_none_fits_ends_the_call() -> None:
    section = Section(1, SectionType.RATING, keys=frozenset("12"), branches={"1": 2})
    machine = Machine([section, play(2)], 1)
    machine.begin()
    assert machine.keyed("2")[-1] == Say(text=GOODBYE)


def test_a_key_pressed_during_the_greeting_answers_the_question_that_follows() -> None:
    machine = Machine([play(9), RATING], 9)
    machine.begin()
    assert machine.keyed("1") == [
        Enter(1, 0),
        Keep(1, "1", True, None),
        Enter(None, 0),
        Say(text=GOODBYE),
    ]


def test_a_session_that_is_adopted_begins_in_its_section_and_lap() -> None:
    machine = Machine([play(9), RATING], 1, lap=2)
    assert machine.begin() == [Enter(1, 2), Say(section=1)]


def test_a_session_that_is_adopted_after_the_end_hangs_up() -> None:
    assert Machine([RATING], None).begin() == [Enter(None, 0), HangUp()]


def test_a_hang_up_section_says_its_words_and_ends() -> None:
    machine = Machine([Section(1, SectionType.HANG_UP)], 1)
    machine.begin()
    assert machine.heard() == [Enter(None, 0), HangUp()]
