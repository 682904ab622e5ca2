"""The next occurrence of recurrence rules, beside plain dateutil in the same run.

Usage: python -m benchmarks.recurrence [--part old,mixed,forms,hostile] [--rules N] [--rounds N]

old: rules that began ten years ago, in a zone; milliseconds of the first question, in which a COUNT
is counted through, and of the best of a few. mixed: CPU microseconds of many rules, whose question
lies days, months or years behind the anchor, and how many answers agree. forms: the same by form of
rule. hostile: rules that a walk never ends for; each runs in a process that is ended after a while.

dateutil has no zone: it walks from the anchor in naive times. Its answers differ from ours if hours
elapse over a change of the clock.
"""

import argparse
import math
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulebase, rrulestr

from telealarm.rules.recurrence import Series, parse

NEW_YORK = ZoneInfo("America/New_York")
OLD_ANCHOR = datetime(2016, 11, 1, 7, 30)
OLD_NOW = datetime(2026, 11, 2, 12, 31)
RUNS = 5
OLD = (
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
)
FORMS = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
    "FREQ=MONTHLY;BYMONTHDAY=15",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTH=3;BYDAY=1SU",
    "FREQ=DAILY;COUNT=400",
    "FREQ=WEEKLY;COUNT=300;BYDAY=MO,TU",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=HOURLY;INTERVAL=6",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY;BYMONTH=1,7;BYMONTHDAY=1",
    "FREQ=MINUTELY;INTERVAL=90",
)
HOSTILE = (
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=31;BYHOUR=3",
    "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO;BYHOUR=3;BYMINUTE=7",
    "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
    "FREQ=DAILY;INTERVAL=1000000",
    "FREQ=YEARLY;BYYEARDAY=366;BYDAY=MO;INTERVAL=7",
    "FREQ=MINUTELY;INTERVAL=1",
    "FREQ=MINUTELY;COUNT=100000000",
)
HOSTILE_ANCHOR = datetime(2020, 1, 1, 3, 7)
HOSTILE_AFTER = datetime(2026, 1, 1)
# After so many seconds the process of a hostile rule is ended: ours, and dateutil's.
OUR_SECONDS, THEIR_SECONDS = 20.0, 5.0
# dateutil is slow: it is asked for a part of the mixed rules, and of each form.
ASKED_OF_DATEUTIL, OF_A_FORM, OF_A_FORM_DATEUTIL = 400, 60, 30


