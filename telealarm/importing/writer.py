"""Writing what was read: each event whole or not at all, many in a transaction.

An event is known by its UID in its calendar. A second import writes what has changed in the file
since the first; it undoes nothing that was changed, added or deleted here.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from peewee import IntegrityError, PeeweeException

from telealarm import methods
from telealarm.api.local_client import LocalClient
from telealarm.config.model import Config
from telealarm.errors import Invalid, NotVisible, StorageError, TeleAlarmError
from telealarm.importing.draft import Body, Draft, Moved, Rejected
from telealarm.methods import call
from telealarm.models import Alarm, Calendar, Event, Rule, User
from telealarm.store.engine import read_cache
from telealarm.store.engine.database import Database
from telealarm.words import EventStatus

BATCH = 200


class _DryRun(Exception):
    """Takes everything back."""


@dataclass
class Report:
    """How many events were `made`, `changed`, `unchanged`, `deleted here`; what was refused."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[Rejected] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Writer:
    """Writes drafts into one calendar, or each into the calendar that it names itself."""

    def __init__(self, config: Config, db: Database, *, calendar: str | None, user: str | None):
        self._config = config
        self._db = db
        self._calendar = calendar
        self._user = user
        self._clients: dict[int, LocalClient] = {}
        self._calendars: dict[str, Calendar] = {}
        self._seen: dict[tuple[int, str], int] = {}
        self._known: dict[tuple[int, str], Event] = {}
        self.report = Report()

    def write(
        self,
        drafts: Iterable[Draft | Rejected],
        *,
        dry_run: bool,
        progress: Callable[[int], None],
    ) -> Report:
        """Write them all; what is refused is in the report, and stops nothing else."""
        done, stream = 0, iter(drafts)
        while batch := list(itertools.islice(stream, BATCH)):

            def work(batch: list[Draft | Rejected] = batch) -> None:
                uids = [one.uid for one in batch if isinstance(one, Draft)]
                known = Event.select().where(Event.uid.in_(uids))
                self._known = {(one.calendar_id, one.uid): one for one in known if one.uid}
                for one in batch:
                    self._one(one)
                if dry_run:
                    raise _DryRun

            # A batch has its own moment, and sees what was changed since the last one.
            self._clients.clear()
            self._calendars.clear()
            try:
                with suppress(_DryRun), read_cache.remembering():
                    self._db.run(work)
            except PeeweeException as error:
                said = " ".join(str(error).split())
                raise StorageError(
                    f"the database did not answer: {said}; {done} rows are written. Run it again:"
                    " what is written is not written twice"
                ) from error
            done += len(batch)
            progress(done)
        return self.report

    def calendar(self) -> Calendar:
        """The one that the command named. Raises TeleAlarmError."""
        assert self._calendar is not None
        return self._db.run(self._find, str(self._calendar))

    def _one(self, draft: Draft | Rejected) -> None:
        if isinstance(draft, Rejected):
            self.report.refused.append(draft)
            return
        try:
            with self._db.peewee.atomic():
                self.report.counts[self._write(draft)] += 1
        except Invalid as error:
            self._refuse(draft.line, str(error))
        except NotVisible:
            self._refuse(draft.line, "what it refers to does not exist for the calendar's owner")
        except (TeleAlarmError, IntegrityError) as error:
            self._refuse(draft.line, str(error))
        if draft.remark:
            self.report.remarks.append(f"line {draft.line}: {draft.remark}")

    def _refuse(self, line: int, said: str) -> None:
        self.report.refused.append(Rejected(line, said))

    def _write(self, draft: Draft) -> str:
        named = self._calendar or draft.calendar
        if named is None:
            raise TeleAlarmError("calendar: name one in this column, or with --calendar")
        calendar = self._find(named)
        key = (calendar.id, draft.uid)
        if key in self._seen:
            raise TeleAlarmError(f"uid: is that of line {self._seen[key]} too; give it another")
        self._seen[key] = draft.line
        known, client = self._known.get(key), self._client(calendar.owner)
        if known is None:
            return self._make(client, calendar, draft)
        if known.deleted:
            return "deleted here"
        if known.import_digest == draft.digest():
            return "unchanged"
        return self._change(client, known, draft)

    def _make(self, client: LocalClient, calendar: Calendar, draft: Draft) -> str:
        if draft.cancelled:
            return "cancelled"
        body = self._body(draft, calendar, client)
        event = client.create("event", body, {"calendar": calendar})
        own = {"uid": draft.uid, "import_digest": draft.digest()}
        Event.update(**own).where(Event.id == event.id).execute()
        for alarm in draft.alarms:
            client.create("alarm", alarm, {"event": event})
        for moved in draft.moved:
            _move(client, event.id, moved)
        return "made"

    def _change(self, client: LocalClient, event: Event, draft: Draft) -> str:
        Event.update(import_digest=draft.digest()).where(Event.id == event.id).execute()
        if draft.cancelled:
            client.change("event", event.id, {"status": EventStatus.COMPLETED.value})
            return "cancelled"
        client.change("event", event.id, self._body(draft, event.calendar, client))
        _change_alarms(client, event, draft.alarms)
        for moved in draft.moved:
            _move(client, event.id, moved)
        return "changed"

    def _body(self, draft: Draft, calendar: Calendar, client: LocalClient) -> Body:
        body = {**draft.event, "calendar": calendar.id}
        if draft.rrule is not None:
            text = draft.rrule
            known = Rule.get_or_none(Rule.owner == calendar.owner_id, Rule.rrule == text)
            rule = known or client.create("rule", {"name": text[:100], "rrule": text})
            body["rule"] = rule.id
        return body

    def _client(self, owner: User) -> LocalClient:
        if owner.id not in self._clients:
            self._clients[owner.id] = LocalClient(self._config, owner)
        return self._clients[owner.id]

    def _find(self, named: str) -> Calendar:
        """By its id or its name, among those of the user that was named, if one was."""
        if named not in self._calendars:
            query = Calendar.select().where(Calendar.deleted.is_null())
            if self._user is not None:
                query = query.join(User).where(User.username == self._user)
            by_id = named.isascii() and named.isdigit() and len(named) < 10
            found = list(query.where(Calendar.name == named))
            if not found and by_id:
                found = list(query.where(Calendar.id == int(named)))
            if len(found) != 1:
                several = ", ".join(str(one.id) for one in found)
                raise TeleAlarmError(
                    f"calendar: there is none of the name or id {named!r}"
                    if not found
                    else f"calendar: {several} have the name {named!r}; say the id"
                )
            self._calendars[named] = found[0]
        return self._calendars[named]


