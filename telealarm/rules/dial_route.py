"""Which numbers a gateway dials. What counts is the number as it leaves, after the prefixes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_SHORT_REGIONS,
    PhoneMetadata,
    connects_to_emergency_number,
    is_emergency_number,
)

from telealarm.rules import phone
from telealarm.rules.phone_number import PhoneNumber

# No emergency number is longer.
_LONGEST_EMERGENCY = 6
# A prefix of so many digits takes a line of a telephone system, which dials the rest.
_OUTSIDE_LINE = 3


@dataclass(frozen=True)
class Route:
    """How a gateway dials: what it removes and adds, and the numbers that it takes.

    `region`: whose emergency numbers it does not dial; None: those of all regions. `extensions`: it
    reaches our own phones, where no number is an emergency number.
    """

    name: str = "gateway"
    removeprefix: str = ""
    addprefix: str = ""
    pattern: str = ""
    prefixes: Sequence[str] = ()
    region: str | None = None
    extensions: bool = False

    def dialled(self, number: PhoneNumber) -> str:
        """Return the number as the gateway dials it."""
        return self.addprefix + self._rest(number)

    def takes(self, number: PhoneNumber) -> bool:
        """Return whether the gateway dials the number."""
        return not self.emergency(number) and not self.unwanted(number)

    def emergency(self, number: PhoneNumber) -> str:
        """Return the emergency number that would be dialled, or an empty text."""
        if self.extensions:
            return ""
        rest = self._rest(number)
        keys = {rest: False} if len(self.addprefix) <= _OUTSIDE_LINE else {}
        keys[self.dialled(number)] = True
        for key, more in keys.items():
            if number.e164 and number.e164.endswith(key.lstrip("+0")) and len(key) > 6:
                continue  # a number of the region's plan, such as 155501010 in Paris
            if _is_emergency(key, self.region, more and not number.e164):
                return key
        return ""

    def unwanted(self, number: PhoneNumber) -> str:
        """Return why the gateway does not take a number that is no emergency number, or ""."""
        dialled = self.dialled(number)
        if not phone.is_dialable(dialled):
            return f"{dialled!r} is no phone number: digits, with an optional leading +"
        pattern = self.pattern or phone.DEFAULT_PATTERN
        given = (number.outgoing, number.written)
        if not any(phone.matches(pattern, form) for form in given):
            return f"{number.written} does not fit the number_pattern of {self.name}"
        if not self.permits(number, self.prefixes):
            return f"{dialled} does not start with an allowed prefix of {self.name}"
        return ""

    def permits(self, number: PhoneNumber, prefixes: Sequence[str]) -> bool:
        """Return whether the number that is dialled starts with one of `prefixes`, if any.

        As a rule its other forms count too: as written, E.164, and with 00. But if it leaves as
        an international number that it was not before, only that number counts.
        """
        if not prefixes:
            return True
        return any(form.startswith(tuple(prefixes)) for form in self._forms(number))

    def _rest(self, number: PhoneNumber) -> str:
        return number.outgoing.removeprefix(self.removeprefix)

    def _forms(self, number: PhoneNumber) -> set[str]:
        rest, dialled = self._rest(number), self.dialled(number)
        before = {re.sub(r"[^0-9]", "", form) for form in (number.outgoing, number.written)}
        before |= {_abroad(form, self.region)[1:] for form in (number.outgoing, number.written)}
        for leaves in (dialled, rest):
            abroad = _abroad(leaves, self.region)
            if abroad and abroad[1:] not in before:
                return {leaves, abroad}
        given = {number.outgoing, number.written}
        return {dialled} | {one for form in given for one in phone.spellings(form)}


def _abroad(keys: str, region: str | None) -> str:
    """Return the number with + if it begins with +, 00 or the region's international prefix."""
    plan = PhoneMetadata.metadata_for_region(region) if region else None
    prefix = plan.international_prefix if plan else None
    match = re.match(rf"\+|00|(?:{prefix})" if prefix else r"\+|00", keys)
    return "+" + keys[match.end() :] if match else ""


@lru_cache(maxsize=4096)
def _is_emergency(keys: str, region: str | None, with_more: bool) -> bool:
    """Return whether `keys` is an emergency number of the region, or of any if it is None.

    `with_more`: also if more digits follow, as networks do not wait for them. This only counts in
    a known region.
    """
    abroad = _abroad(keys, region)
    if abroad:
        return _is_emergency_abroad(abroad[1:])
    if region is None or region not in SUPPORTED_SHORT_REGIONS:
        if len(keys) > _LONGEST_EMERGENCY:
            return False
        return any(is_emergency_number(keys, one) for one in SUPPORTED_SHORT_REGIONS)
    if with_more:
        return connects_to_emergency_number(keys, region)
    return is_emergency_number(keys, region)


def _is_emergency_abroad(digits: str) -> bool:
    """Return whether a country code and its emergency number are dialled, as in +34112."""
    if not digits.isdecimal():
        return False
    for length in (1, 2, 3):
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length] or 0), ())
        rest = digits[length:]
        if len(rest) <= _LONGEST_EMERGENCY and any(is_emergency_number(rest, r) for r in regions):
            return True
    return False
