"""Dates and times as a person says them, in the words of a language.

The words are CLDR's (by babel), with one habit of ours on top, the `clock` of a language file:
English has its clock of twelve hours, which its speech engines read well ("seven p m"), and a full
hour of languages that count hours is said as one ("19 horas"), which no engine reads from "19:00".
"""

import re
from datetime import date, datetime
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.units import format_unit

from telealarm import i18n

# CLDR puts spaces of other widths into times, which not every engine takes for a space.
_SPACES = re.compile(r"[\u00a0\u2007\u2009\u202f]")


def day(moment: datetime, language: str, today: date) -> str:
    """The local day of `moment`: "Wednesday, January 6", with the year where it is another."""
    locale = _locale(language)
    if moment.year != today.year:
        return _plain(format_date(moment.date(), "full", locale=locale))
    skeletons = locale.datetime_skeletons
    pattern = (skeletons.get("MMMMEd") or skeletons["MMMEd"]).pattern
    # CLDR has the words abbreviated here; said aloud they are whole.
    whole = re.sub(r"E+|ccc|MMM+|LLL+", lambda match: match[0][0] * 4, pattern)
    return _plain(format_date(moment.date(), whole, locale=locale))


def clock(moment: datetime, language: str) -> str:
    """The local time of `moment`: "10:30 AM", "10:30", "19 horas"."""
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
    """The locale of `en` or `en-GB`; of a language that CLDR does not know, English."""
    for name in (language, language.split("-")[0], i18n.ENGLISH):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError(f"babel has no {i18n.ENGLISH}")


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text)
