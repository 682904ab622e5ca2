"""The cost limit of one question to a series, in steps and not in seconds."""

from telealarm.errors import RecurrenceTooCostly

# A step is: a day checked, an hour or minute tried on a day that may have an occurrence, or an
# occurrence. There are 84,006 days from 1970 to 2199, at most two steps each. Tries in vain on days
# with a clock change are fewer than 30,000. So the search for the next occurrence always ends
# within the budget. Only counting through a COUNT can exceed it, and the search from an anchor
# before 1970 for a rule that never occurs.
BUDGET = 200_000


class Budget:
    """The steps that are left until the next occurrence, or until the end of a count."""

    def __init__(self, steps: int) -> None:
        self._all = self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Spend some steps. Raises RecurrenceTooCostly if none are left."""
        self._left -= steps
        if self._left < 0:
            raise RecurrenceTooCostly(
                f"the rule costs more than {self._all} steps to work out; use a smaller COUNT,"
                " or UNTIL, or a lower frequency"
            )

    def renew(self) -> None:
        """Start again after an occurrence: the search for the next may cost as much."""
        self._left = self._all
