"""`make demo KEEP=1`: the demo runs on behind, while the terminal is free for curl."""

import os
import signal
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "var"
PID, LOG = FOLDER / "demo.pid", FOLDER / "demo.log"
_pipe: int | None = None


def leave_behind() -> None:
    """Go on in a child; the parent waits until it is `ready` or has ended, and exits like it."""
    global _pipe
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        _pipe = writer
        return
    os.close(writer)
    is_ready = os.read(reader, 1) == b"+"
    if not is_ready:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    os._exit(0)


def ready() -> None:
    """Note the process id, let go of the terminal, and let the parent exit."""
    FOLDER.mkdir(exist_ok=True)
    PID.write_text(str(os.getpid()))
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    sys.stdout.flush()
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    if _pipe is not None:
        os.write(_pipe, b"+")
        os.close(_pipe)


def stop() -> None:
    """End the demo that an earlier run left behind, and wait for it."""
    try:
        pid = int(PID.read_text())
        PID.unlink()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"tests.lab.demo" not in command:
            return
        print("ending the demo that was left running", flush=True)
        os.kill(pid, signal.SIGTERM)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.1)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return


def describe(url: str, user: str, password: str) -> None:
    """What a newcomer needs to try it."""
    base = f"{url}/rest-api"
    curl = f"curl -u {user}:{password}"
    print(
        f"""
It runs on. URL: {base}/   login: {user}   password: {password}

  API={base}
  LOGIN={user}:{password}

  {curl} {base}/alarm/
  {curl} {base}/alarm/1/timeline/
  {curl} -H 'Content-Type: application/json' -X POST \\
    --data '{{"alarm": 1}}' {base}/alarm-request/

The third rings Ann's phone again. End it all with: make demo-stop
"""
    )
