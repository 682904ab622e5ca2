"""What every subcommand shares: its type, its options, and its own part of the parser."""

import argparse
from collections.abc import Callable

from telealarm.config.model import Config

# Runs a subcommand; returns its exit status.
Command = Callable[[Config, argparse.Namespace], int]

PASSWORD_STDIN = "read it from standard input"


class Commands:
    """A group of subcommands: `telealarm ...`, or `telealarm user ...`.

    `common` holds the options that every subcommand takes.
    """

    def __init__(self, parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(required=True, metavar="COMMAND")
        self._common = common

    def add(self, name: str, run: Command, help_text: str) -> argparse.ArgumentParser:
        """Return the parser of a new subcommand that `run` carries out."""
        parser = self._commands.add_parser(name, help=help_text, parents=[self._common])
        parser.set_defaults(run=run)
        return parser

    def group(self, name: str, help_text: str) -> "Commands":
        """Return a new group of subcommands below this one."""
        return Commands(self._commands.add_parser(name, help=help_text), self._common)
