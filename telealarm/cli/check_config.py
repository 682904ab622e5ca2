"""`telealarm check-config`: report faults of the configuration, and of what it names."""

import argparse
import sys
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands

if TYPE_CHECKING:
    from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm check-config`."""
    commands.add("check-config", run, "report faults of the configuration")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Print faults and remarks. Return 1 if there are faults."""
    import asyncio

    from telealarm import zone_data
    from telealarm.config import file
    from telealarm.doctor import check

    mistakes, remarks = asyncio.run(check(settings))
    print(f"time zones: {zone_data.description()}")
    for remark in remarks:
        print(f"remark: {remark}")
    for mistake in mistakes:
        print(f"wrong: {mistake}", file=sys.stderr)
    if not mistakes:
        print(f"{file.find(options.config)}: ok")
    return 1 if mistakes else 0
