"""What was understood, in words: spoken back where the calendar setting says confirm_spoken."""

from telealarm import i18n
from telealarm.store.survey.session_state import ScriptSection
from telealarm.words import SectionType

# The results of an alarm that have words of their own.
_RATINGS = ("1", "2", "3")


def words(section: ScriptSection, answer: str, language: str) -> tuple[str, str]:
    """The text, and the language that it is in: that of the survey, else English."""
    name, values = _reading(section, answer)
    text, spoken_in = i18n.spoken("read_back", name, language)
    # A label is the manager's text; its braces are no placeholders.
    return text.format(**values), spoken_in


def _reading(section: ScriptSection, answer: str) -> tuple[str, dict[str, str]]:
    """The name of the text, and its values."""
    if section.type == SectionType.CAPTURE_DIGITS:
        return "number", {"number": " ".join(answer)}
    if label := section.labels.get(answer):
        return "label", {"label": label}
    if section.type == SectionType.RATING and answer in _RATINGS:
        return f"rating_{answer}", {}
    return "key", {"key": answer}


def possible(section: ScriptSection) -> list[str]:
    """The answers that can be told before anybody is called."""
    return sorted(section.keys, key=int)
