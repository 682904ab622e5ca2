"""What was understood, in words: spoken back where the calendar setting says confirm_spoken."""

from telealarm import i18n
from telealarm.store.survey.session_state import ScriptSection


def words(section: ScriptSection, answer: str, language: str) -> tuple[str, str]:
    """The text, and the language that it is in: that of the survey, else English."""
    name, values = section.kind.read_back(answer)
    text, spoken_in = i18n.spoken("read_back", name, language)
    # A label is the manager's text; its braces are no placeholders.
    return text.format(**values), spoken_in


def possible(section: ScriptSection) -> list[str]:
    """The answers that can be told before anybody is called."""
    answers = section.kind.answers()
    return sorted(answers.listed, key=int) if answers else []
