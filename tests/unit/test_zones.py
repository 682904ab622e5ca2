"""Time zones: the package's own data serve where the system has none."""

import os
import subprocess
import sys


def test_zones_are_known_without_any_of_the_system() -> None:
    program = (
        "from datetime import datetime; from zoneinfo import ZoneInfo;"
        "from telealarm.rules.dates import to_utc;"
        "print(to_utc(datetime(2027, 3, 28, 2, 30), ZoneInfo('Europe/Madrid')))"
    )
    environment = {**os.environ, "PYTHONTZPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("2027-03-28 01:30:00+00:00\n", 0), done.stderr
