"""Phone numbers: which may be dialled, and the endpoint to dial."""

import re

from telealarm.rules import phone_number

DEFAULT_PATTERN = r"\+?[0-9]{1,32}"

# The most that a number or a superuser's pattern can let through: telephone keys and a plus.
# None of them has a meaning in a dial string, a SIP URI or a dialplan expression.
_DIALABLE = re.compile(r"\+?[0-9A-D*#]{1,40}", re.ASCII)

# PJSIP/{number}@trunk, PJSIP/{number} or PJSIP/trunk/sip:{number}@host:port.
_TEMPLATE = re.compile(r"PJSIP/[A-Za-z0-9_.:@/\[\]-]*\{number\}[A-Za-z0-9_.:@/\[\]-]*", re.ASCII)

# The fewest digits of a number without its country code (Denmark, Norway, Singapore).
_NATIONAL = 8

# A repeated group, a back reference, a lookaround: these can make a match run for ever.
_COSTLY = re.compile(r"\)[*+{]|\\[0-9]|\(\?[^:]|[*+}][*+{]")
_REPEATS = re.compile(r"[*+]|\{")
_MOST_REPEATS = 3


def is_pattern(pattern: str) -> bool:
    """Return whether `pattern` is a regular expression that matches quickly.

    The match runs on the thread that does all writes. So no group may repeat, and few characters
    may: a number of 40 keys then takes at most some ten thousand steps.
    """
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return False
    plain = re.sub(r"\\[^0-9]|\[[^\]]*\]", "x", pattern)
    return not _COSTLY.search(plain) and len(_REPEATS.findall(plain)) <= _MOST_REPEATS


def clean(number: str) -> str:
    """Return `number` without spaces, brackets, dots and dashes; as it is if it is no number."""
    return phone_number.same_spelling(number)


def normal(number: str) -> str:
    """Return `number` in the form for comparing: without punctuation, and 0034 as +34."""
    cleaned = clean(number)
    return "+" + cleaned[2:] if cleaned.startswith("00") else cleaned


def spellings(number: str) -> set[str]:
    """Return the cleaned numbers that equal `number`: +34600 and 0034600."""
    same_form = normal(number)
    return {same_form, "00" + same_form[1:]} if same_form.startswith("+") else {same_form}


def is_dialable(number: str) -> bool:
    """Return whether `number` has only telephone keys, with an optional leading plus."""
    return _DIALABLE.fullmatch(number) is not None


def caller(text: str) -> str:
    """Return the caller's number as a trunk sends it; empty if the caller withholds it.

    `anonymous`, `unknown` and the like are no numbers, nor are zeros alone.
    """
    number = clean(text)
    return number if is_dialable(number) and _digits(number) else ""


def national(number: str) -> str | None:
    """Return the last digits of `number`, which do not depend on its country code.

    Returns None if the number is too short.
    """
    digits = _digits(number)
    return digits[-_NATIONAL:] if len(digits) >= _NATIONAL else None


def tail(number: str) -> str:
    """Return the last eight digits: they find a number however it is written."""
    return _digits(number)[-8:]


def same(first: str, second: str) -> bool:
    """Return whether two numbers are the same: +34600100200, 0034600100200 and 600100200 are.

    A number without its country code equals any number that ends with it, from eight digits on.
    """
    shorter, longer = sorted((_digits(first), _digits(second)), key=len)
    return bool(shorter) and (
        shorter == longer or (len(shorter) >= _NATIONAL and longer.endswith(shorter))
    )


def _digits(number: str) -> str:
    """Return the digits, without the leading zeros that are dialled before a country or area."""
    return re.sub(r"[^0-9]", "", number).lstrip("0")


def is_template(template: str) -> bool:
    """Return whether a gateway's dial template names PJSIP and has `{number}` once."""
    return _TEMPLATE.fullmatch(template) is not None


def trunk(template: str) -> str:
    """Return the PJSIP endpoint of a gateway's dial template. It may be the number itself."""
    name, _, rest = template.removeprefix("PJSIP/").partition("/")
    return name if rest else name.rpartition("@")[2]


def endpoint(template: str, keys: str) -> str:
    """Return the endpoint for originate. `keys` is the number as the gateway dials it.

    Raises ValueError if it cannot be dialled.
    """
    if not is_dialable(keys):
        raise ValueError(f"{keys!r} is no phone number: digits, with an optional leading +")
    if not is_template(template):
        raise ValueError(f"{template!r} is no dial template like PJSIP/{{number}}@trunk")
    return template.replace("{number}", keys)


def matches(pattern: str, number: str) -> bool:
    """Return whether `number` fits the whole of a gateway's number pattern."""
    if not is_dialable(number) or not is_pattern(pattern):
        return False
    return re.fullmatch(pattern, number, re.ASCII) is not None


def caller_id(name: str, number: str) -> str:
    """Return `"name" <number>` for originate, with only what is safe in SIP. May be empty."""
    number = clean(number)
    shown = re.sub(r"[^\w .,&+-]", "", name).strip()
    if not is_dialable(number):
        number = ""
    if shown and number:
        return f'"{shown}" <{number}>'
    return number or (f'"{shown}"' if shown else "")
