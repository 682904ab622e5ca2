"""P7: the next occurrence of 10,000 mixed rules, TeleAlarm beside dateutil.rrule.after.

Usage: python recur.py [--rules 10000] [--rounds 5]

Same rules, same anchors (naive local times), same question: the first occurrence after a moment that
lies days, months or years behind the anchor. Interleaved; medians. Prints how many answers agree
(dateutil has no zone: rules are asked in UTC). Then hostile rules, each in a process of its own
that is ended after 20 s.
"""

import argparse
import multiprocessing
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import rig  # noqa: F401  (puts the checkout on the path)
from dateutil.rrule import rrulestr

from telealarm.rules import recurrence as rec

FORMS = [
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
]
HOSTILE = [
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
]


def rules(count: int) -> list[tuple[str, datetime, datetime]]:
    """Text, anchor, and the moment after which the next is asked for."""
    chance = random.Random(7)
    found = []
    for n in range(count):
        anchor = datetime(2016, 1, 1) + timedelta(
            days=chance.randrange(3000), minutes=15 * chance.randrange(96)
        )
        after = anchor + timedelta(
            days=chance.choice([1, 30, 365, 2000, 3600]), minutes=chance.randrange(1440)
        )
        found.append((FORMS[n % len(FORMS)], anchor, after))
    return found


def ours_of(text: str, anchor: datetime):
    return rec.Series(anchor, ZoneInfo("UTC"), rec.parse("", "", text))


def hostile(text: str, pipe) -> None:
    began = time.process_time()
    try:
        series = ours_of(text, datetime(2020, 1, 1, 3, 7))
        series.check()
        found = series.following(datetime(2026, 1, 1, tzinfo=UTC))
        said = f"next {found.local}" if found else "no next"
    except Exception as error:  # noqa: BLE001
        said = f"refused: {type(error).__name__}"
    pipe.send(((time.process_time() - began) * 1000, said))


def hostile_theirs(text: str, pipe) -> None:
    began = time.process_time()
    try:
        said = (
            f"next {rrulestr(text, dtstart=datetime(2020, 1, 1, 3, 7)).after(datetime(2026, 1, 1))}"
        )
    except Exception as error:  # noqa: BLE001
        said = f"{type(error).__name__}"
    pipe.send(((time.process_time() - began) * 1000, said))


def bounded(fn, text: str, seconds: float) -> tuple[float, str]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=fn, args=(text, there))
    process.start()
    if here.poll(seconds):
        said = here.recv()
        process.join()
        return said
    process.kill()
    process.join()
    return seconds * 1000, f"ended after {seconds:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=10000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    asked = rules(given.rules)
    made_ours = [ours_of(text, anchor) for text, anchor, _ in asked]
    [rrulestr(text, dtstart=anchor) for text, anchor, _ in asked]
    times: dict[str, list[float]] = {"ours": [], "ours cold": [], "dateutil": []}
    sample = range(0, given.rules, max(1, given.rules // 400))  # dateutil is slow: a part of them
    for round_ in range(given.rounds):
        began = time.process_time()
        answers = [
            s.following(after.replace(tzinfo=UTC))
            for s, (_, _, after) in zip(made_ours, asked, strict=False)
        ]
        times["ours cold" if round_ == 0 else "ours"].append(
            (time.process_time() - began) * 1000 / given.rules
        )
        fresh = [rrulestr(asked[n][0], dtstart=asked[n][1]) for n in sample]
        began = time.process_time()
        theirs = [rule.after(asked[n][2]) for rule, n in zip(fresh, sample, strict=False)]
        times["dateutil"].append((time.process_time() - began) * 1000 / len(sample))
        if round_ == 0:
            same = sum(
                (a.local if (a := answers[n]) else None) == b
                for n, b in zip(sample, theirs, strict=False)
            )
            print(f"{same} of {len(sample)} answers agree", flush=True)
        print({k: round(v[-1], 4) for k, v in times.items() if v}, flush=True)
    a, b = statistics.median(times["ours"]), statistics.median(times["dateutil"])
    print(
        f"ours {a * 1000:.1f} CPU-us each (first time {times['ours cold'][0] * 1000:.1f}), dateutil {b * 1000:.1f}: {b / a:.1f} x"
    )
    for n, text in enumerate(FORMS):
        picks = [i for i in range(given.rules) if i % len(FORMS) == n][:60]
        began = time.process_time()
        for i in picks:
            made_ours[i].following(asked[i][2].replace(tzinfo=UTC))
        mine = (time.process_time() - began) / len(picks) * 1e6
        began = time.process_time()
        for i in picks[:30]:
            rrulestr(text, dtstart=asked[i][1], cache=False).after(asked[i][2])
        yours = (time.process_time() - began) / len(picks[:30]) * 1e6
        print(f"  {text:50} ours {mine:9.1f} us  dateutil {yours:10.1f} us  {yours / mine:8.1f} x")
    print("hostile rules: check and next, CPU-ms")
    for text in HOSTILE:
        mine, yours = bounded(hostile, text, 20), bounded(hostile_theirs, text, 5)
        print(
            f"  {text:72} {mine[0]:9.1f} {mine[1]:34} dateutil {yours[0]:9.1f} {yours[1]}",
            flush=True,
        )


if __name__ == "__main__":
    main()
