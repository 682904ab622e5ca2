"""`telealarm serve`: the API and all stages, until a signal."""

import argparse
import gc
import sys
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands

if TYPE_CHECKING:
    from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm serve`."""
    commands.add("serve", run, "run the API, the scheduler, the dialer and the surveys")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Run the service until a signal."""
    # What is loaded now stays: it need not be looked through for garbage again and again.
    gc.disable()
    leave_out_drivers(settings)
    # Here, so that other commands start without a server.
    import asyncio

    from telealarm import log
    from telealarm.service import serve

    log.configure(settings.log.level, settings.log.format)
    asyncio.run(serve(settings))
    return 0


def leave_out_drivers(settings: "Config") -> None:
    """Let peewee do without the libraries of databases that are not used.

    It loads what is installed: psycopg takes 11 MB, and a tenth of the time to start.
    """
    for name in settings.unused_drivers:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
