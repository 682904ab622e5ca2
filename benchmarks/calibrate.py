"""How fast this machine is now: CPU time of a fixed piece of Python, and of reads by peewee.

Usage: python -m benchmarks.calibrate

Compare its figures of two moments before you compare CPU milliseconds of these moments.
"""

import argparse
import tempfile
import time
from collections.abc import Callable

from benchmarks.lab.meters import load
from telealarm.config.model import Config
from telealarm.models import CallRequest
from telealarm.store.open import open_database

READS = 200
RUNS = 5


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(Config(database=f"sqlite:///{folder}/x.db"))
        with db.peewee.connection_context():
            spun = best(spin)
            read = best(read_calls) * 1000 / READS
    print(f"spin {spun:.0f} CPU-ms; a peewee get of a call row {read:.0f} CPU-us; load {load()}")


def best(work: Callable[[], object]) -> float:
    """Return the fewest CPU milliseconds of some runs."""
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1000)
    return min(times)


def spin() -> int:
    total = 0
    for n in range(2_000_000):
        total += n & 7
    return total


def read_calls() -> None:
    worker, fence = CallRequest.worker == "x", CallRequest.fence == 1
    for n in range(READS):
        CallRequest.get_or_none(CallRequest.id == n, worker, fence)


if __name__ == "__main__":
    main()
