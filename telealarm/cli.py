"""The command `telealarm`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from telealarm import __version__, config, log
from telealarm.clock import utcnow
from telealarm.config import Config
from telealarm.errors import TeleAlarmError

Command = Callable[[Config, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. An error is one clear sentence on standard error."""
    options = _parser().parse_args(argv)
    os.umask(0o077)  # the database holds names, numbers and hashes
    path = config.find(options.config)
    try:
        settings = config.load(path)
        run: Command = options.run
        return run(settings, options)
    except TeleAlarmError as error:
        print(f"telealarm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.app import serve  # the commands that need no server start without it

    log.configure(settings.log.level, settings.log.format)
    asyncio.run(serve(settings))
    return 0


def _migrate(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import database, schema

    applied = schema.migrate(database.connect(settings), settings)
    where = database.place(settings)
    print(f"{where}: {', '.join(applied) or 'nothing to do'}")
    return 0


def _user_add(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import accounts, schema

    password = sys.stdin.readline().rstrip("\r\n")
    db = schema.open_database(settings)
    db.run(lambda: accounts.add_user(options.name, password, is_superuser=options.superuser))
    kind = "superuser" if options.superuser else "manager"
    print(f"{kind} {options.name} added")
    return 0


def _token_add(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import accounts, schema, tokens

    db = schema.open_database(settings)
    # Alone on standard output, so that a script can keep it; it is never shown again.
    print(db.run(lambda: tokens.add(accounts.named(options.user), options.name)))
    return 0


def _token_list(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import accounts, schema, tokens

    db = schema.open_database(settings)
    found = db.run(lambda: tokens.of(accounts.named(options.user) if options.user else None))
    print("id\tuser\tname\tcreated\tlast used\trevoked")
    for token in found:
        moments = (token.created, token.last_used, token.revoked)
        said = [f"{moment:%Y-%m-%d %H:%M}Z" if moment else "-" for moment in moments]
        print(token.id, token.owner.username, token.name, *said, sep="\t")
    return 0


def _token_revoke(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import schema, tokens

    db = schema.open_database(settings)
    token = db.run(lambda: tokens.revoke(options.id, utcnow()))
    print(f"token {token.id} ({token.name}) revoked")
    return 0


def _plan(settings: Config, options: argparse.Namespace) -> int:
    from telealarm import dry_run
    from telealarm.store import schema

    db = schema.open_database(settings)
    db.look(lambda: dry_run.show(settings, options.days, utcnow(), print))
    return 0


def _check_config(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.check import check

    mistakes, remarks = asyncio.run(check(settings))
    for remark in remarks:
        print(f"remark: {remark}")
    for mistake in mistakes:
        print(f"wrong: {mistake}", file=sys.stderr)
    if not mistakes:
        print(f"{config.find(options.config)}: ok")
    return 1 if mistakes else 0


def _days(text: str) -> int:
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= days <= 366:
        raise argparse.ArgumentTypeError("a whole number of days from 1 to 366")
    return days


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="telealarm", description="Rings people at the right moment, asks, keeps the answer."
    )
    parser.add_argument("--version", action="version", version=f"telealarm {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        metavar="FILE",
        help=f"else $TELEALARM_CONFIG, else {Path(config.DEFAULT_PATH)}",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, parents=[common])
        sub.set_defaults(run=run)
        return sub

    command("serve", _serve, "run the API, the scheduler, the dialer and the surveys")
    command("migrate", _migrate, "make or migrate the database")
    command("check-config", _check_config, "say what is wrong with the configuration")
    plan = command("plan", _plan, "the dry run: what would be called, put off or left out, and why")
    plan.add_argument(
        "--days", type=_days, default=30, metavar="N", help="how far ahead, 30 by default"
    )
    user = commands.add_parser("user", help="who logs in")
    users = user.add_subparsers(required=True, metavar="COMMAND")
    add = users.add_parser("add", help="add a manager or a superuser", parents=[common])
    add.add_argument("name", metavar="NAME")
    add.add_argument("--superuser", action="store_true")
    add.add_argument(
        "--password-stdin", action="store_true", required=True, help="read it from standard input"
    )
    add.set_defaults(run=_user_add)
    token = commands.add_parser("token", help="how programs log in")
    tokens = token.add_subparsers(required=True, metavar="COMMAND")
    add = tokens.add_parser("add", help="make a token; it is shown once", parents=[common])
    add.add_argument("user", metavar="USER")
    add.add_argument("--name", required=True, help="what it is for")
    add.set_defaults(run=_token_add)
    listed = tokens.add_parser("list", help="every token, without its text", parents=[common])
    listed.add_argument("user", metavar="USER", nargs="?")
    listed.set_defaults(run=_token_list)
    revoke = tokens.add_parser("revoke", help="call a token back for good", parents=[common])
    revoke.add_argument("id", metavar="ID", type=int)
    revoke.set_defaults(run=_token_revoke)
    return parser
