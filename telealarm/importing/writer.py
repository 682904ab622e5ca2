"""Writes the events of a file: each event completely or not at all, many in one transaction.

An event is identified by its UID in its calendar. A second import only writes the changes in the
file since the first. It does not undo changes, additions or deletions that were made here.
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
from telealarm.importing.draft import Body, Draft, Moved, Note, Rejected
from telealarm.importing.number_remarks import NumberRemarks
from telealarm.methods import call
from telealarm.models import Alarm, Calendar, Event, Rule, User
from telealarm.store.engine import read_cache, regions
from telealarm.store.engine.database import Database
from telealarm.words import EventStatus

BATCH = 200


class _DryRun(Exception):
    """Rolls the transaction back."""


@dataclass
class Report:
    """The counts of events by outcome, like `made` or `unchanged`, and the refused events."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[Rejected] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Writer:
    """Writes drafts into one calendar, or each draft into the calendar that it names."""

    def __init__(self, config: Config, db: Database, *, calendar: str | None, user: str | None):
        self._config = config
        self._db = db
        self._calendar = calendar
        self._user = user
        self._clients: dict[int, LocalClient] = {}
        self._calendars: dict[str, Calendar] = {}
        self._seen: dict[tuple[int, str], int] = {}
        self._known: dict[tuple[int, str], Event] = {}
        self._numbers = NumberRemarks()
        self.report = Report()

    def write(
        self,
        drafts: Iterable[Draft | Rejected | Note],
        *,
        dry_run: bool,
        progress: Callable[[int], None],
    ) -> Report:
        """Write all drafts and return the report. A refused event does not stop the others."""
        done, stream = 0, iter(drafts)
        while batch := list(itertools.islice(stream, BATCH)):

            def work(batch: list[Draft | Rejected | Note] = batch) -> None:
                uids = [draft.uid for draft in batch if isinstance(draft, Draft)]
                known = Event.select().where(Event.uid.in_(uids))
                self._known = {
                    (event.calendar_id, event.uid): event for event in known if event.uid
                }
                for draft in batch:
                    self._write_draft(draft)
                if dry_run:
                    raise _DryRun

            # Each batch has a new time, and sees changes since the last batch.
            self._clients.clear()
            self._calendars.clear()
            try:
                with suppress(_DryRun), read_cache.remembering():
                    self._db.run(work)
            except PeeweeException as error:
                message = " ".join(str(error).split())
                raise StorageError(
                    f"the database did not answer: {message}; {done} rows are written. Run it"
                    " again: what is written is not written twice"
                ) from error
            done += len(batch)
            progress(done)
        return self.report

    def calendar(self) -> Calendar:
        """Return the calendar that the command named. Raises TeleAlarmError."""
        assert self._calendar is not None
        return self._db.run(self._find, str(self._calendar))

    def _write_draft(self, draft: Draft | Rejected | Note) -> None:
        if isinstance(draft, Rejected):
            self.report.refused.append(draft)
            return
        if isinstance(draft, Note):
            self._remark(draft.line, draft.text)
            return
        try:
            with self._db.peewee.atomic():
                outcome = self._write(draft)
                self.report.counts[outcome] += 1
        except Invalid as error:
            self._refuse(draft.line, str(error))
        except NotVisible:
            self._refuse(draft.line, "what it refers to does not exist for the calendar's owner")
        except (TeleAlarmError, IntegrityError) as error:
            self._refuse(draft.line, str(error))
        else:
            self._remark_numbers(draft, outcome)
        if draft.remark:
            self._remark(draft.line, draft.remark)

    def _remark(self, line: int, text: str) -> None:
        self.report.remarks.append(f"line {line}: {text}")

    def _remark_numbers(self, draft: Draft, outcome: str) -> None:
        named = self._calendar or draft.calendar
        if named is None or outcome not in ("made", "changed"):
            return
        calendar = self._find(named)
        profile = read_cache.profile_of(calendar.user_id)
        region = regions.of_profile(profile, calendar.owner_id)
        self.report.remarks += self._numbers.of(draft, region)

    def _refuse(self, line: int, message: str) -> None:
        self.report.refused.append(Rejected(line, message))

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
        if draft.sequence is not None and draft.sequence < (known.import_sequence or 0):
            newer = f"SEQUENCE {draft.sequence} is older than {known.import_sequence}"
            self._remark(draft.line, f"{newer}, which was imported before: it does not count")
            return "older"
        return self._change(client, known, draft)

    def _make(self, client: LocalClient, calendar: Calendar, draft: Draft) -> str:
        if draft.cancelled:
            return "cancelled"
        body = self._body(draft, calendar, client)
        event = client.create("event", body, {"calendar": calendar})
        columns = {"uid": draft.uid, **_version(draft)}
        Event.update(**columns).where(Event.id == event.id).execute()
        for alarm in draft.alarms:
            client.create("alarm", alarm, {"event": event})
        for moved in draft.moved:
            _move(client, event.id, moved)
        return "made"

    def _change(self, client: LocalClient, event: Event, draft: Draft) -> str:
        Event.update(**_version(draft)).where(Event.id == event.id).execute()
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
            zone = draft.rule_timezone
            in_zone = Rule.timezone.is_null() if zone is None else Rule.timezone == zone
            known = Rule.get_or_none(Rule.owner == calendar.owner_id, Rule.rrule == text, in_zone)
            new = {"name": text[:100], "rrule": text, "timezone": zone}
            rule = known or client.create("rule", new)
            body["rule"] = rule.id
        return body

    def _client(self, owner: User) -> LocalClient:
        if owner.id not in self._clients:
            self._clients[owner.id] = LocalClient(self._config, owner)
        return self._clients[owner.id]

    def _find(self, named: str) -> Calendar:
        """Return the calendar by its id or name. If the command named a user, it must be theirs."""
        if named not in self._calendars:
            query = Calendar.select().where(Calendar.deleted.is_null())
            if self._user is not None:
                query = query.join(User).where(User.username == self._user)
            by_id = named.isascii() and named.isdigit() and len(named) < 10
            calendars = list(query.where(Calendar.name == named))
            if not calendars and by_id:
                calendars = list(query.where(Calendar.id == int(named)))
            if len(calendars) != 1:
                several = ", ".join(str(calendar.id) for calendar in calendars)
                raise TeleAlarmError(
                    f"calendar: there is none of the name or id {named!r}"
                    if not calendars
                    else f"calendar: {several} have the name {named!r}; say the id"
                )
            self._calendars[named] = calendars[0]
        return self._calendars[named]


