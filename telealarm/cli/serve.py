"""`telealarm serve`: the API and all stages, until a signal."""

import argparse
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands

if TYPE_CHECKING:
    from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm serve`."""
    commands.add("serve", run, "run the API, the scheduler, the dialer and the surveys")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Run the service until a signal."""
    # Here, so that other commands start without a server.
    import asyncio

    from telealarm import log
    from telealarm.service import serve

    log.configure(settings.log.level, settings.log.format)
    asyncio.run(serve(settings))
    return 0
