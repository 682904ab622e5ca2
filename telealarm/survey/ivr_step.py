"""A section as the survey machine knows it: which keys answer it, and where it leads."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from telealarm.words import SectionType


@dataclass(frozen=True)
class IvrStep:
    """`keys` are the answers that are offered, of one digit or of several (a rating up to 10).

    Of a number that is captured, `digits` is how long it may be, `low` and `high` what it must lie
    between.
    """

    id: int
    type: SectionType
    keys: frozenset[str] = frozenset()
    retries: int = 0
    timeout_seconds: float = 5.0
    branches: Mapping[str, int | None] = field(default_factory=dict)
    digits: int = 0
    low: int | None = None
    high: int | None = None

    @property
    def spells(self) -> bool:
        """Whether an answer may have several digits: then `#` ends it, and `*` begins anew."""
        return self._captures or any(len(answer) > 1 for answer in self.keys)

    def takes(self, typed: str) -> bool:
        """Whether what was typed is an answer."""
        if not self._captures:
            return typed in self.keys
        if not typed.isdecimal() or len(typed) > self.digits:
            return False
        above = self.low is None or int(typed) >= self.low
        return above and (self.high is None or int(typed) <= self.high)

    def begins(self, typed: str) -> bool:
        """Whether what was typed is an answer, or the beginning of one that is longer."""
        if self._captures:
            return typed.isdecimal() and len(typed) <= self.digits
        return any(answer.startswith(typed) for answer in self.keys)

    def may_go_on(self, typed: str) -> bool:
        """Whether another digit may follow."""
        if self._captures:
            return typed.isdecimal() and len(typed) < self.digits
        return any(answer != typed and answer.startswith(typed) for answer in self.keys)

    @property
    def _captures(self) -> bool:
        return self.type is SectionType.CAPTURE_DIGITS
