"""Reads a phone number as people, spreadsheets and address books write it.

The plans of the regions (ITU-T E.164 and the national ones) come from the library `phonenumbers`.
"""

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, ValidationResult

RIGHT = "must be a phone number: digits with an optional leading +"

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)

# A number of so few digits is an extension, unless all numbers of the region are so short.
_SHORT = 6
# The most digits of an international number (E.164), and of one with prefixes before it.
_LONGEST, _LONGEST_WITH_PREFIX = 15, 20
# A group of so many digits is a whole number. After a longer one, no group follows.
_WHOLE, _COMPLETE = 7, 9

_KEYS = re.compile(r"[0-9*#+() ./-]*")
_SCIENTIFIC = re.compile(r"\+?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_EXTENSION = re.compile(r"[0-9)]\s*[;,]?\s*(?:x|ext|extn|extension)[.:=]?\s*[0-9]+", re.IGNORECASE)
_TWO = re.compile(r"[0-9)]\s*(?:[,;|&\n]|\b(?:or|o|y|e|und|ou)\b)\s*[+(]*[0-9]", re.IGNORECASE)
_SAME = str.maketrans(
    {
        "\N{MIDDLE DOT}": ".",
        "\N{BULLET}": ".",
        "\N{FRACTION SLASH}": "/",
        "\N{DIVISION SLASH}": "/",
        "\N{MINUS SIGN}": "-",
        "\t": " ",
    }
)


@dataclass(frozen=True)
class PhoneNumber:
    """A number as it is written, without punctuation, and in E.164 form.

    `e164` is empty if no plan can place the number: an extension, or digits without a region.
    """

    written: str
    e164: str = ""

    @property
    def outgoing(self) -> str:
        """The number that a gateway gets: E.164 if it is known."""
        return self.e164 or self.written


def is_region(name: str) -> bool:
    """Return whether `name` is a region with a numbering plan, like ES (ISO 3166-1)."""
    return name in REGIONS


def read(text: str, region: str | None) -> PhoneNumber:
    """Return the number of `text`. `region` places a number without its country code.

    Raises ValueError with a sentence that says what to change. Digits that no plan can place stay
    as they are written.
    """
    tidied = tidy(text)
    keys = _keys(tidied)
    if tidied.startswith("+"):
        number = _international(tidied)
        return PhoneNumber(number, number)
    if re.search(r"[*#]", keys) or not keys:
        return PhoneNumber(keys)
    number = _placed(tidied, keys, region)
    if number:
        return PhoneNumber(keys, number)
    foreign = _abroad(tidied) if keys.startswith("00") else ""
    if foreign and region:
        return PhoneNumber("00" + foreign[1:], foreign)
    if foreign:
        return PhoneNumber("00" + foreign[1:])
    _check_unplaced(tidied, keys)
    return PhoneNumber(keys)


def tidy(text: str) -> str:
    """Return `text` with plain digits and separators. `read` gives the same for both.

    Raises ValueError if no region can make a single number of it.
    """
    plain = _plain(text)
    if plain[:4].lower() == "tel:":
        plain = _of_uri(plain[4:])
    if _SCIENTIFIC.fullmatch(plain):
        raise ValueError(
            f"{plain} is a number that a spreadsheet has shortened; format the column as text and"
            " write the whole number"
        )
    if _EXTENSION.search(plain):
        raise ValueError(
            "has an extension behind the number, which cannot be dialled; write the number alone"
        )
    plain = _without_decimals(plain)
    if _TWO.search(plain):
        raise ValueError("seems to be two numbers; write one")
    if not _KEYS.fullmatch(plain):
        raise ValueError(RIGHT)
    plain = re.sub(r"^\(\s*(\+[0-9 ]*)\)", r"\1 ", plain)
    keys = _keys(plain)
    if plain and not re.fullmatch(r"\+?[0-9*#]+", keys):
        raise ValueError(RIGHT)
    if "+" in plain[1:] or (plain.startswith("+") and not keys[1:].isdigit()):
        raise ValueError(RIGHT)
    _check_single(plain)
    if plain.startswith("+"):
        _international(plain)
    return plain


def changes_digits(text: str, number: PhoneNumber) -> bool:
    """Return whether digits of `text` were left out or added, apart from a country code."""
    digits = re.sub(r"[^0-9]", "", _plain(text))
    return not any(
        digits.endswith(form.lstrip("+")) or form.endswith(digits.lstrip("0"))
        for form in (number.written, number.outgoing)
    )


def same_spelling(text: str) -> str:
    """Return `text` as rows hold it, or as it is if it is no number. It is for searching."""
    try:
        return read(text, None).written
    except ValueError:
        return text


def _keys(text: str) -> str:
    return re.sub(r"[() ./-]", "", text)


