"""What all subcommands share: their type, their options, and their part of the parser."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telealarm.config.model import Config


# Runs a subcommand; returns its exit status.
Command = Callable[["Config", argparse.Namespace], int]

PASSWORD_STDIN = "read it from standard input"


class Commands:
    """A group of subcommands: `telealarm ...`, or `telealarm user ...`.

    `common` has the options of every subcommand.
    """

    def __init__(self, parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(required=True, metavar="COMMAND")
        self._common = common

    def add(self, name: str, run: Command, help_text: str) -> argparse.ArgumentParser:
        """Add a subcommand that `run` executes. Return its parser.

        A command that needs no configuration sets `configured=False`.
        """
        parser = self._commands.add_parser(name, help=help_text, parents=[self._common])
        parser.set_defaults(run=run, configured=True)
        return parser

    def group(self, name: str, help_text: str) -> "Commands":
        """Add a group of subcommands below this one, and return it."""
        return Commands(self._commands.add_parser(name, help=help_text), self._common)
