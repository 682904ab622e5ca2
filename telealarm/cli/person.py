"""`telealarm person`: what is kept of the person behind a number; the export; the erasure."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from telealarm.cli.command import Commands
from telealarm.clock import utcnow
from telealarm.errors import TeleAlarmError

if TYPE_CHECKING:
    from telealarm.config.model import Config
    from telealarm.store.engine.database import Database


def register(commands: Commands) -> None:
    """Add `telealarm person` and its subcommands."""
    person = commands.group("person", "what is kept of a person; its export and erasure")
    for name, run, help_text in (
        ("find", find, "list who is behind a number"),
        ("export", export, "print everything that is kept of the person, as JSON"),
        ("erase", erase, "erase the person; counts and do-not-call entries stay"),
    ):
        parser = person.add(name, run, help_text)
        parser.add_argument("number", metavar="NUMBER")
        parser.add_argument("--user", metavar="MANAGER", help="only this manager's rows")
        if name == "erase":
            parser.add_argument("--yes", action="store_true", help="do not ask")
            parser.add_argument(
                "--also",
                metavar="TEXT",
                action="append",
                default=[],
                help="more that names the person, such as a full name; may be repeated",
            )
    parser = person.add("collect", collect, "make people of the numbers and names of events")
    parser.add_argument("--user", metavar="MANAGER", help="only this manager's events")
    parser.add_argument("--dry-run", action="store_true", help="show it, and write nothing")
    person.add("reapply", reapply, "erase again whom a restored database has back")


def find(settings: "Config", options: argparse.Namespace) -> int:
    """Print who is behind the number."""
    from telealarm.store.open import open_database

    return 0 if _show(open_database(settings), options) else 1


def export(settings: "Config", options: argparse.Namespace) -> int:
    """Print the document of the person."""
    from telealarm.store.open import open_database
    from telealarm.store.person import erasures, export

    db = open_database(settings)
    recordings = erasures.files_of(settings).recordings
    owner = _owner(db, options)
    document = db.look(export.document, options.number, owner, recordings, utcnow())
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    print()
    return 0


def erase(settings: "Config", options: argparse.Namespace) -> int:
    """Erase the person, after a question. Return 1 if a part has to wait for the service."""
    from telealarm.store import audit
    from telealarm.store.open import open_database
    from telealarm.store.person import erasures

    db = open_database(settings)
    _show(db, options)
    if not options.yes and not _agreed():
        raise TeleAlarmError("nothing was erased; --yes erases without asking")
    owner = _owner(db, options)
    actor = audit.by_command()
    order = db.run(erasures.begin, options.number, owner, options.also, actor, utcnow())
    finished = erasures.carry_out(db, order.id, erasures.files_of(settings))
    order = db.look(lambda: type(order).get_by_id(order.id))
    print(f"erasure {order.id}: {order.rows} rows changed, {order.files} files deleted")
    if not finished:
        print("a call or a message of the person is under way; the service erases it at its end")
    print("Asterisk's own call records, its logs and your backups are not touched")
    return 0 if finished else 1


def collect(settings: "Config", options: argparse.Namespace) -> int:
    """Print the people that events without a person name, and write them. It may be repeated."""
    from telealarm.store import audit
    from telealarm.store.open import open_database
    from telealarm.store.person import collect

    db = open_database(settings)
    actor = audit.by_command()
    people = events = doubts = 0
    print("what\tmanager\tname\tnumber\tevents\twhy")
    for manager in db.look(collect.managers, _owner(db, options)):
        for one in db.look(collect.propose, manager.id):
            what = "doubt" if one.doubt else "known" if one.known else "new"
            count = len(one.events)
            print(what, manager.username, one.name, one.number, count, one.doubt, sep="\t")
            if not options.dry_run:
                db.run(collect.carry_out, one, actor, utcnow())
            people, doubts = people + (what == "new"), doubts + bool(one.doubt)
            events += 0 if one.doubt else count
    would = "would be " if options.dry_run else ""
    print(f"{people} people {would}made, {events} events {would}linked, {doubts} doubts left")
    return 0


def reapply(settings: "Config", options: argparse.Namespace) -> int:
    """Apply the erasures that the database does not know: it was restored from a backup."""
    from telealarm.store.open import open_database
    from telealarm.store.person import erasures

    count = erasures.reapply(open_database(settings), erasures.files_of(settings))
    print(f"{count} erasures were applied again")
    return 0


def _owner(db: "Database", options: argparse.Namespace) -> int | None:
    from telealarm.store.access import users

    return None if options.user is None else db.look(users.named, options.user).id


def _show(db: "Database", options: argparse.Namespace) -> list[dict[str, Any]]:
    """Print who is behind the number, and return it."""
    from telealarm.store.person import found

    owner = _owner(db, options)
    people = db.look(lambda: found.behind(found.find(found.scope(options.number, owner))))
    print("manager\tcalendar\tnames\tnumbers\talarms\tlast")
    for one in people:
        names, numbers = "; ".join(one["names"]), "; ".join(one["numbers"])
        last = f"{one['last']:%Y-%m-%d}" if one["last"] else "-"
        print(one["manager"], one["calendar"], names, numbers, one["alarms"], last, sep="\t")
    return people


def _agreed() -> bool:
    """Ask whether these people are erased. Nobody is asked in a script: it is no then."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    answer = input("Erase them for good? [y/N] ")
    return answer.strip().lower() in ("y", "yes")
