"""`telealarm token`: the tokens with which programs log in."""

import argparse
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands
from telealarm.clock import utcnow

if TYPE_CHECKING:
    from telealarm.config.model import Config
    from telealarm.models import ApiToken
    from telealarm.store.audit import Changes


def register(commands: Commands) -> None:
    """Add `telealarm token` and its subcommands."""
    tokens = commands.group("token", "the tokens with which programs log in")
    parser = tokens.add("add", add, "create a token; it is shown only once")
    parser.add_argument("user", metavar="USER")
    parser.add_argument("--name", required=True, help="what it is for")
    parser = tokens.add("list", list_all, "every token, without its text")
    parser.add_argument("user", metavar="USER", nargs="?")
    parser = tokens.add("revoke", revoke, "revoke a token for good")
    parser.add_argument("id", metavar="ID", type=int)


def add(settings: "Config", options: argparse.Namespace) -> int:
    """Create a token, and print its text."""
    from telealarm.store.access import tokens, users
    from telealarm.store.open import open_database

    db = open_database(settings)

    def write() -> str:
        owner = users.named(options.user)
        text = tokens.add(owner, options.name)
        _audit(tokens.of(owner)[-1], "create", {"name": (None, options.name)})
        return text

    # Alone on standard output, for scripts. It is never shown again.
    print(db.run(write))
    return 0


def list_all(settings: "Config", options: argparse.Namespace) -> int:
    """Print all tokens, or those of one login."""
    from telealarm.store.access import tokens, users
    from telealarm.store.open import open_database

    db = open_database(settings)
    rows = db.run(lambda: tokens.of(users.named(options.user) if options.user else None))
    print("id\tuser\tname\tcreated\tlast used\trevoked")
    for token in rows:
        times = (token.created, token.last_used, token.revoked)
        columns = [f"{time:%Y-%m-%d %H:%M}Z" if time else "-" for time in times]
        print(token.id, token.owner.username, token.name, *columns, sep="\t")
    return 0


def revoke(settings: "Config", options: argparse.Namespace) -> int:
    """Revoke a token."""
    from telealarm.store.access import tokens
    from telealarm.store.open import open_database

    db = open_database(settings)

    def write() -> "ApiToken":
        token = tokens.revoke(options.id, utcnow())
        _audit(token, "revoke", {"name": (token.name, token.name)})
        return token

    token = db.run(write)
    print(f"token {token.id} ({token.name}) revoked")
    return 0


def _audit(token: "ApiToken", action: str, changes: "Changes") -> None:
    from telealarm.store import audit

    owner_id = token.owner_id
    audit.add(audit.by_command(), "token", token.id, action, changes, owner_id=owner_id)
