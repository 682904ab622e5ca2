"""What one question to a series may cost, in steps and not in seconds."""

from telealarm.errors import RecurrenceTooCostly

# A day looked at, an hour or a minute tried on a day that may have an occurrence, or an occurrence
# found is a step. There are 84,006 days from 1970 to 2199, none is more than two steps, and what is
# tried in vain on those on which a clock is changed is less than 30,000: so the next occurrence, or
# that there is none, is always found. It is a COUNT, counted through, that may be too much.
BUDGET = 200_000


class Budget:
    """The steps that are left until the next occurrence, or to the end of a count."""

    def __init__(self, steps: int) -> None:
        self._all = self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises RecurrenceTooCostly when there are no more."""
        self._left -= steps
        if self._left < 0:
            raise RecurrenceTooCostly(
                f"the rule costs more than {self._all} steps to work out; use a smaller COUNT,"
                " or UNTIL, or a lower frequency"
            )

    def renew(self) -> None:
        """An occurrence was found: the next one may cost as much again."""
        self._left = self._all