def _plain(text: str) -> str:
    """Return `text` in ASCII: digits of other scripts, dashes, spaces; invisible ones are removed.

    Superscripts and circled digits are no digits of a number: they may be footnotes.
    """
    chars: list[str] = []
    for char in text.translate(_SAME):
        category = unicodedata.category(char)
        if category == "Nd":
            chars.append(str(unicodedata.decimal(char)))
        elif category == "Pd":
            chars.append("-")
        elif category == "Zs":
            chars.append(" ")
        elif category not in ("Cf", "Mn"):
            # A full-width + becomes +. A superscript stays.
            chars.append(char if category == "No" else unicodedata.normalize("NFKC", char))
    return "".join(chars).strip().removeprefix("'").strip()


def _of_uri(uri: str) -> str:
    """Return the number of a tel: URI (RFC 3966), without its scheme."""
    number, *parameters = uri.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() in ("ext", "isub"):
            raise ValueError(
                "has an extension behind the number, which cannot be dialled; write the number"
                " alone"
            )
        if name.lower() == "phone-context" and value.startswith("+"):
            number = f"{value} {number}"
    return number.strip()


def _without_decimals(text: str) -> str:
    """Return `text` without the `.0` that a spreadsheet appends. Raises ValueError for `.5`.

    A dot between groups of digits is no decimal point.
    """
    match = re.fullmatch(r"([^.,]*[0-9])[.,]([0-9]+)", text)
    if match is None:
        return text
    whole, fraction = match.groups()
    alone = re.fullmatch(r"\+?[0-9]+", whole) is not None
    few = len(fraction) == 1 or (alone and len(fraction) == 2)
    if not (few or (alone and len(whole) >= _WHOLE)):
        return text
    if fraction.strip("0"):
        raise ValueError(f"has the decimal part .{fraction}; write the digits of one phone number")
    return whole


def _check_single(text: str) -> None:
    """Raise ValueError if `text` is more than one number."""
    groups = re.findall(r"[0-9]+", text)
    digits = "".join(groups)
    two = len([group for group in groups if len(group) >= _WHOLE]) > 1
    if "/" in text:
        # A slash may stand behind an area code, as in 030/123456.
        area, _, rest = text.partition("/")
        before, after = (len(re.sub(r"[^0-9]", "", part)) for part in (area, rest))
        abroad = text.startswith(("+", "00"))
        two = two or after < 5 or before > (8 if abroad else _SHORT)
        two = two or (not abroad and before >= after)
    if two:
        raise ValueError("seems to be two numbers; write one")
    longest = _LONGEST_WITH_PREFIX if digits.startswith("0") else _LONGEST
    if len(digits) > longest:
        raise ValueError(f"has {len(digits)} digits, which is too long; write one phone number")


def _check_unplaced(text: str, keys: str) -> None:
    """Raise ValueError if digits that no plan can place may not be one number."""
    extensions = re.fullmatch(r"([0-9]{2,3})\s*-\s*([0-9]{2,3})", text)  # as 101-102
    if extensions or _goes_on(text):
        raise ValueError("seems to be two numbers; write one, without spaces, dots and dashes")
    if re.search(r"[0-9]\s*\(0\)", text):
        raise ValueError(
            "has (0) behind a country code; write the number with + and its country code"
        )


def _goes_on(text: str) -> bool:
    """Return whether more digits follow a group that may be a whole number, as in 0301234567-0."""
    return any(len(group) >= _COMPLETE for group in re.findall(r"[0-9]+", text)[:-1])


def _international(text: str) -> str:
    """Return a number with a leading + in E.164 form. Raises ValueError if there is no such one."""
    try:
        number = phonenumbers.parse(text)
    except NumberParseException:
        raise ValueError(f"{_keys(text)} has no country code that exists") from None
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        wrong = {
            ValidationResult.TOO_LONG: "too long",
            ValidationResult.INVALID_LENGTH: "of the wrong length",
        }.get(reason, "too short")
        raise ValueError(f"{_keys(text)} is {wrong} for a number of +{number.country_code}")
    if number.italian_leading_zero and not phonenumbers.is_valid_number(number):
        raise ValueError(f"{_keys(text)} has a 0 behind +{number.country_code}; leave it out")
    return _e164(number)


def _abroad(text: str) -> str:
    """Return a number that begins with 00 in E.164 form, or an empty text."""
    try:
        return _international("+" + re.sub(r"^[^1-9]*", "", text))
    except ValueError:
        return ""


def _placed(text: str, keys: str, region: str | None) -> str:
    """Return the E.164 form of a number of the region's plan, or an empty text."""
    plan = PhoneMetadata.metadata_for_region(region) if region else None
    if plan is None:
        return ""
    lengths = plan.fixed_line.possible_length if plan.fixed_line else ()
    if len(keys) <= _SHORT < max(lengths, default=_LONGEST):
        return ""  # an extension
    if _goes_on(text) and not keys.startswith("0"):
        return ""
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return ""
    possible = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    valid = phonenumbers.is_valid_number(number)
    abroad = number.country_code != plan.country_code
    # Where a trunk prefix is dialled, a number without it may be one of the town.
    trunk = plan.national_prefix
    complete = trunk in (None, "1") or abroad or keys.startswith(trunk)
    if not valid and not (possible and complete and not number.italian_leading_zero):
        return ""
    number_e164 = _e164(number)
    return number_e164 if number_e164.endswith(keys[-_SHORT:]) else ""


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
