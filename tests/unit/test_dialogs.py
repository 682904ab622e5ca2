"""The dialogues of the doors: whatever is keyed, they end, and never in silence."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm import i18n
from telealarm.rules import phone
from telealarm.rules import wakeup as rule
from telealarm.rules.wakeup import Booked
from telealarm.store.dialing.call_back import CallBack
from telealarm.survey.inbound.callback import CheckPin, FindAlarm, callback
from telealarm.survey.inbound.dialog import Ask, Dialog, Phrase, Speak, Step
from telealarm.survey.inbound.wakeup import CancelWakeup, FindWakeup, KeepWakeup, order

AT_SEVEN = Booked(datetime(2030, 6, 3, 7, 30), daily=False)
EVERY_DAY = Booked(datetime(2030, 6, 3, 7, 30), daily=True)
MADRID = ZoneInfo("Europe/Madrid")
# More steps than anybody takes.
MOST = 60


def held(
    dialogue: Dialog[Any], keyed: Sequence[str], booked: Booked | None = None, **came: Any
) -> tuple[list[Step], Any]:
    """The steps of a dialogue in which these keys are pressed when asked, and how it ended.

    Where none are left, none are pressed.
    """
    keys, steps, sent = iter(keyed), [], None
    while True:
        try:
            step = dialogue.send(sent)
        except StopIteration as end:
            return steps, end.value
        steps.append(step)
        assert len(steps) < MOST, "it does not end"
        sent = None
        if isinstance(step, Ask):
            sent = next(keys, "")
        elif isinstance(step, FindWakeup):
            sent = booked
        elif isinstance(step, KeepWakeup):
            sent = Booked(datetime.combine(datetime(2030, 6, 3), step.clock), step.daily)
            sent = None if came.get("refused") else sent
        elif isinstance(step, FindAlarm):
            sent = came.get("found")
        elif isinstance(step, CheckPin):
            sent = step.keyed == "4711"


def door(room: str = "105", **options: Any) -> Dialog[None]:
    return order(room, **({"operator": False, "twelve": False, "language": "en"} | options))


def orders(steps: list[Step]) -> list[Step]:
    return [step for step in steps if isinstance(step, KeepWakeup | CancelWakeup)]


def last(steps: list[Step]) -> str:
    """The name of what was said last."""
    said = steps[-1]
    assert isinstance(said, Speak), f"it ends in silence, after {said}"
    return said.phrases[-1].name


def test_a_guest_orders_a_call_for_once_or_every_day() -> None:
    steps, _ = held(door(), ["0730", "1", "1"])
    assert orders(steps) == [KeepWakeup("105", time(7, 30), daily=False)]
    assert last(steps) == "kept_once"
    steps, _ = held(door(), ["1915", "2", "1"])
    assert orders(steps) == [KeepWakeup("105", time(19, 15), daily=True)]
    assert last(steps) == "kept_daily"


def test_the_time_is_read_back_and_may_be_keyed_again() -> None:
    steps, _ = held(door(), ["0730", "1", "2", "0800", "1", "1"])
    heard = [step.phrases[0] for step in steps if isinstance(step, Ask) and len(step.phrases) > 1]
    assert heard == [Phrase("once", {"time": "7:30 AM"}), Phrase("once", {"time": "8:00 AM"})]
    assert orders(steps) == [KeepWakeup("105", time(8), daily=False)]


def test_a_clock_of_twelve_hours_asks_which_half_is_meant() -> None:
    steps, _ = held(door(twelve=True), ["0730", "2", "1", "1"])
    assert orders(steps) == [KeepWakeup("105", time(19, 30), daily=False)]
    steps, _ = held(door(twelve=True), ["1930", "1200", "1", "1", "1"])
    assert orders(steps) == [KeepWakeup("105", time(0, 0), daily=False)]


def test_what_is_booked_can_be_heard_changed_and_cancelled() -> None:
    steps, _ = held(door(), ["3"], AT_SEVEN)
    assert isinstance(steps[1], Ask)
    assert steps[1].phrases[0] == Phrase("have_once", {"day": "Monday, June 3", "time": "7:30 AM"})
    assert orders(steps) == [CancelWakeup("105")]
    assert last(steps) == "wakeup-cancelled"
    steps, _ = held(door(), ["2", "0800", "1", "1"], AT_SEVEN)
    assert orders(steps) == [KeepWakeup("105", time(8), daily=False)]
    # Who hears it and hangs up, or says nothing, keeps it.
    steps, _ = held(door(), [], AT_SEVEN)
    assert orders(steps) == []


def test_a_daily_one_is_told_as_such_and_changed_in_its_place() -> None:
    steps, _ = held(door(), ["2", "0815", "2", "1"], EVERY_DAY)
    assert isinstance(steps[1], Ask)
    assert steps[1].phrases[0] == Phrase("have_daily", {"time": "7:30 AM"})
    assert orders(steps) == [KeepWakeup("105", time(8, 15), daily=True)]
    # 1 is not offered there: neither the old one nor another is kept by it.
    steps, _ = held(door(), ["1", "1", "1"], EVERY_DAY)
    assert (orders(steps), last(steps)) == ([], "no-answer")


@pytest.mark.parametrize("keys", ["2400", "2460", "1260", "7", "07", "9999", "73", "0760"])
def test_what_is_no_time_is_said_to_be_none_and_asked_for_again(keys: str) -> None:
    steps, _ = held(door(), [keys, "0730", "1", "1"])
    assert [step.phrases[0].name for step in steps if isinstance(step, Speak)] == [
        "wakeup-wrong-time",
        "kept_once",
    ]
    assert orders(steps) == [KeepWakeup("105", time(7, 30), daily=False)]
    steps, _ = held(door(), [keys] * 3)
    assert (orders(steps), last(steps)) == ([], "no-answer")


@pytest.mark.parametrize(
    ("keys", "clock"),
    [("0000", time(0, 0)), ("2359", time(23, 59)), ("730", time(7, 30)), ("000", time(0, 0))],
)
def test_the_edges_of_the_day_are_times(keys: str, clock: time) -> None:
    assert orders(held(door(), [keys, "1", "1"])[0]) == [KeepWakeup("105", clock, daily=False)]


@pytest.mark.parametrize(
    ("keys", "half", "clock"),
    [
        ("1200", "1", time(0, 0)),
        ("1200", "2", time(12, 0)),
        ("0100", "2", time(13, 0)),
        ("730", "1", time(7, 30)),
        ("1159", "2", time(23, 59)),
    ],
)
def test_noon_and_midnight_on_a_clock_of_twelve_hours(keys: str, half: str, clock: time) -> None:
    steps, _ = held(door(twelve=True), [keys, half, "1", "1"])
    assert orders(steps) == [KeepWakeup("105", clock, daily=False)]


@pytest.mark.parametrize("keys", ["0000", "0030", "1300", "1930", "0060"])
def test_what_no_clock_of_twelve_hours_shows_is_no_time(keys: str) -> None:
    steps, _ = held(door(twelve=True), [keys] * 3)
    assert (orders(steps), last(steps)) == ([], "no-answer")


def test_an_operator_names_the_room() -> None:
    steps, _ = held(door(room="9", operator=True), ["412", "0600", "1", "1"])
    assert orders(steps) == [KeepWakeup("412", time(6), daily=False)]
    # Not even by saying nothing is the operator's own phone meant.
    assert orders(held(door(room="9", operator=True), ["", "", "", "0600", "1", "1"])[0]) == []


def test_a_guest_without_a_number_and_a_refused_call_are_told_so() -> None:
    assert last(held(door(room=""), [])[0]) == "wakeup-refused"
    assert last(held(door(), ["0730", "1", "1"], refused=True)[0]) == "wakeup-refused"


def texts(group: str) -> dict[str, dict[str, str]]:
    """What the doors say, by language: of those that are spoken."""
    spoken = {
        code: language.spoken.model_dump()[group]
        for code, language in i18n.LANGUAGES.items()
        if not language.lacking
    }
    assert {"en", "es", "de", "fr"} <= spoken.keys()
    return spoken


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("group", ["wake_up", "prompts", "read_back", "failure"])
def test_every_language_has_every_text_with_the_same_values(group: str) -> None:
    by_language = texts(group)
    values = {
        language: {name: values_in(text) for name, text in said.items()}
        for language, said in by_language.items()
    }
    assert len(values) > 1
    assert all(one == values["en"] for one in values.values())


KEYS = st.lists(st.text("0123456789*#", max_size=5), max_size=40)


@given(KEYS, st.booleans(), st.booleans(), st.sampled_from([None, AT_SEVEN]))
def test_any_keys_end_in_words_and_a_hang_up(
    keys: list[str], operator: bool, twelve: bool, booked: Booked | None
) -> None:
    steps, _ = held(door(operator=operator, twelve=twelve), keys, booked)
    assert last(steps)
    assert len(orders(steps)) <= 1
    asked = [phrase for step in steps if isinstance(step, Ask | Speak) for phrase in step.phrases]
    for phrase in asked:
        said = texts("wake_up" if phrase.values else "prompts")["en"][phrase.name]
        assert values_in(said) == set(phrase.values)


@given(st.text("0123456789*#", max_size=6), st.sampled_from([None, False, True]))
def test_any_keys_are_a_time_of_day_or_none(keys: str, afternoon: bool | None) -> None:
    clock = rule.parse(keys, afternoon=afternoon)
    if clock is not None:
        assert int(keys) % 100 == clock.minute
        assert afternoon is None or (clock.hour >= 12) == afternoon


def next_time(clock: time, now: str) -> str:
    """When the wall of Madrid reads `clock` after `now` (UTC)."""
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    return rule.following(clock, at, MADRID).isoformat()


def test_the_next_such_time_is_today_or_tomorrow() -> None:
    assert next_time(time(7, 32), "2030-06-03 05:30") == "2030-06-03T07:32:00"
    assert next_time(time(7, 30), "2030-06-03 05:30") == "2030-06-04T07:30:00"
    assert next_time(time(0, 0), "2030-06-03 22:10") == "2030-06-05T00:00:00"


def test_the_next_such_time_in_the_nights_in_which_the_clock_changes() -> None:
    # 2030-03-31: from 02:00 to 03:00, at 01:00 UTC. What is skipped is rung later by that.
    assert next_time(time(2, 30), "2030-03-31 00:59") == "2030-03-31T02:30:00"
    assert next_time(time(2, 30), "2030-03-31 01:10") == "2030-04-01T02:30:00"
    assert next_time(time(7, 0), "2030-03-30 22:00") == "2030-03-31T07:00:00"
    # 2030-10-27: from 03:00 to 02:00, at 01:00 UTC. It is 02:10 for the first time, ...
    assert next_time(time(2, 30), "2030-10-27 00:10") == "2030-10-27T02:30:00"
    # ... and for the second, and a guest who keys 0230 is not rung for a moment that has passed.
    assert next_time(time(2, 30), "2030-10-27 01:10") == "2030-10-27T01:30:00+00:00"
    assert next_time(time(2, 30), "2030-10-27 00:45") == "2030-10-27T01:30:00+00:00"
    assert next_time(time(2, 30), "2030-10-27 01:45") == "2030-10-28T02:30:00"


FREE, GUARDED = (CallBack(7, "Visit", "en", asks_pin) for asks_pin in (False, True))


def test_a_caller_is_known_by_the_number_or_by_a_pin() -> None:
    assert held(callback("601"), [], found=FREE)[1] == 7
    assert held(callback("601"), ["1", "4711"], found=GUARDED)[1] == 7
    steps, answered = held(callback("601"), ["1", "2", "3", "4711"], found=GUARDED)
    assert answered is None
    assert last(steps) == "goodbye"


def test_a_withheld_number_is_asked_for() -> None:
    steps, answered = held(callback(""), ["601", "4711"], found=GUARDED)
    assert (steps[1], answered) == (FindAlarm("601", keyed=True), 7)
    steps, answered = held(callback(""), [])
    assert (last(steps), answered) == ("no-answer", None)


@given(KEYS, st.sampled_from(["", "601"]), st.sampled_from([None, FREE, GUARDED]))
def test_whoever_rings_back_hears_something(
    keys: list[str], number: str, found: CallBack | None
) -> None:
    steps, answered = held(callback(number), keys, found=found)
    assert answered == 7 or last(steps)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("+34 600 100 200", "+34600100200"),
        ("(0034) 600-100.200", "0034600100200"),
        ("105", "105"),
        ("*105", "*105"),
        ("", ""),
        ("anonymous", ""),
        ("Restricted", ""),
        ("unavailable", ""),
        ("DAD", ""),
        ("+", ""),
        ("0000000000", ""),
        ("600100200;cpc=x", ""),
        ("${SHELL(id)}", ""),
        ("1" * 41, ""),
        ("\u0661\u0662\u0663", "123"),
    ],
)
def test_a_caller_id_is_a_number_or_withheld(said: str, number: str) -> None:
    assert phone.caller(said) == number
