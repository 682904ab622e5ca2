"""What one question to a series may cost, in steps and not in seconds."""

from telealarm.errors import RecurrenceTooCostly

# A day, an hour or a minute looked at is a step. Every day until the year 2200 is 64,000 steps, so
# a rule that can never occur is known as such for what lies in its days.
BUDGET = 100_000


class Budget:
    """The steps that are left to one question."""

    def __init__(self, steps: int) -> None:
        self._all = self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises RecurrenceTooCostly when there are no more."""
        self._left -= steps
        if self._left < 0:
            raise RecurrenceTooCostly(
                f"the rule costs more than {self._all} steps to work out; use a lower frequency "
                "than HOURLY or MINUTELY, fewer BY values, or a smaller COUNT"
            )
