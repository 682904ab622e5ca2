"""The command `telealarm`: its parser, its exit status, its errors."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from telealarm import __version__
from telealarm.cli import (
    check_config,
    dialing,
    example,
    import_file,
    init,
    migrate,
    numbers,
    person,
    plan,
    serve,
    service_user,
    token,
    user,
)
from telealarm.cli.command import Commands
from telealarm.config.places import DEFAULT_PATH, INSTALLED_PATH
from telealarm.errors import TeleAlarmError

# In the order of `telealarm --help`.
COMMANDS = (
    init,
    serve,
    migrate,
    check_config,
    numbers,
    person,
    plan,
    user,
    dialing,
    token,
    example,
    import_file,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. An error is one sentence on standard error."""
    options = parser().parse_args(argv)
    # They take longer to import than the parser needs to print its help.
    from telealarm.config import file
    from telealarm.config.model import Config

    os.umask(0o077)  # the database holds names, numbers and hashes
    try:
        settings = Config()
        if options.configured:
            settings = file.load(file.find(options.config))
            service_user.become(settings)
        status = int(options.run(settings, options))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # such as `telealarm plan | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a shell reports SIGPIPE
    except (TeleAlarmError, OSError) as error:
        print(f"telealarm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="telealarm",
        description="Calls people at the right moment, asks a question, and stores the answer.",
    )
    whole.add_argument("--version", action="version", version=f"telealarm {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        metavar="FILE",
        help=f"default: $TELEALARM_CONFIG, else {INSTALLED_PATH} if it is there, else"
        f" {Path(DEFAULT_PATH)}",
    )
    commands = Commands(whole, common)
    for command in COMMANDS:
        command.register(commands)
    return whole
