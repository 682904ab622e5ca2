"""How an SMS is counted, what a reply means, and signed links."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm import i18n
from telealarm.rules import phone, replies, short_sms, signed_links, sms_segments


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        # 152 septets and an escape that does not fit into the part.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
        ("ñÑäöüàéùìòÇØøÅå", "GSM-7", 1),
        ("á", "UCS-2", 1),
        ("ж" * 70, "UCS-2", 1),
        ("ж" * 71, "UCS-2", 2),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        # 67 units a part: 33 pairs, and none is split.
        ("😀" * 67, "UCS-2", 3),
        ("`", "UCS-2", 1),
    ],
)
def test_encoding_and_segments(text: str, encoding: str, segments: int) -> None:
    assert sms_segments.size(text) == sms_segments.Size(encoding, segments)


@given(st.text(max_size=3000), st.integers(1, 10))
def test_what_is_cut_is_a_beginning_that_fits(text: str, segments: int) -> None:
    kept = sms_segments.cut(text, segments)
    assert text.startswith(kept)
    assert sms_segments.size(kept).segments <= segments
    if sms_segments.size(text).segments <= segments:
        assert kept == text


# 3GPP TS 23.038 6.2.1: all of the default alphabet but the escape, and its extension.
GSM = "".join(
    [
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
        " !\"#¤%&'()*+,-./0123456789:;<=>?",
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§",
        "¿abcdefghijklmnopqrstuvwxyzäöñüà",
    ]
)
ESCAPED = "\f^{}\\[~]|€"


def test_the_alphabet_is_gsms_and_no_other_character_is() -> None:
    assert (len(GSM), len(ESCAPED)) == (127, 10)
    of_gsm = {chr(n) for n in range(0x10000) if sms_segments.size(chr(n)).encoding == "GSM-7"}
    assert of_gsm == set(GSM + ESCAPED)
    assert all(sms_segments.size(one * 160) == sms_segments.Size("GSM-7", 1) for one in GSM)
    assert all(
        sms_segments.size(one * 80 + "a") == sms_segments.Size("GSM-7", 2) for one in ESCAPED
    )


@given(st.one_of(st.text(max_size=800), st.text(GSM + ESCAPED, max_size=1600)))
def test_each_segment_holds_whole_characters_and_no_more_than_fit(text: str) -> None:
    segments = sms_segments.size(text).segments
    begun = ["", *(sms_segments.cut(text, n) for n in range(1, segments + 1))]
    parts = [after[len(before) :] for before, after in pairwise(begun)]
    assert "".join(parts) == text
    for part in parts:
        assert part or not text
        if sms_segments.size(text).encoding == "GSM-7":
            taken = len(part) + sum(one in ESCAPED for one in part)
            assert taken <= (160 if segments == 1 else 153)
        else:
            # A half of a pair could not be encoded.
            taken = len(part.encode("utf-16-be")) // 2
            assert taken <= (70 if segments == 1 else 67)


@pytest.mark.parametrize(
    ("text", "title", "filled"),
    [
        ("{title}: sábado", "Visita", "Visita: sábado"),  # one segment as it is
        (f"{'x' * 70} {{title}} “sábado”", "Visita", f'{"x" * 70} Visita "sabado"'),
        (f"{{title}}: {'x' * 130}", "A visit to the new doctor for the eyes", None),
        (f"{'x' * 53} {{title}}", "Приём: кабинет 12", None),
        ("x" * 200, "Visit", "x" * 200),  # nothing helps
    ],
)
def test_an_answer_is_made_short(text: str, title: str, filled: str | None) -> None:
    short = short_sms.fill(text, {"title": title})
    if filled:
        assert short == filled
    else:
        assert sms_segments.size(short).segments == 1
        assert f"{title[:8]}" in short and "..." in short


@pytest.mark.parametrize(
    ("text", "language", "meaning"),
    [
        ("1", None, "1"),
        ("1.", "en", "1"),
        ("Yes please", "en", "1"),
        ("SÍ", "es-MX", "1"),
        ("no", "en", "2"),
        ("Stop!", "de", "stop"),
        ("stopp", "de", "stop"),
        ("BAJA", "es", "stop"),
        ("1 or 2?", "en", None),
        ("yes, no", "en", None),
        ("not now", "en", None),
        ("10", "en", None),
        ("", "en", None),
        ("1\ufe0f\u20e3", "en", "1"),
        ("\uff11", "en", "1"),
        ("No, cancel", "en", "2"),
        ("D'accord, merci", "fr", "1"),
        ("sí, por favor", None, "1"),
        ("stop sending me this", "es", "stop"),
        # What begins a sentence says something else.
        ("No problem, see you then", "en", None),
        ("End of the month?", "en", None),
        ("J'ai un empêchement", "fr", None),
        ("O doutor não vem", "pt", None),
        ("O sea, no puedo", "es", None),
        ("Si possible mardi", "fr", None),
        ("Yes. No. 1", "en", None),
    ],
)
def test_what_a_reply_means(text: str, language: str | None, meaning: str | None) -> None:
    assert replies.meaning(text, language) == meaning


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_word_is_understood_by_those_whose_language_it_is(language: str) -> None:
    for key, words in replies.by_meaning(i18n.LANGUAGES[language].words).items():
        for word in words:
            for said in (word, word.upper(), f" {word}! "):
                assert replies.meaning(said, language) == key, said


def test_every_language_has_every_text() -> None:
    for one in i18n.LANGUAGES.values():
        assert [name for name in one.lacking if name.startswith("written.")] == []
        assert all(replies.by_meaning(one.words).values())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+34600100200", "0034600100200", True),
        ("+34600100200", "600100200", True),
        ("+34600100200", "+44600100200", False),
        ("+34600100200", "+34600100201", False),
        ("200", "600100200", False),
        ("12345678", "+4512345678", True),
        ("07911123456", "+447911123456", True),
        ("0612345678", "0033612345678", True),
        ("200", "200", True),
        ("", "", False),
    ],
)
def test_numbers_that_are_one(one: str, other: str, same: bool) -> None:
    assert phone.same(one, other) is phone.same(other, one) is same


def test_a_link_is_read_back_and_nothing_else_is() -> None:
    link = signed_links.Link("confirm", 31, datetime(2030, 1, 1, tzinfo=UTC))
    token = signed_links.token("secret", link)
    assert signed_links.read("secret", token) == link
    assert signed_links.read("another", token) is None
    told = signed_links.Link("unsubscribe", 31, link.expires, "añn@example.com")
    of_ann = signed_links.token("secret", told)
    assert signed_links.read("secret", of_ann) == told
    of_bob = of_ann.replace("añn".encode().hex(), b"bob".hex())
    assert signed_links.read("secret", of_bob) is None
    for wrong in ("", "-", "---", "----", "confirm-1f-0-", token + "0", token.upper(), "é-1-1-1"):
        assert signed_links.read("secret", wrong) is None
