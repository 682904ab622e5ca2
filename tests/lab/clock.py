"""A wall clock of one's own for a process: TeleAlarm is run at another time, and the time jumps.

libfaketime (Debian) shifts what the process reads as the time of day. The monotonic clock goes on
as it does when a machine's clock is set, and so do Asterisk and the phones.
"""

import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

_LIBRARY = "libfaketimeMT.so.1"


class Clock:
    """`Serve(asterisk, clock=clock)`; then `clock.set(moment)`, at any time and any number of
    times. The process reads the new time at once.
    """

    def __init__(self, moment: datetime | None = None) -> None:
        self.shift = timedelta()
        handle, name = tempfile.mkstemp(prefix="telealarm-clock-")
        os.close(handle)
        self._file = Path(name)
        if moment is not None:
            self.set(moment)
        else:
            self.turn(timedelta())

    @property
    def now(self) -> datetime:
        """What the processes under this clock read."""
        return datetime.now(UTC) + self.shift

    def set(self, moment: datetime) -> None:
        """Put the clock to this moment; from there it goes on."""
        self.shift = moment - datetime.now(UTC)
        self.turn(timedelta())

    def turn(self, by: timedelta) -> None:
        """Put the clock on, or back."""
        self.shift += by
        # Replaced as a whole: a process never reads half of it.
        new = self._file.with_suffix(".new")
        new.write_text(f"{self.shift.total_seconds():+.6f}\n")
        new.replace(self._file)

    def env(self) -> Mapping[str, str]:
        """The environment of a process under this clock. FileNotFoundError without the library."""
        return {
            **os.environ,
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def remove(self) -> None:
        """Remove its file, once no process reads it any more."""
        self._file.unlink(missing_ok=True)


def _library() -> Path:
    for found in sorted(Path("/usr/lib").glob(f"**/faketime/{_LIBRARY}")):
        return found
    raise FileNotFoundError(f"{_LIBRARY} is missing; run `make test`, or install libfaketime")
