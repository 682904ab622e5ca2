"""`telealarm user`: the logins."""

import argparse
import sys
from typing import TYPE_CHECKING

from telealarm.cli.command import PASSWORD_STDIN, Commands
from telealarm.clock import utcnow

if TYPE_CHECKING:
    from telealarm.config.model import Config
    from telealarm.models import User
    from telealarm.store.audit import Changes


def register(commands: Commands) -> None:
    """Add `telealarm user` and its subcommands."""
    users = commands.group("user", "the logins")
    parser = users.add("add", add, "add a manager or a superuser")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--superuser", action="store_true")
    _take_password(parser)
    users.add("list", list_all, "list the logins")
    parser = users.add("password", change_password, "give a login another password")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--keep-tokens", action="store_true", help="do not revoke the tokens of the login"
    )
    _take_password(parser)
    for word, help_text in (
        ("disable", "refuse this login"),
        ("enable", "allow this login again"),
    ):
        parser = users.add(word, set_active, help_text)
        parser.add_argument("name", metavar="NAME")
        parser.set_defaults(active=word == "enable")
    parser = users.add("remove", remove, "delete a login that owns nothing")
    parser.add_argument("name", metavar="NAME")


def _take_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-stdin", action="store_true", required=True, help=PASSWORD_STDIN)


def add(settings: "Config", options: argparse.Namespace) -> int:
    """Create a login. The password is read from standard input."""
    from telealarm.store.access import users
    from telealarm.store.open import open_database

    password = sys.stdin.readline().rstrip("\r\n")
    db = open_database(settings)

    def write() -> None:
        user = users.add_user(options.name, password, is_superuser=options.superuser)
        names = {"username": options.name, "is_superuser": options.superuser}
        _audit(user, "create", {name: (None, value) for name, value in names.items()})

    db.run(write)
    kind = "superuser" if options.superuser else "manager"
    print(f"{kind} {options.name} added")
    return 0


def list_all(settings: "Config", options: argparse.Namespace) -> int:
    """Print all logins."""
    from telealarm.store.access import users
    from telealarm.store.open import open_database

    db = open_database(settings)
    print("id\tname\tkind\tactive\tcreated")
    for user in db.run(users.users):
        kind = "superuser" if user.is_superuser else "manager"
        active = "yes" if user.is_active else "no"
        print(user.id, user.username, kind, active, f"{user.created:%Y-%m-%d %H:%M}Z", sep="\t")
    return 0


def change_password(settings: "Config", options: argparse.Namespace) -> int:
    """Change a password. It is read from standard input."""
    from telealarm.store.access import users
    from telealarm.store.open import open_database

    password = sys.stdin.readline().rstrip("\r\n")
    db = open_database(settings)

    def write() -> int:
        user = users.named(options.name)
        revoked = users.set_password(user, password, utcnow(), keep_tokens=options.keep_tokens)
        _audit(user, "change", {"password": (None, "changed")})
        return revoked

    revoked = db.run(write)
    print(f"{options.name} has a new password")
    if revoked:
        print(f"tokens revoked: {revoked}")
    return 0


def set_active(settings: "Config", options: argparse.Namespace) -> int:
    """Allow or refuse a login."""
    from telealarm.store.access import users
    from telealarm.store.open import open_database

    db = open_database(settings)

    def write() -> None:
        user = users.named(options.name)
        before = user.is_active
        users.set_active(user, active=options.active)
        if before != options.active:
            _audit(user, "change", {"is_active": (before, options.active)})

    db.run(write)
    print(f"{options.name} {'enabled' if options.active else 'disabled'}")
    return 0


def remove(settings: "Config", options: argparse.Namespace) -> int:
    """Delete a login that owns nothing."""
    from telealarm.store.access import users
    from telealarm.store.open import open_database

    db = open_database(settings)

    def write() -> None:
        user = users.named(options.name)
        users.remove_unused(user)
        _audit(user, "delete", {"username": (user.username, None)}, is_gone=True)

    db.run(write)
    print(f"{options.name} removed")
    return 0


def _audit(user: "User", action: str, changes: "Changes", *, is_gone: bool = False) -> None:
    from telealarm.store import audit

    owner_id = None if is_gone else user.id
    audit.add(audit.by_command(), "users", user.id, action, changes, owner_id=owner_id)
