"""The languages in which recipients hear and read texts: one file each in `languages/`.

A new language is one more file there. Nothing else changes. Importing this package reads the files.
"""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from telealarm.i18n.loader import ENGLISH, load
from telealarm.i18n.model import Language

__all__ = ["ENGLISH", "LANGUAGES", "code", "of", "spoken"]

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    load(resources.files(__name__).joinpath("languages"))
)


def of(language: str | None) -> Language:
    """Return the language of a code: `es` also for `es-MX`; English if there is no such file."""
    return LANGUAGES[code(language)]


def code(language: str | None) -> str:
    """Return the code of the language that `of` returns, in the form that HTML uses."""
    base = _base(language or ENGLISH)
    return base if base in LANGUAGES else ENGLISH


def spoken(group: str, name: str, language: str) -> tuple[str, str]:
    """Return the text `name` of a group of `spoken`, and the language for the speech engine.

    The language is `language` itself (`es-MX`) if its file has the text, else English.
    """
    chosen = of(language)
    if chosen.code == _base(language) and f"spoken.{group}.{name}" not in chosen.lacking:
        return _text(chosen, group, name), language
    return _text(LANGUAGES[ENGLISH], group, name), ENGLISH


def _text(language: Language, group: str, name: str) -> str:
    texts = getattr(language.spoken, group)
    return str(texts[name] if isinstance(texts, dict) else getattr(texts, name))


def _base(language: str) -> str:
    """Return `es` for `es-MX`."""
    return language.split("-")[0].lower()