def _change_alarms(client: LocalClient, event: Event, wanted: list[Body]) -> None:
    """The alarms of the file to the same recipient, one by one in order; others stay."""
    taken: set[int] = set()
    for body in wanted:
        method = methods.named(str(body.get("method", ""))) or call.METHOD
        name = method.address.field
        alarms = Alarm.select().where(
            Alarm.event == event,
            Alarm.deleted.is_null(),
            Alarm.method == method.number,
            Alarm.id.not_in(list(taken)),
        )
        own = method.address.clean(str(body.get(name, "")))
        alarm = alarms.where(getattr(Alarm, name) == own).order_by(Alarm.id).get_or_none()
        if alarm is None:
            made = client.create("alarm", body, {"event": event})
            taken.add(made.id)
            continue
        taken.add(alarm.id)
        client.change("alarm", alarm.id, body)


def _move(client: LocalClient, event_id: int, moved: Moved) -> None:
    try:
        place = {"start": moved.start, "to": moved.to}
        made = client.act("event", event_id, "move_occurrence", place)
    except Invalid as error:
        raise TeleAlarmError(f"the occurrence of line {moved.line}: {error}") from error
    child = int(made["event"].rstrip("/").rsplit("/", 1)[1])
    if moved.changes:
        client.change("event", child, moved.changes)