def _version(draft: Draft) -> dict[str, str | int | None]:
    """Return the columns that tell which version of the event was imported."""
    return {"import_digest": draft.digest(), "import_sequence": draft.sequence}


def _change_alarms(client: LocalClient, event: Event, wanted: list[Body]) -> set[int]:
    """Change the alarms of the event to those of the file, and create missing ones.

    Return the ids of the alarms that the file names.

    An alarm of the file matches the next alarm to the same recipient. Other alarms stay.
    """
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
        recipient = method.address.clean(str(body.get(name, "")))
        alarm = alarms.where(getattr(Alarm, name) == recipient).order_by(Alarm.id).get_or_none()
        if alarm is None:
            created = client.create("alarm", body, {"event": event})
            taken.add(created.id)
            continue
        taken.add(alarm.id)
        client.change("alarm", alarm.id, body)
    return taken


def _move(client: LocalClient, event_id: int, moved: Moved) -> None:
    try:
        place = {"start": moved.start, "to": moved.to}
        answer = client.act("event", event_id, "move_occurrence", place)
    except Invalid as error:
        raise TeleAlarmError(f"the occurrence of line {moved.line}: {error}") from error
    child = int(answer["event"].rstrip("/").rsplit("/", 1)[1])
    if moved.changes:
        client.change("event", child, moved.changes)
    if moved.alarms is not None:
        taken = _change_alarms(client, Event.get_by_id(child), moved.alarms)
        copies = Alarm.select().where(
            Alarm.event == child,
            Alarm.deleted.is_null(),
            Alarm.origin.is_null(False),
            Alarm.id.not_in(list(taken)),
        )
        for alarm in copies:
            client.delete("alarm", alarm.id)
