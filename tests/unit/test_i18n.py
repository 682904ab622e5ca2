"""The language files: each says all that English says, with the same values, or says so."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml

from telealarm import i18n
from telealarm.errors import LanguageError
from telealarm.i18n.loader import load
from telealarm.rules import sms_segments, spoken_dates

FOLDER = Path(i18n.__file__).parent / "languages"
CODES = sorted(path.stem for path in FOLDER.glob("*.yml"))


def content(code: str) -> dict[str, Any]:
    """The file, as anybody's reader of YAML takes it."""
    read: dict[str, Any] = yaml.safe_load((FOLDER / f"{code}.yml").read_text("utf-8"))
    return read


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text by its name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}" if name else key)
    elif name != "clock" and not name.startswith("words."):
        yield name, value


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_file_is_a_language() -> None:
    assert list(i18n.LANGUAGES) == CODES
    assert {"de", "en", "es", "fr", "it", "pt"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_language_says_all_that_is_written_and_all_or_none_that_is_spoken(code: str) -> None:
    texts, english = dict(flat(content(code))), dict(flat(content("en")))
    spoken_texts = {name for name in english if name.startswith("spoken.")}
    missing = english.keys() - texts.keys()
    assert missing in (set(), spoken_texts)
    assert i18n.LANGUAGES[code].lacking == missing
    assert code not in ("de", "en", "es", "fr") or not missing
    for name, text in texts.items():
        assert text.strip() == text, name
        assert placeholders(text) == placeholders(english[name]), name


@pytest.mark.parametrize("code", CODES)
def test_a_language_has_words_of_its_own_for_every_answer(code: str) -> None:
    words = content(code)["words"]
    assert words.keys() == content("en")["words"].keys()
    known = [word for key in words if key != "only_alone" for word in words[key]]
    assert all(isinstance(word, str) for word in known)
    assert set(words["only_alone"]) <= set(known)


@pytest.mark.parametrize("code", ["de", "en", "es", "fr"])
def test_the_bad_news_is_short(code: str) -> None:
    """One SMS, whose number and title are of usual length."""
    values = {"alarm_phonenumber": "+34600100200", "num_attempt": "12", "title": "Physiotherapy"}
    for text in i18n.LANGUAGES[code].written.failure.model_dump().values():
        assert sms_segments.size(text.format(**values)) == sms_segments.Size("GSM-7", 1)


def test_a_language_is_found_by_its_code_and_english_where_there_is_none() -> None:
    for language, code in (("es", "es"), ("es-MX", "es"), ("ES", "es"), ("tlh", "en"), ("", "en")):
        assert (i18n.of(language).code, i18n.code(language)) == (code, code)
    assert i18n.of(None).code == "en"


def test_what_a_language_lacks_is_spoken_in_english() -> None:
    assert i18n.spoken("failure", "room", "de-AT") == (
        "Zimmer {room} hat den Weckruf nicht beantwortet.",
        "de-AT",
    )
    english = "Room {room} did not answer its wake-up call."
    assert i18n.spoken("failure", "room", "en-GB") == (english, "en-GB")
    for language in ("it", "tlh"):
        assert i18n.spoken("failure", "room", language) == (english, "en")
    assert i18n.spoken("prompts", "goodbye", "it") == ("Thank you. Goodbye.", "en")


def languages(folder: Path, text: str, name: str = "nl.yml") -> dict[str, Any]:
    """What is loaded of English and this file."""
    (folder / "en.yml").write_bytes((FOLDER / "en.yml").read_bytes())
    (folder / name).write_text(text, encoding="utf-8")
    return dict(load(folder))


def test_a_file_may_lack_texts(tmp_path: Path) -> None:
    dutch = languages(tmp_path, 'words: {confirm: [ja, no, "1e"]}\nwritten: {mail: {cancel: Nee}}')[
        "nl"
    ]
    english = i18n.LANGUAGES["en"]
    assert (dutch.code, dutch.clock, dutch.spoken) == ("nl", "digits", english.spoken)
    assert dutch.written.mail == english.written.mail.model_copy(update={"cancel": "Nee"})
    # Plain texts, and no words that are another language's.
    assert (dutch.words.confirm, dutch.words.stop) == (["ja", "no", "1e"], [])
    everything = dict(flat(content("en"))).keys()
    assert dutch.lacking == everything - {"written.mail.cancel"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("written: {page: {abuot: x}}", r"nl.yml: written.page.abuot: is unknown; en.yml has"),
        ("spoken: {prompts: {hello: x}}", r"nl.yml: spoken.prompts.hello: is unknown; en.yml"),
        ("written: {page: {about: x}}", r"written.page.about: must hold the placeholders \['start"),
        ("written: {mail: {cancel: '{x}'}}", r"written.mail.cancel: must hold the placeholders \["),
        ("written: {mail: {cancel: [x]}}", r"nl.yml: written.mail.cancel: Input should be a valid"),
        ("written: x", r"nl.yml: written: Input should be a valid"),
        ("colour: red", r"nl.yml: colour: is unknown"),
        ("clock: sundial", r"nl.yml: clock: Input should be 'twelve', 'hours' or 'digits'"),
        ("words: {confirm: ja}", r"nl.yml: words.confirm: Input should be a valid list"),
        ("clock: hours\nclock: digits", r"nl.yml:2: clock is there twice"),
        ("- x", r"nl.yml: must hold names and texts"),
        ("", r"nl.yml: must hold names and texts"),
        ("x: [", r"nl.yml: .*"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LanguageError, match=message):
        languages(tmp_path, text)


def test_a_file_has_the_name_of_its_language(tmp_path: Path) -> None:
    with pytest.raises(LanguageError, match=r"Dutch.yml: name the file by the code"):
        languages(tmp_path, "clock: hours", "Dutch.yml")
    with pytest.raises(LanguageError, match=r"en.yml is missing"):
        (tmp_path / "empty").mkdir()
        load(tmp_path / "empty")
    with pytest.raises(LanguageError, match=r"en.yml: written.page: Field required|Input should"):
        (tmp_path / "Dutch.yml").unlink()
        (tmp_path / "en.yml").write_text("spoken: {}\nwritten: {}")
        load(tmp_path)


def test_full_hours_are_counted_in_the_languages_whose_file_says_so() -> None:
    noon = datetime(2027, 1, 6, 12)
    for code, language in i18n.LANGUAGES.items():
        counted = spoken_dates.clock(noon, code) not in ("12:00", "12:00 PM")
        assert counted == (language.clock == "hours"), code
