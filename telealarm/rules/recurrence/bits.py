"""Sets of days, minutes or seconds as the bits of a whole number: bit 0 is the first of them.

A year of days is a number of 366 bits. Python cuts, joins and counts such sets in a fraction of a
microsecond. So a rule is worked out by years, and not by days.
"""

from collections.abc import Iterator


def ones(count: int) -> int:
    """Return the set of the first `count` members."""
    return (1 << count) - 1 if count > 0 else 0


def repeated(pattern: int, period: int, length: int) -> int:
    """Return `pattern` of `period` bits again and again, up to `length` bits."""
    have = period
    while have < length:
        pattern |= pattern << have
        have *= 2
    return pattern & ones(length)


def members(bits: int) -> Iterator[int]:
    """Yield the members of a set in order."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def of(numbers: Iterator[int] | tuple[int, ...]) -> int:
    """Return the set of these numbers."""
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits
