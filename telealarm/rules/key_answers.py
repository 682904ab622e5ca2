"""The keys that answer a section: those of a list, or a number of several digits.

Answers are read key by key. `#` ends an answer of several digits, `*` starts it again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class KeyAnswers(Protocol):
    """The answers that a section takes."""

    @property
    def listed(self) -> frozenset[str]:
        """Each answer, if they can be listed; else none."""

    @property
    def spells(self) -> bool:
        """Whether an answer may have several digits."""

    def takes(self, typed: str) -> bool:
        """Whether what was typed is an answer."""

    def begins(self, typed: str) -> bool:
        """Whether what was typed is an answer, or the start of a longer answer."""

    def may_go_on(self, typed: str) -> bool:
        """Whether another digit may follow."""

    def may_branch(self, keys: str) -> bool:
        """Whether a branching for `keys` can be taken."""

    def in_words(self) -> list[str]:
        """What a branching can be made for."""


@dataclass(frozen=True)
class ListedKeys:
    """Answers of one digit or of several, such as those of a rating up to 10."""

    listed: frozenset[str]

    @classmethod
    def of(cls, answers: Iterable[str | int]) -> "ListedKeys":
        """These answers."""
        return cls(frozenset(map(str, answers)))

    @property
    def spells(self) -> bool:
        return any(len(answer) > 1 for answer in self.listed)

    def takes(self, typed: str) -> bool:
        return typed in self.listed

    def begins(self, typed: str) -> bool:
        return any(answer.startswith(typed) for answer in self.listed)

    def may_go_on(self, typed: str) -> bool:
        return any(answer != typed and answer.startswith(typed) for answer in self.listed)

    def may_branch(self, keys: str) -> bool:
        return keys in self.listed

    def in_words(self) -> list[str]:
        return sorted(self.listed, key=int)


@dataclass(frozen=True)
class Number:
    """A number of up to `digits` digits, not below `low`, not above `high`; None: no limit."""

    digits: int
    low: int | None = None
    high: int | None = None

    listed = frozenset[str]()
    spells = True

    def takes(self, typed: str) -> bool:
        if not typed.isdecimal() or len(typed) > self.digits:
            return False
        high_enough = self.low is None or int(typed) >= self.low
        return high_enough and (self.high is None or int(typed) <= self.high)

    def begins(self, typed: str) -> bool:
        return typed.isdecimal() and len(typed) <= self.digits

    def may_go_on(self, typed: str) -> bool:
        return typed.isdecimal() and len(typed) < self.digits

    def may_branch(self, keys: str) -> bool:
        return keys.isascii() and keys.isdigit() and len(keys) <= self.digits

    def in_words(self) -> list[str]:
        return [f"a number of up to {self.digits} digits"]
