"""Starts the service for the measurements: its threads have names, and it may count.

Usage: python -m benchmarks.lab.variant serve --config FILE    (the arguments of `telealarm`)

VARIANT_COUNT=FILE in the environment: SIGUSR1 writes the counts of counting.py to FILE.
"""

import ctypes
import os
import threading

from telealarm.cli.main import main

_run = threading.Thread.run
_PR_SET_NAME = 15


def _run_named(thread: threading.Thread) -> None:
    """Tell the kernel the thread's name, so that /proc shows what each thread spends."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, thread.name.encode()[:15], 0, 0, 0)
    _run(thread)


if __name__ == "__main__":
    threading.Thread.run = _run_named  # type: ignore[method-assign]
    if path := os.environ.get("VARIANT_COUNT"):
        from benchmarks.lab import counting  # it loads what the service may not need

        counting.install(path)
    raise SystemExit(main())
