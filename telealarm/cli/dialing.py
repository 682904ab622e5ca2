"""`telealarm dialing`: pause and resume the calls."""

import argparse
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands
from telealarm.clock import utcnow

if TYPE_CHECKING:
    from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm dialing` and its subcommands."""
    dialing = commands.group("dialing", "pause and resume the calls")
    for word, run, help_text in (
        ("pause", pause, "place no new calls; live calls continue, due calls wait"),
        ("resume", resume, "place calls again; waiting calls start at once"),
    ):
        parser = dialing.add(word, run, help_text)
        parser.add_argument("--gateway", metavar="NAME", help="only through this gateway")


def pause(settings: "Config", options: argparse.Namespace) -> int:
    """Pause dialing, as a whole or through one gateway."""
    return _change(settings, options.gateway, paused=True)


def resume(settings: "Config", options: argparse.Namespace) -> int:
    """End such a pause."""
    return _change(settings, options.gateway, paused=False)


def _change(settings: "Config", name: str | None, *, paused: bool) -> int:
    from telealarm.store import audit
    from telealarm.store.dialing import pauses
    from telealarm.store.open import open_database

    def change() -> list[str]:
        gateway = pauses.gateway_named(name) if name is not None else None
        (pauses.pause if paused else pauses.resume)(gateway, utcnow())
        asked = {"gateway": (None, gateway.id)} if gateway else {}
        word = "pause" if paused else "resume"
        audit.add(audit.by_command(), "dialing", None, word, asked, owner_id=None)
        return pauses.descriptions()

    state = open_database(settings).run(change)
    print("\n".join(state) or "dialing goes on")
    return 0
