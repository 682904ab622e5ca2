"""What somebody types finds a row: words by their beginning, numbers in any form."""

import pytest

from telealarm.rules import search_terms


def finds(question: str, *, texts: tuple[str, ...] = (), number: str = "") -> bool:
    """Whether a row with these texts and this number has all that the question asks for."""
    terms = search_terms.of_texts(texts) | search_terms.of_number(number)
    sought = search_terms.sought(question)
    return bool(sought) and all(
        any(first <= term < end for term in terms for first, end in one.ranges) for one in sought
    )


@pytest.mark.parametrize(
    "question", ["ana", "ANA", "Áná", "gar", "garcía ana", "GARCI a", "  ana   g ", "a.garcia"]
)
def test_words_are_found_by_their_beginning_without_case_and_accents(question: str) -> None:
    assert finds(question, texts=("Visita de Ana García",))


@pytest.mark.parametrize("question", ["rcia", "ana lopez", "garcias", "vis ana x"])
def test_all_words_must_begin_so(question: str) -> None:
    assert not finds(question, texts=("Visita de Ana García",))


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Straße", "strasse"),
        ("Ørsted", "orsted"),
        ("Łukasz", "lukasz"),
        ("ﬁsh", "fish"),
        ("Ἀθήνα", "αθηνα"),
        ("Ёлка", "елка"),
        ("İstanbul", "istanbul"),
        ("o'neill-smith", "smith o neill"),
        ("x" * 500, "x" * 40),
        ("電話予約", "電話"),
    ],
)
def test_words_of_any_language(text: str, question: str) -> None:
    assert finds(question, texts=(text,))


@pytest.mark.parametrize(
    "question",
    [
        "+34600123456",
        "0034600123456",
        "34 600 12 34 56",
        "600123456",
        "600 123-456",
        "(600) 123 456",
        "123456",
        "0123456",
        "+34 600.123.456",
    ],
)
def test_a_number_is_found_in_any_form_and_by_its_last_six_digits(question: str) -> None:
    assert finds(question, number="+34600123456")


def test_a_number_without_its_country_is_found_by_the_whole_one() -> None:
    for written in ("600123456", "0600123456"):
        assert finds("+34600123456", number=written)
        assert finds("0034 600 123 456", number=written)


@pytest.mark.parametrize("question", ["600123", "123457", "+35600123456", "2345", "4600123456 7"])
def test_another_number_is_not_found(question: str) -> None:
    assert not finds(question, number="+34600123456")


def test_a_word_and_a_number_together() -> None:
    row = {"texts": ("Ana García",), "number": "+34600123456"}
    assert finds("ana 600 123 456", **row)  # type: ignore[arg-type]
    assert not finds("eva 600 123 456", **row)  # type: ignore[arg-type]


def test_short_numbers_and_numbers_in_texts_are_words() -> None:
    assert finds("101", number="101")
    assert finds("room 101", texts=("Room 101",))
    assert finds("2030", texts=("Order 20301122",))
    assert finds("20301122", texts=("Order 20301122",))
    assert finds("123456", texts=("+34 600 123 456",))  # a value of the event's data


@pytest.mark.parametrize("question", ["", "   ", "%", "_", "%_%", "'; --", "\x00", "+", "()", "*"])
def test_a_question_without_a_word_asks_for_nothing(question: str) -> None:
    assert search_terms.sought(question) == []


def test_a_question_of_many_words_is_refused_and_a_row_of_many_words_is_cut() -> None:
    with pytest.raises(ValueError, match="at most 8 words"):
        search_terms.sought(" ".join(f"word{n}" for n in range(9)))
    assert len(search_terms.sought("a " * 5000)) == 1
    assert len(search_terms.of_texts([" ".join(f"w{n}" for n in range(5000))])) == 100


def test_the_data_of_an_event_is_found_at_any_depth_that_people_use() -> None:
    data = {
        "name": "Ana",
        "pets": [{"name": "Rex"}],
        "age": 44,
        "vip": True,
        "x": {"y": {"z": {"q": "deep"}}},
    }
    assert set(search_terms.of_data(data)) == {"Ana", "Rex", "44"}
