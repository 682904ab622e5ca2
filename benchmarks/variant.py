"""`telealarm serve`, watched as VARIANT_COUNT says; the arguments are those of `telealarm`.

VARIANT_COUNT=FILE   count statements, requests, events, log lines and commits by stage; JSON at exit
"""

import ctypes
import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, os.environ["TELEALARM_REPO"])
sys.path.insert(0, str(Path(__file__).parent))

_run = threading.Thread.run
_PR_SET_NAME = 15


def _named(self: threading.Thread) -> None:
    """The kernel knows the thread by its name, so that /proc tells what each one spends."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, self.name.encode()[:15], 0, 0, 0)
    _run(self)


threading.Thread.run = _named  # type: ignore[method-assign]

if os.environ.get("VARIANT_COUNT"):
    import counting

    counting.install(os.environ["VARIANT_COUNT"])

from telealarm.cli.main import main  # noqa: E402

raise SystemExit(main())
