"""The meaning of a reply by SMS.

A wrong guess costs an appointment, a question costs an SMS. So an answer counts only if every word
of the reply is understood, and all of them agree. STOP counts as soon as the reply begins with it.
"""

from collections.abc import Sequence

from telealarm import i18n
from telealarm.rules import reply_words
from telealarm.rules.reply_words import ANSWERS, HELP, START, STOP, Vocabulary, by_meaning

__all__ = ["ANSWERS", "HELP", "START", "STOP", "by_meaning", "is_bare_cancel", "is_yes", "meaning"]


def meaning(text: str, language: str | None) -> str | None:
    """Return "1", "2", "3", "stop", "start" or "help"; None if the meaning is not clear.

    1. Every word of the reply has a meaning, is polite, or says that a digit is a choice ("option
       1"). All meanings must agree. The recipient's language decides first, then English, then the
       others.
    2. Or the reply begins with a word that clearly asks to stop, and nothing in it confirms.
    """
    words = _vocabulary(language)
    phrases = list(words.phrases(reply_words.plain(text)))
    if any(phrase in words.doubt for phrase in phrases):
        return None
    agreed = _agreed(phrases, words)
    if agreed in ANSWERS and reply_words.leaves_doubt(text):
        return None
    return agreed or (STOP if _begins_with_stop(phrases, words) else None)


def is_bare_cancel(text: str, language: str | None) -> bool:
    """Return whether the reply is only CANCEL: to some it means the appointment, to some STOP."""
    words = _vocabulary(language)
    meant = [each for each in words.phrases(reply_words.plain(text)) if each not in words.polite]
    return bool(meant) and all(phrase in words.cancel_or_stop for phrase in meant)


def is_yes(text: str) -> bool:
    """Return whether the reply is YES, which gateways also take for START."""
    return reply_words.plain(text) == "yes"


def _vocabulary(language: str | None) -> Vocabulary:
    codes = [i18n.of(language).code, i18n.of(None).code, *i18n.LANGUAGES]
    return reply_words.of(tuple(dict.fromkeys(codes)))


def _agreed(phrases: Sequence[str], words: Vocabulary) -> str | None:
    """Return the one meaning of the phrases, if all of them are understood."""
    if not all(phrase in words for phrase in phrases):
        return None
    meant = [phrase for phrase in phrases if phrase in words.meanings]
    digits = [phrase for phrase in meant if phrase.isdigit()]
    chooses = any(phrase in words.option for phrase in phrases if phrase not in words.meanings)
    letters = any(len(phrase) == 1 and not phrase.isdigit() for phrase in meant)
    if len(digits) > 1 or (chooses and not digits) or (letters and len(phrases) > 1):
        return None
    meanings = {words.meanings[phrase] for phrase in meant}
    if meanings == {"2", STOP} and all(map(words.is_clear, meant)):
        return STOP  # "cancel, stop": nothing is asked of someone who wants no more messages
    return meanings.pop() if len(meanings) == 1 else None


def _begins_with_stop(phrases: Sequence[str], words: Vocabulary) -> bool:
    """Return whether the first word that is not polite asks to stop, and nothing confirms."""
    meant = [phrase for phrase in phrases if phrase not in words.polite]
    clear = [words.meanings.get(phrase) for phrase in meant if words.is_clear(phrase)]
    begins = clear[:1] == [STOP] and words.is_clear(meant[0])
    return begins and "1" not in clear
