"""`telealarm serve`: the API and all stages, until a signal."""

import argparse
import asyncio

from telealarm import log
from telealarm.cli.command import Commands
from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm serve`."""
    commands.add("serve", run, "run the API, the scheduler, the dialer and the surveys")


def run(settings: Config, options: argparse.Namespace) -> int:
    """Run the service until a signal."""
    from telealarm.service import serve  # here, so that other commands start without a server

    log.configure(settings.log.level, settings.log.format)
    asyncio.run(serve(settings))
    return 0
