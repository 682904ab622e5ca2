"""A person's number in all its forms, and texts that name the person."""

import json

import pytest

from telealarm.rules import person
from telealarm.rules.person import ERASED, Words

NUMBER = "+34 600 100 200"


@pytest.mark.parametrize(
    "text",
    [
        "+34600100200",
        "0034600100200",
        "34600100200",
        "600100200",
        "600 100 200",
        "+34 (600) 100-200",
        "+34.600.100.200",
        "tel:+34-600-10-02-00",
        "01134600100200",
        "PJSIP/+34600100200@trunk",
        "600\u00a0100\u00a0200",
    ],
)
def test_a_number_is_found_in_a_text_however_it_is_written(text: str) -> None:
    words = Words([person.forms(NUMBER, None)])
    said = words.blank(f"Ring {text}, please")
    assert said.endswith(", please") and "200" not in said and ERASED in said


@pytest.mark.parametrize("text", ["34600100201", "600100200999", "1600100200", "10:00 to 20:00"])
def test_other_digits_stay(text: str) -> None:
    assert Words([person.forms(NUMBER, None)]).blank(text) == text


def test_a_national_number_has_its_trunk_prefix_or_not() -> None:
    words = Words([person.forms("030 1234567", "DE")])
    for text in ("+49301234567", "0301234567", "030/1234567", "+49 (0)30 1234567", "030 123 45 67"):
        assert words.blank(text) == ERASED, text


def test_names_are_found_as_whole_words_in_any_case() -> None:
    words = Words([], ["Zoë Quagmire"])
    assert words.blank("For ZOË  quagmire's sister") == f"For {ERASED}'s sister"
    assert words.blank("Zoë Quagmires") == "Zoë Quagmires"


def test_json_stays_json() -> None:
    words = Words([person.forms(NUMBER, None)], ["Zoë Quagmire"])
    text = json.dumps({"a": ["Zoë Quagmire", 34600100200, 5], "600100200": True, "b": None})
    assert json.loads(words.blank(text)) == {"a": [ERASED, ERASED, 5], ERASED: True, "b": None}
    assert words.blank('{"a": 1}') == '{"a": 1}'


def test_an_extension_is_not_looked_for_in_texts() -> None:
    words = Words([person.forms("101", None)])
    assert (words.rough(), words.blank("room 101")) == ([], "room 101")


def test_nothing_to_look_for_finds_nothing() -> None:
    assert not Words().finds("anything")


@pytest.mark.parametrize("text", ["", "abc", "1.5e9"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        person.forms(text, "ES")


def test_names_come_from_the_data_of_an_event() -> None:
    data = {"name": "Zoë Quagmire", "doctor": "Dr House", "room": "1 2", "first_name": "Ann"}
    assert person.names_in(data) == ["Zoë Quagmire"]
    data = {"first_name": "Zoë", "last_name": "Quagmire"}
    assert person.names_in(data) == ["Zoë Quagmire", "Quagmire, Zoë", "Quagmire Zoë"]
    assert person.names_in(None) == []


def test_a_name_in_two_values_is_found() -> None:
    words = Words([], ["Zoë Quagmire"])
    named = {"first_name": "Zoë", "last_name": "Quagmire", "room": "Zoë"}
    assert words.blank_value({"x": [named]}) == {
        "x": [{"first_name": ERASED, "last_name": ERASED, "room": "Zoë"}]
    }
    other = {"first_name": "Zoë", "last_name": "Other"}
    assert words.blank_value(other) == other
