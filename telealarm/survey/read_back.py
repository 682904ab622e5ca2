"""What was understood, in words: spoken back where the calendar setting says confirm_spoken."""

from importlib import resources

import yaml

from telealarm.store.survey.session_state import ScriptSection
from telealarm.words import SectionType

_FALLBACK_LANGUAGE = "en"
_words: dict[str, dict[str, str]] = yaml.safe_load(
    resources.files("telealarm.sounds").joinpath("understood.yml").read_text(encoding="utf-8")
)


def words(section: ScriptSection, answer: str, language: str) -> tuple[str, str]:
    """The text, and the language that it is in: that of the survey, else English."""
    base = language.split("-")[0].lower()
    if base not in _words:
        base = language = _FALLBACK_LANGUAGE
    said = _words[base]
    if section.type == SectionType.CAPTURE_DIGITS:
        return said["number"].format(number=" ".join(answer)), language
    if label := section.labels.get(answer):
        # A label is the manager's text; its braces are no placeholders.
        return said["label"].format(label=label), language
    meaning = said.get(f"rating_{answer}") if section.type == SectionType.RATING else None
    return meaning or said["key"].format(key=answer), language


def possible(section: ScriptSection) -> list[str]:
    """The answers that can be told before anybody is called."""
    return sorted(section.keys, key=int)
