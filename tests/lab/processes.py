"""Child processes: started, watched and ended by their own id, never left behind."""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.lab.speed import limit

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """One child process. What it prints goes to the file `output`.

    `become`, where given, runs in the child before the program does (chroot, another user).
    The child is killed when its parent dies, whatever the parent died of; the kernel takes the
    thread that starts it for the parent, so start it from one that lasts.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        output: Path,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        become: Callable[[], None] | None = None,
    ) -> None:
        self.output = output
        parent = os.getpid()

        def prepare() -> None:
            if become:
                become()
            # After `become`: the kernel forgets this order when the user changes.
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with output.open("ab") as out:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=env,
                preexec_fn=prepare,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit status, minus the signal if one ended it, None while it runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if the process still is there."""
        if self.running:
            self._process.send_signal(number)

    def wait_for(self, seconds: float) -> int:
        """The exit status, as `wait`, where no event loop runs."""
        return self._process.wait(seconds)

    async def wait(self, seconds: float) -> int:
        """The exit status; TimeoutExpired if it still runs after `seconds`."""
        return await asyncio.to_thread(self._process.wait, seconds)

    async def kill(self) -> None:
        """End it by SIGKILL, as a crash would."""
        self.signal(signal.SIGKILL)
        await self.wait(limit(10))

    async def terminate(self, seconds: float = 10) -> int:
        """End it by SIGTERM, and by SIGKILL if it runs on for `seconds` of a quick machine."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return await self.wait(limit(seconds))
        except subprocess.TimeoutExpired:
            await self.kill()
            return -signal.SIGKILL

    def tail(self, lines: int = 30) -> str:
        """The last lines that it printed."""
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-lines:])
