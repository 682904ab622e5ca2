"""Dates and times in the words of a language, for speech.

The words come from CLDR (through babel). The `clock` of a language file adds a habit:

- English uses a clock of twelve hours, which speech engines read well ("seven p m").
- Some languages count hours. A full hour is then a number of hours ("19 horas"): no engine reads
  "19:00" like that.
"""

import re
from datetime import date, datetime
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.units import format_unit

from telealarm import i18n

# CLDR uses spaces of other widths in times. Not every engine takes them for spaces.
_SPACES = re.compile(r"[\u00a0\u2007\u2009\u202f]")


def day(moment: datetime, language: str, today: date) -> str:
    """Return the local day of `moment`: "Wednesday, January 6"; with its year if that differs."""
    locale = _locale(language)
    if moment.year != today.year:
        return _plain(format_date(moment.date(), "full", locale=locale))
    skeletons = locale.datetime_skeletons
    pattern = (skeletons.get("MMMMEd") or skeletons["MMMEd"]).pattern
    # CLDR abbreviates the words here. For speech they must be whole.
    whole = re.sub(r"E+|ccc|MMM+|LLL+", lambda match: match[0][0] * 4, pattern)
    return _plain(format_date(moment.date(), whole, locale=locale))


def clock(moment: datetime, language: str) -> str:
    """Return the local time of `moment`: "10:30 AM", "10:30", "19 horas"."""
    locale = _locale(language)
    file = i18n.LANGUAGES.get(locale.language)
    habit = file.clock if file else "digits"
    if habit == "twelve":
        return f"{moment.hour % 12 or 12}:{moment.minute:02} {'PM' if moment.hour >= 12 else 'AM'}"
    if habit == "hours" and not moment.minute:
        return _plain(format_unit(moment.hour, "duration-hour", "long", locale=locale))
    return _plain(format_time(moment.time(), "short", locale=locale))


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    """Return the locale of `en` or `en-GB`; English if CLDR does not know the language."""
    for name in (language, language.split("-")[0], i18n.ENGLISH):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError(f"babel has no {i18n.ENGLISH}")


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text)
