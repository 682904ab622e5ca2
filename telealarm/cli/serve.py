"""`telealarm serve`: the API and all stages, until a signal."""

import argparse
import asyncio

from telealarm import log
from telealarm.cli.command import Commands
from telealarm.config.model import Config


def register(commands: Commands) -> None:
    commands.add("serve", run, "run the API, the scheduler, the dialer and the surveys")


def run(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.service import serve  # the commands that need no server start without it

    log.configure(settings.log.level, settings.log.format)
    asyncio.run(serve(settings))
    return 0
