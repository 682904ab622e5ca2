"""`telealarm dialing`: stop placing calls, and place them again."""

import argparse

from telealarm.cli.command import Commands
from telealarm.clock import utcnow
from telealarm.config.model import Config


def register(commands: Commands) -> None:
    dialing = commands.group("dialing", "stop placing calls, and go on")
    for word, run, help_text in (
        ("pause", pause, "place no new call; calls that are up go on, what is due waits"),
        ("resume", resume, "place calls again; what waits goes at once"),
    ):
        parser = dialing.add(word, run, help_text)
        parser.add_argument("--gateway", metavar="NAME", help="through this gateway alone")


def pause(settings: Config, options: argparse.Namespace) -> int:
    return _change(settings, options.gateway, paused=True)


def resume(settings: Config, options: argparse.Namespace) -> int:
    return _change(settings, options.gateway, paused=False)


def _change(settings: Config, name: str | None, *, paused: bool) -> int:
    from telealarm.store.dialing import pauses
    from telealarm.store.open import open_database

    def change() -> list[str]:
        gateway = pauses.gateway_named(name) if name is not None else None
        (pauses.pause if paused else pauses.resume)(gateway, utcnow())
        return pauses.said()

    state = open_database(settings).run(change)
    print("\n".join(state) or "dialing goes on")
    return 0
