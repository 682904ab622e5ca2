"""The meaning of a reply by SMS. The words are in the language files."""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache

from telealarm import i18n
from telealarm.i18n.model import Language, Words

STOP = "stop"


def meaning(text: str, language: str | None) -> str | None:
    """Return what a reply means: "1", "2", "3" or "stop"; None if that is not clear.

    1. The whole reply is a word with a meaning. The recipient's language comes first, then English,
       then the other languages.
    2. Or the reply starts with a word of that language or of English. It must also have a word that
       is clear in a sentence, and all its words must mean the same ("yes please", "no, cancel"). If
       the language is not known (None), every language counts.
    """
    reply = _plain(text)
    known = [i18n.of(language), i18n.of(None)]
    everyone = [*known, *i18n.LANGUAGES.values()]
    for each in everyone:
        if reply in (words := _meanings((each.code,))):
            return words[reply]
    words = _meanings(_codes(known if language else everyone))
    first = max((word for word in words if f"{reply} ".startswith(f"{word} ")), key=len, default="")
    if not first:
        return None
    matches = [first, *(word for word in reply.split() if word in words)]
    meanings = {words[word] for word in matches}
    return meanings.pop() if len(meanings) == 1 and any(map(_is_clear, matches)) else None


def by_meaning(words: Words) -> dict[str, list[str]]:
    """Return the words of a language by what they mean."""
    return {"1": words.confirm, "2": words.cancel, "3": words.reschedule, STOP: words.stop}


def _is_clear(word: str) -> bool:
    """Return False for a single letter ("j'ai", "o sea") and for words that are ambiguous."""
    return word.isdigit() or (len(word) > 1 and word not in _only_alone())


def _codes(languages: Iterable[Language]) -> tuple[str, ...]:
    return tuple(language.code for language in languages)


@cache
def _only_alone() -> frozenset[str]:
    return frozenset(
        _plain(word) for each in i18n.LANGUAGES.values() for word in each.words.only_alone
    )


@cache
def _meanings(codes: tuple[str, ...]) -> Mapping[str, str]:
    """Return what each word means. If languages disagree, the first one decides."""
    meanings = {"1": "1", "2": "2", "3": "3"}
    for code in codes:
        for key, words in by_meaning(i18n.LANGUAGES[code].words).items():
            for word in words:
                meanings.setdefault(_plain(word), key)
    return meanings


def _plain(text: str) -> str:
    """Return `text` without case, accents and punctuation."""
    letters = unicodedata.normalize("NFKD", text[:500].casefold())
    bare = (letter for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in bare).split())
