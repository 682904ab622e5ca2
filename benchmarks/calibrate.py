"""How fast this machine is now: CPU-ms of a fixed piece of pure Python, and of 1,000 peewee reads.

Usage: python calibrate.py       (compare the figures of two moments before comparing CPU-ms)
"""

import tempfile
import time

import rig  # noqa: F401

from telealarm.config.model import Config
from telealarm.models import CallRequest
from telealarm.store.open import open_database


def spin() -> float:
    began = time.process_time()
    total = 0
    for n in range(2_000_000):
        total += n & 7
    return (time.process_time() - began) * 1000


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(Config(database=f"sqlite:///{folder}/x.db"))
        with db.peewee.connection_context():
            best = min(spin() for _ in range(5))
            times = []
            for _ in range(5):
                began = time.process_time()
                for n in range(200):
                    CallRequest.get_or_none(
                        CallRequest.id == n, CallRequest.worker == "x", CallRequest.fence == 1
                    )
                times.append((time.process_time() - began) * 1000 / 200)
            print(
                f"spin {best:.0f} CPU-ms; a peewee get of a call row {min(times) * 1000:.0f} CPU-us",
                open("/proc/loadavg").read().split()[0],
            )
