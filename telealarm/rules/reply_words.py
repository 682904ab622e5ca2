"""The words of replies, from the language files, and how the text of a reply is split into them."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from telealarm import i18n
from telealarm.i18n.model import ReplyWords

STOP, START, HELP = "stop", "start", "help"
ANSWERS = ("1", "2", "3")

# Signs that change what an answer means: a question, "+1" (one more guest), "1 %", "1 €", "1°".
_DOUBT_SIGNS = frozenset("?+%&@°")
# Emoji that agree with what stands beside them. Any other emoji may contradict it.
_KIND_EMOJI = frozenset("👍👌🙏🙂😊😀😃😄😁😉🤗👋💪🎉✅✔☑☺❤♥")
_SKIN_TONES = frozenset("🏻🏼🏽🏾🏿")


def by_meaning(words: ReplyWords) -> dict[str, list[str]]:
    """Return the words of a language by what they mean."""
    return {
        "1": words.confirm,
        "2": words.cancel,
        "3": words.reschedule,
        STOP: words.stop,
        START: words.start,
        HELP: words.help,
    }


@dataclass(frozen=True)
class Vocabulary:
    """The words and phrases of some languages, each as `plain` returns it.

    `meanings`: what each of them means. The others are as in `i18n.model.Words`.
    """

    meanings: Mapping[str, str]
    polite: frozenset[str]
    option: frozenset[str]
    doubt: frozenset[str]
    only_alone: frozenset[str]
    cancel_or_stop: frozenset[str]

    def phrases(self, text: str) -> Iterator[str]:
        """Yield the phrases of a plain text, at each place the longest one that is known.

        A word that is in no known phrase is yielded as it is.
        """
        words = text.split()
        while words:
            lengths = range(min(len(words), _LONGEST), 0, -1)
            length = next((n for n in lengths if " ".join(words[:n]) in self), 1)
            yield " ".join(words[:length])
            words = words[length:]

    def __contains__(self, phrase: str) -> bool:
        known = (self.meanings, self.polite, self.option, self.doubt)
        return any(phrase in words for words in known)

    def is_clear(self, phrase: str) -> bool:
        """Return False for a single letter ("j'ai", "o sea") and for words that are ambiguous."""
        return phrase.isdigit() or (len(phrase) > 1 and phrase not in self.only_alone)


# The most words of a phrase.
_LONGEST = 6


@cache
def of(codes: tuple[str, ...]) -> Vocabulary:
    """Return the vocabulary of these languages. If they disagree, the first one decides."""
    meanings = {answer: answer for answer in ANSWERS}
    for code in codes:
        for meaning, words in by_meaning(i18n.LANGUAGES[code].words).items():
            for word in words:
                meanings.setdefault(plain(word), meaning)
    every = [i18n.LANGUAGES[code].words for code in codes]
    return Vocabulary(
        meanings=meanings,
        polite=_plain(word for words in every for word in words.polite),
        option=_plain(word for words in every for word in words.option),
        doubt=_plain(word for words in every for word in words.doubt),
        only_alone=_plain(word for words in every for word in words.only_alone),
        cancel_or_stop=_plain(word for words in every for word in words.cancel_or_stop),
    )


def plain(text: str) -> str:
    """Return `text` without case, accents and punctuation; digits of all scripts as 0 to 9."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    words = "".join(
        str(unicodedata.digit(letter))
        if letter.isdigit()
        else (letter if letter.isalnum() else " ")
        for letter in letters
        if not unicodedata.combining(letter)
    ).split()
    if len(words) > 2 and all(len(word) == 1 and word.isalpha() for word in words):
        return "".join(words)  # S.T.O.P.
    return " ".join(words)


def leaves_doubt(text: str) -> bool:
    """Return whether `text` has a sign that changes what its words mean: "1?", "+1", "2 👎"."""
    return any(
        sign in _DOUBT_SIGNS or (_is_picture(sign) and sign not in _KIND_EMOJI)
        for sign in unicodedata.normalize("NFKD", text)
        if not sign.isalnum()
    )


def _is_picture(sign: str) -> bool:
    return unicodedata.category(sign) in ("So", "Sc", "Sk") and sign not in _SKIN_TONES


def _plain(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(plain, words))
