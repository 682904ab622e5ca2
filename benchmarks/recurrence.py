"""The next occurrence of rules begun ten years ago, beside plain dateutil in the same run.

    python benchmarks/recurrence.py

dateutil walks from the start and is asked in naive time, so it has no zone to mind; its rule is
parsed beforehand, as ours is. "First" is the first question, in which a COUNT is counted through;
the others are the best of a few. The answers differ where hours elapse over a change of the clock.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulebase, rrulestr

from telealarm.rules.recurrence import Series, parse

ZONE = ZoneInfo("America/New_York")
ANCHOR = datetime(2016, 11, 1, 7, 30)
NOW = datetime(2026, 11, 2, 12, 31)
RUNS = 5
RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;BYHOUR=7,19",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;BYSETPOS=1",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
    "FREQ=HOURLY",
    "FREQ=HOURLY;INTERVAL=5;BYDAY=MO",
    "FREQ=MINUTELY;INTERVAL=15",
    "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11",
    "FREQ=DAILY;COUNT=5000",
    "FREQ=WEEKLY;COUNT=1000;BYDAY=MO,TU",
]


def timed(question: Callable[[], datetime | None]) -> tuple[float, float, datetime | None]:
    """The first run and the quickest of a few, in milliseconds, and the answer."""
    taken, answer = [], None
    for _ in range(RUNS):
        began = perf_counter()
        answer = question()
        taken.append((perf_counter() - began) * 1000)
    return taken[0], min(taken), answer


def main() -> None:
    now = NOW.replace(tzinfo=ZONE).astimezone(UTC)
    print(f"{'rule begun ten years ago, ms':44}{'first':>9}{'ours':>9}{'dateutil':>11}  answer")
    for text in RULES:
        series = Series(ANCHOR, ZONE, parse("", "", text))
        plain = rrulestr(text, dtstart=ANCHOR)

        def ours(series: Series = series) -> datetime | None:
            found = series.following(now)
            return found.local if found else None

        def theirs(plain: rrulebase = plain) -> datetime | None:
            return plain.after(NOW)

        first, quickest, answer = timed(ours)
        _, plainly, answer_plain = timed(theirs)
        same = "same" if answer == answer_plain else "differs"
        print(f"{text:44}{first:9.3f}{quickest:9.3f}{plainly:11.3f}  {same}")


if __name__ == "__main__":
    main()
