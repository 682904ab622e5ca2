"""Erasures: an order is a row, and is carried out in small transactions beside the calls.

1. `begin` writes the order. What waits for the person is called off.
2. `carry_out` blanks the person's rows, then looks through all texts, and deletes the files.
3. While a call or a message of the person is under way, the order stays open. It is carried out
   again when that has ended: what is written meanwhile does not bring the person back.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Invalid
from telealarm.models import (
    Alarm,
    BaseModel,
    CallRequest,
    Erasure,
    Event,
    Message,
    WebhookDelivery,
)
from telealarm.models import (
    Person as PersonRow,
)
from telealarm.rules.person import NumberForms, Words
from telealarm.store import audit
from telealarm.store.audit import Actor
from telealarm.store.engine import crud, dialect, keys
from telealarm.store.engine.database import Database, wake
from telealarm.store.person import blank, found, ledger, mentions, people
from telealarm.store.person.found import Person
from telealarm.store.person.ledger import Entry, Ledger
from telealarm.store.survey import spoken_texts
from telealarm.store.survey.voice_messages import VoiceMessages

log = logging.getLogger(__name__)

_PURPOSE = "erasures"
# The fewest letters of a title or a value that prompts are searched for.
_FEWEST, _MOST_SAID = 3, 100
# How often, and after which pause, the journal of SQLite is emptied.
_TRIES, _PAUSE_SECONDS = 10, 0.2
LONGEST_WORD, MOST_WORDS = 200, 20


@dataclass(frozen=True)
class PersonFiles:
    """Where files of persons are: the recordings, the rendered prompts, and the erasures."""

    recordings: VoiceMessages
    prompts: Path
    ledger: Ledger


def files_of(config: Config) -> PersonFiles:
    """Return where this installation has files of persons. The erasures lie beside the key."""
    return PersonFiles(
        recordings=VoiceMessages(config.path(config.recordings.folder)),
        prompts=config.path(config.prompts.folder),
        ledger=Ledger(config.key_path.with_name(ledger.NAME)),
    )


def begin(
    number: str, owner: int | None, words: Sequence[str], actor: Actor, now: datetime
) -> Erasure:
    """Order the erasure of the person behind a number. Raises Invalid.

    `owner`: only this manager's rows. `words`: more that names the person, such as a full name that
    TeleAlarm cannot know for a name.
    """
    wrong = [word for word in words if not _FEWEST <= len(word.strip()) <= LONGEST_WORD]
    if wrong or len(words) > MOST_WORDS:
        raise Invalid(
            {"words": [f"up to {MOST_WORDS} texts of {_FEWEST} to {LONGEST_WORD} characters"]}
        )
    scope = found.scope(number, owner)
    order = Erasure.create(
        owner=owner,
        uid=secrets.token_hex(16),
        digests=sorted(_digest(form) for form in _identifying(scope.every_form)),
        number=number.strip()[:80],
        words=[word.strip() for word in words],
        created_date=now,
    )
    audit.add(actor, "person", order.id, "erase", {}, owner_id=owner)
    wake("erasures")
    return order


def begin_person(row: PersonRow, now: datetime) -> Erasure:
    """Order the erasure of one person. What is shared with others stays."""
    order = _order_for(row, secrets.token_hex(16), now)
    people.retire(row, now)
    wake("erasures")
    return order


def _order_for(row: PersonRow, uid: str, now: datetime) -> Erasure:
    own = found.own_numbers(row)
    scope = found.scope_of(row.id, row.owner_id, own)
    return Erasure.create(
        owner=row.owner_id,
        uid=uid,
        person=row.id,
        numbers=own,
        digests=sorted(_digest(form) for form in _identifying(scope.every_form)),
        words=found.own_words(row),
        created_date=now,
    )


def open_orders() -> list[int]:
    """Return the ids of the erasures that are not finished, oldest first."""
    rows = Erasure.select(Erasure.id).where(Erasure.finished.is_null()).order_by(Erasure.id)
    return [row.id for row in rows]


def carry_out(db: Database, order_id: int, files: PersonFiles) -> bool:
    """Erase the person, as far as no call or message is under way. Return whether it is finished.

    Blocks, and uses a connection of this thread: call it in a thread.
    """
    order, person = db.look(_look, order_id)
    if order.finished is not None:
        return True
    files.ledger.add([_entry(order)])
    words = person.words(order.words)
    # After a crash these are not found any more.
    db.run(_keep_words, order, words.names)
    spoken = Words(words.numbers, [*words.names, *db.look(_said, person)])
    db.run(blank.stop, person, utcnow())
    person = db.look(found.find, person.scope, words.names)
    live = db.look(blank.under_way, person)
    calls = db.look(blank.live_calls, person, live)
    recordings = db.look(blank.files, person, calls)
    files.recordings.discard(recordings)
    deleted = len(recordings) + spoken_texts.forget(files.prompts, spoken.finds)
    rows = sum(db.run(step) for step in db.look(_steps, person, live))
    rows += _blank_mentions(db, words, order, db.look(_spared, live, calls))
    # A call may have been prepared meanwhile.
    deleted += spoken_texts.forget(files.prompts, spoken.finds)
    db.run(_note, order, rows, deleted, is_finished=not live)
    _scrub(db)
    return not live


def _scrub(db: Database) -> None:
    """Remove what was erased from the files of the database too."""
    with db.peewee.connection_context():
        whole = dialect.rewrite(db.peewee)
    for _ in range(_TRIES):
        with db.peewee.connection_context():
            if dialect.empty_journal(db.peewee):
                break
        time.sleep(_PAUSE_SECONDS)
    else:
        log.warning("the journal of the database is busy; it still has what was erased for a while")
    if not whole:
        log.warning(
            "what earlier versions deleted may be left in free pages of the database file;"
            " run VACUUM in it while few calls go out"
        )


def _steps(person: Person, live: set[int]) -> list[Callable[[], int]]:
    return list(blank.steps(person, live))


def _keep_words(order: Erasure, words: list[str]) -> None:
    Erasure.update(words=words).where(Erasure.id == order.id).execute()


def is_ready(db: Database, order_id: int) -> bool:
    """Return whether nothing of the person is under way any more."""
    _, person = db.look(_look, order_id)
    return not db.look(blank.under_way, person)


def record_all(db: Database, ledger: Ledger) -> None:
    """Write the erasures of the database, which another worker may have made, into the file."""
    rows = db.look(lambda: list(Erasure.select()))
    ledger.add(_entry(row) for row in rows)


def missing(db: Database, ledger: Ledger) -> list[Entry]:
    """Return the erasures that the file has and the database has not: it was restored."""
    entries = ledger.read()
    known = db.look(lambda: {row.uid for row in Erasure.select(Erasure.uid)})
    return [entry for entry in entries.values() if entry.uid not in known]


def reapply(db: Database, files: PersonFiles) -> int:
    """Erase again whom a restored database has back. Return how many erasures were applied.

    Every command and worker may call it at any time: what the database knows is left.
    """
    entries = missing(db, files.ledger)
    if not entries:
        return 0
    numbers = db.look(_numbers, entries)
    for entry in entries:
        if (one := db.run(_person_again, entry)) is not None:
            carry_out(db, one, files)
            continue
        for number in numbers.get(entry.uid) or [""]:
            order_id = db.run(_again, entry, number)
            if number:
                carry_out(db, order_id, files)
    return len(entries)


def _person_again(entry: Entry) -> int | None:
    """Write the order of one person's erasure anew; None: the database has no such person."""
    row = PersonRow.get_or_none(PersonRow.id == entry.person) if entry.person else None
    if row is None or row.owner_id != entry.owner:
        return None
    order = _order_for(row, entry.uid, datetime.fromisoformat(entry.at))
    people.retire(row, utcnow())
    return int(order.id)