@dataclass(frozen=True)
class Question:
    """Which occurrence of a rule follows `after`? Naive times, read as UTC."""

    text: str
    anchor: datetime
    after: datetime

    def series(self) -> Series:
        return Series(self.anchor, ZoneInfo("UTC"), parse("", "", self.text))

    def dateutil(self) -> rrulebase:
        return rrulestr(self.text, dtstart=self.anchor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", default=",".join(PARTS), help="which parts, with commas between")
    parser.add_argument("--rules", type=int, default=10_000, help="of the parts mixed and forms")
    parser.add_argument("--rounds", type=int, default=5, help="of the part mixed")
    given = parser.parse_args()
    for part in given.part.split(","):
        PARTS[part](given)


def old() -> None:
    """Rules that began ten years ago."""
    now = OLD_NOW.replace(tzinfo=NEW_YORK).astimezone(UTC)
    print(f"{'rule begun ten years ago, ms':44}{'first':>9}{'ours':>9}{'dateutil':>11}  answer")
    for text in OLD:
        series = Series(OLD_ANCHOR, NEW_YORK, parse("", "", text))
        plain = rrulestr(text, dtstart=OLD_ANCHOR)
        first, best, answer = timed(lambda series=series: local(series, now))
        _, theirs, plain_answer = timed(lambda plain=plain: plain.after(OLD_NOW))
        same = "same" if answer == plain_answer else "differs"
        print(f"{text:44}{first:9.3f}{best:9.3f}{theirs:11.3f}  {same}", flush=True)


def timed(question: Callable[[], datetime | None]) -> tuple[float, float, datetime | None]:
    """Return the first time and the best of a few, in milliseconds, and the answer."""
    times, answer = [], None
    for _ in range(RUNS):
        started = time.perf_counter()
        answer = question()
        times.append((time.perf_counter() - started) * 1000)
    return times[0], min(times), answer


def local(series: Series, after: datetime) -> datetime | None:
    """Return the next occurrence in the series' local time."""
    occurrence = series.following(after)
    return occurrence.local if occurrence else None


def questions(count: int) -> list[Question]:
    """Return so many questions of all forms, the same in each run."""
    chance = random.Random(7)
    result = []
    for n in range(count):
        days, quarters = chance.randrange(3000), chance.randrange(96)
        anchor = datetime(2016, 1, 1) + timedelta(days=days, minutes=15 * quarters)
        later = chance.choice([1, 30, 365, 2000, 3600])
        after = anchor + timedelta(days=later, minutes=chance.randrange(1440))
        result.append(Question(FORMS[n % len(FORMS)], anchor, after))
    return result


def mixed(rules: int, rounds: int) -> None:
    """Rules of all forms, asked in turn; ours and dateutil's rounds alternate."""
    asked = questions(rules)
    series = [question.series() for question in asked]
    sample = range(0, rules, max(1, rules // ASKED_OF_DATEUTIL))
    ours, theirs = [], []
    for turn in range(rounds):
        started = time.process_time()
        answers = [
            local(one, question.after.replace(tzinfo=UTC))
            for one, question in zip(series, asked, strict=True)
        ]
        ours.append((time.process_time() - started) * 1e6 / rules)
        walks = [asked[n].dateutil() for n in sample]
        started = time.process_time()
        plain = [rule.after(asked[n].after) for rule, n in zip(walks, sample, strict=True)]
        theirs.append((time.process_time() - started) * 1e6 / len(sample))
        if turn == 0:
            same = sum(answers[n] == answer for n, answer in zip(sample, plain, strict=True))
            print(f"mixed: {same} of {len(sample)} answers agree", flush=True)
    # The first round counts COUNTs through.
    mine, yours = statistics.median(ours[1:] or ours), statistics.median(theirs)
    print(
        f"mixed, CPU-us each: ours {mine:.1f} (first {ours[0]:.1f}), dateutil {yours:.1f}:"
        f" {yours / mine:.1f} x",
        flush=True,
    )


def forms(rules: int) -> dict[str, float]:
    """Return how many times as quick as dateutil we are, by form."""
    print("by form, CPU-us each")
    asked = questions(rules)
    ratios = {}
    for n, text in enumerate(FORMS):
        picked = asked[n :: len(FORMS)][:OF_A_FORM]
        if not picked:
            continue
        series = [question.series() for question in picked]
        for one, question in zip(series, picked, strict=True):  # a COUNT is counted through
            one.following(question.after.replace(tzinfo=UTC))
        started = time.process_time()
        for one, question in zip(series, picked, strict=True):
            one.following(question.after.replace(tzinfo=UTC))
        ours = (time.process_time() - started) / len(picked) * 1e6
        some = picked[:OF_A_FORM_DATEUTIL]
        walks = [question.dateutil() for question in some]
        started = time.process_time()
        for walk, question in zip(walks, some, strict=True):
            walk.after(question.after)
        theirs = (time.process_time() - started) / len(some) * 1e6
        ratios[text] = theirs / ours
        print(
            f"  {text:50} ours {ours:9.1f}  dateutil {theirs:10.1f}  {theirs / ours:8.1f} x",
            flush=True,
        )
    return ratios


def hostile() -> dict[str, float]:
    """Rules that never come, or that a walk from the anchor takes ages for: our CPU milliseconds.

    Infinite for a rule whose process was ended.
    """
    spent = {}
    print("hostile rules: check and next, CPU-ms")
    for text in HOSTILE:
        ours = bounded(ask_us, text, OUR_SECONDS)
        spent[text] = math.inf if ours.startswith("ended") else float(ours.split()[0])
        theirs = bounded(ask_dateutil, text, THEIR_SECONDS)
        print(f"  {text:72} {ours:44}  dateutil {theirs}", flush=True)
    return spent


def bounded(ask: Callable[[str], str], text: str, seconds: float) -> str:
    """Ask in a process of its own; return the CPU milliseconds and the answer."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=answer_to, args=(ask, text, there))
    process.start()
    answer = here.recv() if here.poll(seconds) else f"ended after {seconds:.0f} s"
    process.kill()
    process.join()
    return str(answer)


def answer_to(ask: Callable[[str], str], text: str, pipe: Connection) -> None:
    started = time.process_time()
    try:
        answer = ask(text)
    except Exception as error:  # noqa: BLE001 - a refusal is an answer, whoever's it is
        answer = f"refused: {type(error).__name__}"
    pipe.send(f"{(time.process_time() - started) * 1000:9.1f} {answer}")


def ask_us(text: str) -> str:
    series = Question(text, HOSTILE_ANCHOR, HOSTILE_AFTER).series()
    series.check()
    return f"next {local(series, HOSTILE_AFTER.replace(tzinfo=UTC))}"


def ask_dateutil(text: str) -> str:
    return f"next {rrulestr(text, dtstart=HOSTILE_ANCHOR).after(HOSTILE_AFTER)}"


PARTS: dict[str, Callable[[argparse.Namespace], object]] = {
    "old": lambda given: old(),
    "mixed": lambda given: mixed(given.rules, given.rounds),
    "forms": lambda given: forms(given.rules),
    "hostile": lambda given: hostile(),
}

if __name__ == "__main__":
    main()
