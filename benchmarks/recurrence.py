"""The next occurrence of rules begun ten years ago, beside plain dateutil in the same run.

    python benchmarks/recurrence.py

dateutil walks from the start and is asked in naive time, so it has no zone to mind; its rule is
parsed beforehand, as ours is. Each figure is the best of a few runs.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

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
    # Counted from the start by both.
    "FREQ=DAILY;COUNT=5000",
    "FREQ=WEEKLY;COUNT=1000;BYDAY=MO,TU",
]


def best(question: Callable[[], datetime | None]) -> tuple[float, datetime | None]:
    """The quickest of a few runs, in seconds, and the answer."""
    quickest, answer = float("inf"), None
    for _ in range(RUNS):
        began = perf_counter()
        answer = question()
        quickest = min(quickest, perf_counter() - began)
    return quickest, answer


def main() -> None:
    now = NOW.replace(tzinfo=ZONE).astimezone(UTC)
    print(f"{'rule begun ten years ago':44}{'ours, ms':>10}{'dateutil, ms':>14}{'times':>8}  same")
    for text in RULES:
        series = Series(ANCHOR, ZONE, parse("", "", text))
        plain = rrulestr(text, dtstart=ANCHOR)

        def ours(series: Series = series) -> datetime | None:
            found = series.following(now)
            return found.local if found else None

        seconds, answer = best(ours)
        seconds_plain, answer_plain = best(lambda plain=plain: plain.after(NOW))  # type: ignore[misc]
        print(
            f"{text:44}{seconds * 1000:10.3f}{seconds_plain * 1000:14.3f}"
            f"{seconds_plain / seconds:8.0f}  {'yes' if answer == answer_plain else 'no'}"
        )


if __name__ == "__main__":
    main()
