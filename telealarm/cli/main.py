"""The command `telealarm`."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from telealarm import __version__, log
from telealarm.clock import utcnow
from telealarm.config import file
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError

Command = Callable[[Config, argparse.Namespace], int]

EXAMPLES = ("wakeup", "appointment", "personal")
PASSWORD_STDIN = "read it from standard input"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status. An error is one clear sentence on standard error."""
    options = _parser().parse_args(argv)
    os.umask(0o077)  # the database holds names, numbers and hashes
    path = file.find(options.config)
    try:
        settings = file.load(path)
        status = int(options.run(settings, options))
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `telealarm plan | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as a shell tells of SIGPIPE
    except TeleAlarmError as error:
        print(f"telealarm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.service import serve  # the commands that need no server start without it

    log.configure(settings.log.level, settings.log.format)
    asyncio.run(serve(settings))
    return 0


def _migrate(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.engine import database

    applied = open.migrate(database.connect(settings), settings)
    where = database.place(settings)
    print(f"{where}: {', '.join(applied) or 'nothing to do'}")
    return 0


def _user_add(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import users as access_users

    password = sys.stdin.readline().rstrip("\r\n")
    db = open.open_database(settings)
    db.run(lambda: access_users.add_user(options.name, password, is_superuser=options.superuser))
    kind = "superuser" if options.superuser else "manager"
    print(f"{kind} {options.name} added")
    return 0


def _user_list(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import users as access_users

    db = open.open_database(settings)
    print("id\tname\tkind\tactive\tcreated")
    for user in db.run(access_users.users):
        kind = "superuser" if user.is_superuser else "manager"
        active = "yes" if user.is_active else "no"
        print(user.id, user.username, kind, active, f"{user.created:%Y-%m-%d %H:%M}Z", sep="\t")
    return 0


def _user_password(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import users as access_users

    password = sys.stdin.readline().rstrip("\r\n")
    db = open.open_database(settings)
    db.run(lambda: access_users.set_password(access_users.named(options.name), password))
    print(f"{options.name} has a new password")
    return 0


def _user_active(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import users as access_users

    db = open.open_database(settings)
    db.run(lambda: access_users.set_active(access_users.named(options.name), active=options.active))
    print(f"{options.name} {'enabled' if options.active else 'disabled'}")
    return 0


def _user_remove(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import users as access_users

    db = open.open_database(settings)
    db.run(lambda: access_users.remove_unused(access_users.named(options.name)))
    print(f"{options.name} removed")
    return 0


def _dialing_pause(settings: Config, options: argparse.Namespace) -> int:
    return _dialing(settings, options.gateway, paused=True)


def _dialing_resume(settings: Config, options: argparse.Namespace) -> int:
    return _dialing(settings, options.gateway, paused=False)


def _dialing(settings: Config, name: str | None, *, paused: bool) -> int:
    from telealarm.store import open
    from telealarm.store.dialing import pauses

    def change() -> list[str]:
        gateway = pauses.gateway_named(name) if name is not None else None
        (pauses.pause if paused else pauses.resume)(gateway, utcnow())
        return pauses.said()

    said = open.open_database(settings).run(change)
    print("\n".join(said) or "dialing goes on")
    return 0


def _token_add(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import tokens
    from telealarm.store.access import users as access_users

    db = open.open_database(settings)
    # Alone on standard output, so that a script can keep it; it is never shown again.
    print(db.run(lambda: tokens.add(access_users.named(options.user), options.name)))
    return 0


def _token_list(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import tokens
    from telealarm.store.access import users as access_users

    db = open.open_database(settings)
    found = db.run(lambda: tokens.of(access_users.named(options.user) if options.user else None))
    print("id\tuser\tname\tcreated\tlast used\trevoked")
    for token in found:
        moments = (token.created, token.last_used, token.revoked)
        said = [f"{moment:%Y-%m-%d %H:%M}Z" if moment else "-" for moment in moments]
        print(token.id, token.owner.username, token.name, *said, sep="\t")
    return 0


def _token_revoke(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.store import open
    from telealarm.store.access import tokens

    db = open.open_database(settings)
    token = db.run(lambda: tokens.revoke(options.id, utcnow()))
    print(f"token {token.id} ({token.name}) revoked")
    return 0


def _plan(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.cli import plan as cli_plan
    from telealarm.store import open

    db = open.open_database(settings)
    db.look(lambda: cli_plan.show(settings, options.days, utcnow(), print))
    return 0


def _example(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.cli import example
    from telealarm.store import open

    db = open.open_database(settings)
    about, steps = example.read(options.name)
    print(about)
    asked = example.Asked(
        user=options.user,
        number=options.number,
        reception=options.reception,
        gateway=options.gateway,
        sms_gateway=options.sms_gateway,
        timezone=options.timezone or settings.timezone,
    )
    done = example.load(db, settings, steps, asked, dry_run=options.dry_run)
    for one in done:
        print(one.what, one.path, one.said, sep="\t")
    changed = sum(one.what != "kept" for one in done)
    what = "nothing was written (dry run)" if options.dry_run else f"{changed} written"
    print(f"{len(done)} steps, {what}")
    return 0


def _import(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.cli.import_file import Options, run
    from telealarm.store import open

    db = open.open_database(settings)
    asked = Options(
        path=Path(options.file),
        calendar=options.calendar,
        user=options.user,
        number=options.number,
        advance_seconds=options.advance,
        dry_run=options.dry_run,
    )
    return run(settings, db, asked)


def _check_config(settings: Config, options: argparse.Namespace) -> int:
    from telealarm.doctor import check

    mistakes, remarks = asyncio.run(check(settings))
    for remark in remarks:
        print(f"remark: {remark}")
    for mistake in mistakes:
        print(f"wrong: {mistake}", file=sys.stderr)
    if not mistakes:
        print(f"{file.find(options.config)}: ok")
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
        help=f"else $TELEALARM_CONFIG, else {Path(file.DEFAULT_PATH)}",
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
    add.add_argument("--password-stdin", action="store_true", required=True, help=PASSWORD_STDIN)
    add.set_defaults(run=_user_add)
    listed = users.add_parser("list", help="who logs in", parents=[common])
    listed.set_defaults(run=_user_list)
    for word, run, said in (
        ("password", _user_password, "give a login another password"),
        ("disable", _user_active, "let nobody log in by this name"),
        ("enable", _user_active, "take that back"),
        ("remove", _user_remove, "delete a login that owns nothing"),
    ):
        one = users.add_parser(word, help=said, parents=[common])
        one.add_argument("name", metavar="NAME")
        one.set_defaults(run=run, active=word == "enable")
        if word == "password":
            one.add_argument(
                "--password-stdin", action="store_true", required=True, help=PASSWORD_STDIN
            )
    dialing = commands.add_parser("dialing", help="stop placing calls, and go on")
    dialings = dialing.add_subparsers(required=True, metavar="COMMAND")
    for word, run, said in (
        ("pause", _dialing_pause, "place no new call; calls that are up go on, what is due waits"),
        ("resume", _dialing_resume, "place calls again; what waits goes at once"),
    ):
        one = dialings.add_parser(word, help=said, parents=[common])
        one.add_argument("--gateway", metavar="NAME", help="through this gateway alone")
        one.set_defaults(run=run)
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
    ready = command("example", _example, "load a ready example for a manager")
    ready.add_argument("name", metavar="wakeup|appointment|personal", choices=EXAMPLES)
    ready.add_argument("--user", required=True, help="the manager who gets it")
    ready.add_argument("--number", required=True, help="the phone that its alarms ring")
    ready.add_argument("--reception", default="", help="told by SMS of calls that failed")
    ready.add_argument("--gateway", metavar="NAME", help="else the first active one")
    ready.add_argument("--sms-gateway", metavar="NAME", help="else the first active one")
    ready.add_argument("--timezone", metavar="ZONE", help="else the configuration's")
    ready.add_argument("--dry-run", action="store_true", help="say what would be written")
    imported = command("import", _import, "import events from a CSV or an iCalendar file")
    imported.add_argument("file", metavar="FILE.csv|FILE.ics")
    imported.add_argument("--calendar", metavar="ID|NAME", help="else the column of that name")
    imported.add_argument("--user", metavar="MANAGER", help="whose calendar that is")
    imported.add_argument("--number", help="the phone that the alarms of an iCalendar file ring")
    imported.add_argument(
        "--advance",
        metavar="SECONDS",
        type=int,
        default=0,
        help="how long before, where an event of an iCalendar file has no alarm of its own",
    )
    imported.add_argument("--dry-run", action="store_true", help="say what would be written")
    return parser