def _again(entry: Entry, number: str) -> int:
    """Write the order of an entry of the file anew; without a number there is nothing to do."""
    values = {"number": number, "finished": None if number else utcnow()}
    row = Erasure.get_or_none(Erasure.uid == entry.uid)
    if row is not None:
        crud.change(row, values)
        return int(row.id)
    created = Erasure.create(
        uid=entry.uid,
        owner=entry.owner,
        digests=list(entry.digests),
        created_date=datetime.fromisoformat(entry.at),
        **values,
    )
    return int(created.id)


def _look(order_id: int) -> tuple[Erasure, Person]:
    order = Erasure.get_by_id(order_id)
    if order.finished is not None:
        return order, Person(found.Scope("", None, ()))
    return order, found.find(_scope(order), order.words)


def _scope(order: Erasure) -> found.Scope:
    if order.person is None or order.owner_id is None:
        return found.scope(order.number, order.owner_id)
    return found.scope_of(order.person, order.owner_id, order.numbers or [])


def _said(person: Person) -> list[str]:
    """Return what prompts may say of the person: titles and values of their own events.

    What other events say too, such as a common title, tells nothing, and their calls need it.
    """
    texts: list[str] = []
    for ids in crud.chunks(person.own_events):
        for event in Event.select(Event.title, Event.data).where(Event.id.in_(ids)):
            values = event.data.values() if isinstance(event.data, dict) else ()
            texts += [event.title, *(value for value in values if isinstance(value, str))]
    long_enough = [text for text in dict.fromkeys(texts) if len(text.strip()) >= _FEWEST]
    return [text for text in long_enough[:_MOST_SAID] if not _is_common(text, person)]


