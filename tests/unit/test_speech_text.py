"""What reaches a speech engine: words and punctuation, whatever was written."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm.survey.tts.speech import harmless, unaccented


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("<speak>Hi <break time='9s'/></speak>", "speak Hi break time='9s'/ /speak"),
        ("[[h@'loU]] \x1b[0m\x00", "h@'loU 0m"),
        ("Zu\u00adsammen\u202e, naïve\u2028Señor & Söhne", "Zusammen, naïve Señor & Söhne"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("half \ud800 a pair", "half a pair"),
        ("Hello " + "." * 500 + " you?!?!?!", "Hello ... you?!?"),
        ("\U0001f600" * 90 + "_" * 90, "\U0001f600" * 3),
        ("Z" + "\u0301" * 400 + "algo", "Z" + "\u0301" * 3 + "algo"),
        ("-w /etc/passwd --help", "-w /etc/passwd --help"),
        ("U.S.A., J. F. Kennedy, 3.5 p. m.", "U S A., J F. Kennedy, 3.5 p m."),
        ("a . " * 500, "a " * 499 + "a ."),
        ("\u200b\u2060\ufeff\u202e", ""),
    ],
)
def test_orders_to_the_engine_become_words(written: str, spoken: str) -> None:
    assert harmless(written) == spoken


@given(st.text(st.characters()))
def test_nothing_but_what_can_be_said(written: str) -> None:
    spoken = harmless(written)
    assert not set(spoken) & set("<>[]{}|\\^~`\n\x00")
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") for c in spoken)
    assert "  " not in spoken
    assert harmless(spoken) == spoken


def test_what_nobody_would_listen_to_is_cut() -> None:
    assert len(harmless("words " * 1_000_000)) == 4000


def test_names_keep_their_letters_where_an_engine_knows_english_ones_alone() -> None:
    assert unaccented("José Müller, Łukasz Groß") == "Jose Muller, Lukasz Gross"
