"""The command `telealarm`, each time in a new process, without the seconds that imports take.

A process that has all modules loaded, and nothing else, forks for each command.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

import telealarm.service  # noqa: F401 - the process that forks loads what the commands load
from telealarm.cli.main import main
from tests.lab.speed import limit


def run(
    *words: str | Path,
    stdin: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Return what `telealarm WORDS` printed, and its exit status. `env` is added to ours.

    TimeoutExpired if it still runs after `seconds` of a quick machine; it is killed then.
    """
    argv = [str(word) for word in words]
    with tempfile.TemporaryDirectory(prefix="telealarm-command-") as name:
        folder = Path(name)
        (folder / "stdin").write_text(stdin)
        # mypy does not see that `cache` keeps the type.
        context: ForkServerContext = _context()
        environment = {**os.environ, **(env or {})}
        process = context.Process(
            target=_command, args=(argv, folder, cwd or Path.cwd(), environment), daemon=True
        )
        process.start()
        allowed = limit(seconds)
        process.join(allowed)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(argv, allowed)
        out, err = ((folder / name).read_text() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(argv, process.exitcode, out, err)


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _command(argv: Sequence[str], folder: Path, cwd: Path, environment: Mapping[str, str]) -> None:
    """In the new process: be what the shell would have started."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        os.dup2(os.open(folder / name, flags, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
    )
    sys.argv = ["telealarm", *argv]
    sys.exit(main(argv))