def _is_common(text: str, person: Person) -> bool:
    """Return whether an event of somebody else has the text too."""
    own = {*person.own_events}
    holds = (Event.title == text) | Event.data.cast("text").contains(json.dumps(text))
    rows = Event.select(Event.id).where(holds).limit(len(own) + 1)
    return any(row.id not in own for row in rows)


def _spared(live: set[int], calls: set[int]) -> dict[type[BaseModel], set[int]]:
    """Return the rows that are left until what is under way has ended."""
    of_alarms = [
        {row.id for row in model.select(model.id).where(model.alarm.in_(sorted(live)))}
        for model in (Message, WebhookDelivery)
    ]
    return {Alarm: live, CallRequest: calls, Message: of_alarms[0], WebhookDelivery: of_alarms[1]}


def _blank_mentions(
    db: Database, words: Words, order: Erasure, spared: dict[type[BaseModel], set[int]]
) -> int:
    """Look through all texts, some rows at a time, and blank those that name the person."""
    count = 0
    for model in mentions.tables():
        for span in db.look(mentions.spans, model):
            left = spared.get(model, ())
            rows = db.look(mentions.find, model, span, words, order.owner_id, left)
            for chunk in crud.chunks(rows):
                db.run(_blank_each, chunk)
            count += len(rows)
    return count


def _blank_each(rows: Sequence[mentions.Mention]) -> None:
    for row in rows:
        mentions.blank(row)


def _note(order: Erasure, rows: int, files: int, *, is_finished: bool) -> None:
    values = {"rows": Erasure.rows + rows, "files": Erasure.files + files}
    ended: dict[str, Any] = {"number": "", "numbers": None, "words": [], "finished": utcnow()}
    Erasure.update(values | (ended if is_finished else {})).where(Erasure.id == order.id).execute()


def _entry(order: Erasure) -> Entry:
    at = order.created_date.isoformat()
    return Entry(order.uid, order.owner_id, tuple(order.digests), at, order.person)


def _identifying(forms: NumberForms) -> set[str]:
    return {*forms.canonical, *forms.national}


def _digest(form: str) -> str:
    return keys.current().digest(_PURPOSE, form)


def _numbers(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Return the numbers in the database that these erasures are about, by their names."""
    wanted: dict[str, list[Entry]] = {}
    for entry in entries:
        for digest in entry.digests:
            wanted.setdefault(digest, []).append(entry)
    numbers: dict[str, list[str]] = {}
    for form in found.all_forms():
        for entry in wanted.get(_digest(form), ()):
            known = numbers.setdefault(entry.uid, [])
            if form not in known:
                known.append(form)
    return numbers
