"""An answer in words. It is read back if the calendar setting has confirm_spoken."""

from telealarm import i18n
from telealarm.store.survey.session_state import ScriptSection


def words(section: ScriptSection, answer: str, language: str) -> tuple[str, str]:
    """Return the text, and its language: that of the survey, or else English."""
    name, values = section.kind.read_back(answer)
    text, spoken_in = i18n.spoken("read_back", name, language)
    # A label is the manager's text. Braces in it are not placeholders.
    return text.format(**values), spoken_in


def possible(section: ScriptSection) -> list[str]:
    """Return the answers that are known before the call, so that they can be rendered."""
    answers = section.kind.answers()
    return sorted(answers.listed, key=int) if answers else []
