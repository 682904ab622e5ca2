"""A wall clock that one process reads and a test turns, by Debian's libfaketime."""

from datetime import UTC, datetime
from pathlib import Path

# The loader finds the library of the machine's own architecture.
LIBRARY = "/usr/$LIB/faketime/libfaketimeMT.so.1"


class ShiftedClock:
    """The clock of processes that are started with `environment`; the monotonic one is not turned.

    What such a process reads is the real time and a shift, which stands in a file.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "shift"
        self._file.write_text("+0")
        self.environment = {
            "LD_PRELOAD": LIBRARY,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def turn(self, moment: datetime) -> None:
        """From now on the clock goes on from `moment`."""
        shift = (moment - datetime.now(UTC)).total_seconds()
        new = self._file.with_suffix(".new")
        new.write_text(f"{shift:+.3f}")
        new.replace(self._file)
