"""Speech: any text, in any language with an engine, as a sound for the telephone."""

import re
import shutil
import unicodedata
from collections.abc import Mapping

from telealarm.errors import SpeechError
from telealarm.survey.tts.engine import Engine

_LONGEST_TEXT = 4000

# Square brackets and angle brackets are markup to some engines.
_MARKUP = re.compile(r"[\[\]<>{}|\\^~`]+")
# Characters that cannot be spoken, by Unicode category: control characters, surrogates, private and
# unassigned characters, line separators. Within words: format characters, except some joiners.
_APART = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_WITHIN = "Cf"
_JOINERS = "\u200c\u200d"
# More than three marks in a row mean nothing more, and some hundreds of dots make flite crash.
_MARKS = re.compile(r"((?:[^\w\s]|_){3})(?:[^\w\s]|_)+")
# Initials work without their dots too. Some hundreds of them make espeak-ng crash.
_INITIALS = re.compile(r"(?<!\w)([^\W\d_]) ?\. ?(?=[^\W\d_](?!\w))")
# flite leaves out letters beyond ASCII, such as the é of José. English is clear without accents.
_LATIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ß": "ss"}
    | {"Æ": "Ae", "Œ": "Oe", "Ø": "O", "Đ": "D", "Ð": "D", "Þ": "Th", "Ł": "L"}
)


class Speech:
    """Renders texts with the engine of their language. `*` is the engine of all other languages."""

    def __init__(self, engines: Mapping[str, str], timeout_seconds: float) -> None:
        self._engines = {
            language: Engine(line, timeout_seconds) for language, line in engines.items()
        }

    def engine(self, language: str) -> Engine | None:
        """Return the engine of `language` (`en` also for `en-GB`), or None."""
        engines = self._engines
        return engines.get(language) or engines.get(_base(language)) or engines.get("*")

    def missing(self) -> list[str]:
        """Return the programs of the command lines that are not installed."""
        programs = {engine.program for engine in self._engines.values()}
        return sorted(program for program in programs if shutil.which(program) is None)

    def failing(self) -> list[str]:
        """Return the programs that failed to speak their last text."""
        return sorted({engine.program for engine in self._engines.values() if engine.failing})

    async def render(self, text: str, language: str) -> bytes:
        """Return `text` as a wav file of 16 kHz. Raises SpeechError with what to change."""
        engine = self.engine(language)
        if engine is None:
            raise SpeechError(f"no speech engine serves {language!r}; name one in speech.engines")
        if _base(language) == "en":
            text = unaccented(text)  # first: it also makes plain brackets from wide ones
        words = harmless(text)
        if not words:
            raise SpeechError("nothing in the text can be said")
        return await engine.speak(words, language)


def harmless(text: str) -> str:
    """Return only the words and punctuation of `text`, short enough to listen to."""
    plain = _MARKUP.sub(" ", text[: 2 * _LONGEST_TEXT])
    words = " ".join("".join(map(_sayable, plain)).split())
    words = _INITIALS.sub(r"\1 ", _MARKS.sub(r"\1", words))
    return words[:_LONGEST_TEXT].rstrip()


def unaccented(text: str) -> str:
    """Return `text` with plain letters for Latin ones: Jose for José, Soren for Søren."""
    apart = unicodedata.normalize("NFKD", text.translate(_LATIN))
    return "".join(character for character in apart if not unicodedata.combining(character))


def _base(language: str) -> str:
    """Return `en` for `en-GB`."""
    return language.split("-")[0].split("_")[0].lower()


def _sayable(character: str) -> str:
    category = unicodedata.category(character)
    if category in _APART:
        return " "
    return "" if category == _WITHIN and character not in _JOINERS else character
