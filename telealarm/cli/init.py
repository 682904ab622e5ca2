"""`telealarm init`: make a working installation, and say what to do next."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands

if TYPE_CHECKING:
    from telealarm.config.model import Config
    from telealarm.installing.installation import Installer


def register(commands: Commands) -> None:
    """Add `telealarm init`."""
    parser = commands.add(
        "init", run, "make a working installation: folders, user, secrets, configuration"
    )
    parser.set_defaults(configured=False)
    parser.add_argument(
        "--root",
        "--prefix",
        type=Path,
        default=Path("/"),
        metavar="FOLDER",
        help="a try-out: put everything below FOLDER; no user is added",
    )
    parser.add_argument(
        "--asterisk",
        type=Path,
        metavar="FOLDER",
        help="the root folder of Asterisk; default: / or /srv/asterisk",
    )
    parser.add_argument("--trunk", metavar="HOST[:PORT]", help="the SIP server of your provider")
    parser.add_argument("--timezone", metavar="ZONE", help="default: the time zone of this machine")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Make what is missing, print each file, and what to do next."""
    from telealarm.installing.files import SAVED, Outcome
    from telealarm.installing.installation import Installer, Wishes

    wishes = Wishes(
        root=options.root.absolute(),
        asterisk=options.asterisk.absolute() if options.asterisk else None,
        trunk=options.trunk,
        timezone=options.timezone,
    )
    installer = Installer(wishes)
    installer.run()
    if installer.user_added:
        print("made: the user telealarm")
    for path, outcome in installer.files.report:
        if outcome is not Outcome.SAME:
            print(f"{path}: {outcome}")
        if outcome is Outcome.MADE and path.with_name(path.name + SAVED).exists():
            print(f"  (what the package had there is {path.name}{SAVED} now)")
    print(f"{len(installer.files.report)} files and folders are there")
    print("\nNext:")
    for number, step in enumerate(_steps(installer), start=1):
        print(f"{number}. {step}")
    return 0


def _steps(installer: "Installer") -> list[str]:
    """Return what the operator has to do, in order."""
    from telealarm.installing import asterisk_files
    from telealarm.installing.files import BESIDE

    steps = list(installer.remarks)
    for path in asterisk_files.must_merge(installer.files):
        steps.append(f"merge {path}{BESIDE} into {path}, which had been edited")
    if installer.asterisk is None:
        steps.append(
            "install an Asterisk (docs/how-to/install.md), and repeat `telealarm init`: it fills in"
            " Asterisk's files"
        )
    elif installer.wishes.trunk is None:
        steps.append(
            f"name your provider: `telealarm init --trunk HOST`, or write"
            f" {installer.asterisk.etc}/pjsip.conf yourself and list its endpoint in"
            f" asterisk.trunks of {installer.config}; until then only the phone 101 of pjsip.conf"
            " can be called"
        )
    if installer.wishes.is_tried_out:
        command = f"telealarm check-config --config {installer.config}"
        return [*steps, f"look at the files below {installer.wishes.root}", f"try: {command}"]
    changed = installer.files.changed()
    if not changed:
        return [*steps, "nothing has changed: nothing needs a restart"]
    steps.append("systemctl daemon-reload")
    if installer.asterisk is not None and any(
        installer.asterisk.etc in path.parents for path in changed
    ):
        steps.append("systemctl enable asterisk && systemctl restart asterisk (it ends its calls)")
    steps.append(
        "add a login: echo 'a long password' |"
        " telealarm user add admin --superuser --password-stdin"
    )
    steps.append("telealarm check-config")
    steps.append("systemctl enable --now telealarm, or systemctl restart telealarm if it runs")
    return steps
