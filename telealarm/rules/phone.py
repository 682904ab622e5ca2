"""Phone numbers: what may be dialled, and the endpoint that it is dialled by."""

import re

DEFAULT_PATTERN = r"\+?[0-9]{1,32}"

# What a number or a superuser's pattern can let through at most: keys of a telephone and a plus.
# Nothing that has a meaning in a dial string, a SIP URI or a dialplan expression.
_DIALABLE = re.compile(r"\+?[0-9A-D*#]{1,40}", re.ASCII)

# PJSIP/{number}@trunk, PJSIP/{number} or PJSIP/trunk/sip:{number}@host:port.
_TEMPLATE = re.compile(r"PJSIP/[A-Za-z0-9_.:@/\[\]-]*\{number\}[A-Za-z0-9_.:@/\[\]-]*", re.ASCII)

# Written between the digits by people; never dialled.
_PUNCTUATION = re.compile(r"[\s().\-/]")

# The digits of a number without its country, at least (Denmark, Norway, Singapore).
_NATIONAL = 8

# A repeat of a group, a back reference, a lookaround: what can take a regular expression for ever.
_COSTLY = re.compile(r"\)[*+{]|\\[0-9]|\(\?[^:]|[*+}][*+{]")
_REPEATS = re.compile(r"[*+]|\{")
_MOST_REPEATS = 3


def is_pattern(pattern: str) -> bool:
    """Whether `pattern` is a regular expression that is quick for every number.

    It is matched on the thread that everybody's writes share. So no group is repeated, and few
    characters are: on a number of 40 keys that leaves some ten thousand steps at the most.
    """
    try:
        re.compile(pattern, re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return False
    plain = re.sub(r"\\[^0-9]|\[[^\]]*\]", "x", pattern)
    return not _COSTLY.search(plain) and len(_REPEATS.findall(plain)) <= _MOST_REPEATS


def clean(number: str) -> str:
    """`number` without the spaces, brackets, dots and dashes that people write. May be invalid."""
    return _PUNCTUATION.sub("", number)


def normal(number: str) -> str:
    """`number` as numbers are compared: without punctuation, and 0034 as +34."""
    cleaned = clean(number)
    return "+" + cleaned[2:] if cleaned.startswith("00") else cleaned


def spellings(number: str) -> set[str]:
    """The cleaned numbers that are the same as `number`: +34600 and 0034600."""
    own = normal(number)
    return {own, "00" + own[1:]} if own.startswith("+") else {own}


def is_dialable(number: str) -> bool:
    """Whether `number` is made of telephone keys alone, with an optional leading plus."""
    return _DIALABLE.fullmatch(number) is not None


def caller(said: str) -> str:
    """The number that a trunk says somebody calls from; empty where it is withheld.

    `anonymous`, `unknown` and the like are no numbers, and neither are zeros alone.
    """
    number = clean(said)
    return number if is_dialable(number) and _digits(number) else ""


def national(number: str) -> str | None:
    """The digits that `number` ends with, with its country or without; None of a short one."""
    digits = _digits(number)
    return digits[-_NATIONAL:] if len(digits) >= _NATIONAL else None


def tail(number: str) -> str:
    """The last eight digits, by which numbers that are written in several ways are found."""
    return _digits(number)[-8:]


def same(one: str, other: str) -> bool:
    """Whether two numbers are one: `+34600100200`, `0034600100200` and `600100200` are.

    A number without its country is the same as any that ends with it, from eight digits on.
    """
    shorter, longer = sorted((_digits(one), _digits(other)), key=len)
    return bool(shorter) and (
        shorter == longer or (len(shorter) >= _NATIONAL and longer.endswith(shorter))
    )


def _digits(number: str) -> str:
    """The digits alone, without the zeros that lead out of a country or an area."""
    return re.sub(r"[^0-9]", "", number).lstrip("0")


def is_template(template: str) -> bool:
    """Whether a gateway's dial template names PJSIP and has `{number}` once."""
    return _TEMPLATE.fullmatch(template) is not None


def trunk(template: str) -> str:
    """The PJSIP endpoint that a gateway's dial template leads through; it may be the number's."""
    name, _, rest = template.removeprefix("PJSIP/").partition("/")
    return name if rest else name.rpartition("@")[2]


def dialled(number: str, *, removeprefix: str = "", addprefix: str = "") -> str:
    """`number` as a gateway dials it."""
    return addprefix + number.removeprefix(removeprefix)


def endpoint(template: str, number: str, *, removeprefix: str = "", addprefix: str = "") -> str:
    """The endpoint for Asterisk's originate. Raises ValueError where the number is not dialable."""
    keys = dialled(number, removeprefix=removeprefix, addprefix=addprefix)
    if not is_dialable(keys):
        raise ValueError(f"{keys!r} is no phone number: digits, with an optional leading +")
    if not is_template(template):
        raise ValueError(f"{template!r} is no dial template like PJSIP/{{number}}@trunk")
    return template.replace("{number}", keys)


def is_allowed(number: str, *, pattern: str, prefixes: list[str]) -> bool:
    """Whether a gateway takes `number`: its whole pattern, and one of its prefixes, if any."""
    pattern = pattern or DEFAULT_PATTERN
    if not is_dialable(number) or not is_pattern(pattern):
        return False
    if not re.fullmatch(pattern, number, re.ASCII):
        return False
    return not prefixes or any(number.startswith(prefix) for prefix in prefixes)


def caller_id(name: str, number: str) -> str:
    """`"name" <number>` for originate, of what is safe in a SIP header; may be empty."""
    number = clean(number)
    shown = re.sub(r"[^\w .,&+-]", "", name).strip()
    if not is_dialable(number):
        number = ""
    if shown and number:
        return f'"{shown}" <{number}>'
    return number or (f'"{shown}"' if shown else "")
