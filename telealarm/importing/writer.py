"""Writes the events of a file: each event completely or not at all, many in one transaction.

An event is identified by its UID in its calendar. A second import only writes the changes in the
file since the first. It does not undo changes, additions or deletions that were made here.

All events of one UID of the file are a group: what the file says of that UID. What was imported of
the UID before and is not in the group any more is called off.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar

from peewee import Database as PeeweeDatabase
from peewee import IntegrityError, PeeweeException

from telealarm.api.local_client import LocalClient
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Invalid, NotVisible, StorageError, TeleAlarmError
from telealarm.importing import mirror, shape
from telealarm.importing.draft import Draft, Note, Rejected
from telealarm.importing.imported_event import EventWriter, Written, is_older
from telealarm.importing.journal import Journal
from telealarm.importing.mirror import Gone
from telealarm.importing.number_remarks import NumberRemarks
from telealarm.importing.planned import planned
from telealarm.importing.snapshot import Snapshot
from telealarm.models import Calendar, Event, User
from telealarm.store import audit
from telealarm.store.access import limits
from telealarm.store.audit import Actor
from telealarm.store.engine import read_cache, regions
from telealarm.words import AuditRoad, ImportOutcome, Reason

BATCH = 200
# So few new events are written one by one.
FEW = 4
# So many events are read at once to tell what has changed.
_PART = 500

P = ParamSpec("P")
T = TypeVar("T")


class Transactions(Protocol):
    """Runs functions in transactions, one after the other."""

    @property
    def peewee(self) -> PeeweeDatabase: ...

    def run(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


class _DryRun(Exception):
    """Rolls the transaction back."""


@dataclass
class Report:
    """The counts of events by outcome, like `made` or `unchanged`, and the refused events."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[Rejected] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    # The id of the import, if it changed something: `telealarm import undo` takes it.
    run_id: int | None = None
    # Why the events that are not in the file were not called off.
    held: str = ""


Group = list[Draft | Rejected | Note]


class Writer:
    """Writes drafts into one calendar, or each draft into the calendar that it names.

    `drops_alarms`: what was imported of alarms goes even if no event of the file has one any more.
    `guard` begins each transaction. It returns the UIDs that are to be left as they are. What it
    raises ends the import.
    """

    def __init__(
        self,
        config: Config,
        db: Transactions,
        *,
        calendar: str | None,
        user: str | None,
        source: str = "",
        file: str = "",
        actor: Actor | None = None,
        batch: int = BATCH,
        drops_alarms: bool = False,
        guard: Callable[[], Collection[str]] = lambda: (),
    ):
        self._config = config
        self._db = db
        self._calendar = calendar
        self._user = user
        self._source = source
        self._actor = actor or audit.by_command(AuditRoad.IMPORT)
        self._batch = batch
        self._drops_alarms = drops_alarms
        self._guard = guard
        self._journal = Journal(file, source, self._actor)
        # The calendars that the file names.
        self._touched: set[int] = set()
        self._now = utcnow()
        self._keeps_alarms = False
        # The UIDs of the file, and those of which something could not be read.
        self._in_file: set[str] = set()
        self._doubtful: set[str] = set()
        self._writers: dict[int, EventWriter] = {}
        self._calendars: dict[str, Calendar] = {}
        self._seen: dict[tuple[int, str], int] = {}
        # The imported events of each calendar that the file touches, by the UID in their file.
        self._ids: dict[int, dict[str, list[int]]] = {}
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
        groups = _groups(drafts)
        all_drafts = [one for group in groups for one in group if isinstance(one, Draft)]
        has_alarms = self._drops_alarms or any(draft.alarms for draft in all_drafts)
        self._keeps_alarms = not has_alarms
        self._in_file = {draft.uid for draft in all_drafts}
        rejected = [one for group in groups for one in group if isinstance(one, Rejected)]
        self._doubtful = {one.uid for one in rejected}
        number = sum(map(len, groups))
        groups = self._differing(groups)
        done = number - sum(map(len, groups))
        for batch in _batches(groups, self._batch):

            def work(batch: list[Group] = batch) -> None:
                left = self._guard()
                there = [group for group in batch if not (left and _uids(group) & {*left})]
                for is_new, groups in itertools.groupby(there, self._is_new):
                    self._write_groups(list(groups), together=is_new)
                if dry_run:
                    raise _DryRun

            # Each batch has a new time, and sees changes since the last batch.
            self._now = utcnow()
            self._writers.clear()
            self._calendars.clear()
            self._run(work, dry_run, done)
            done += sum(map(len, batch))
            progress(done)
        self.report.refused.sort(key=lambda one: one.line)
        self.report.run_id = self._journal.id
        return self.report

    @property
    def is_doubtful(self) -> bool:
        """Return whether a refused line may be any event that was imported before."""
        return "" in self._doubtful

    def find_gone(self) -> Gone:
        """Return the events that the source had before and that are not in the file now."""
        return self._db.run(self._find_gone)

    def call_off(self, gone: Gone, *, dry_run: bool) -> None:
        """Call off the events that are not in the file."""

        def work() -> None:
            self._guard()
            for event in gone.events:
                before = self._journal.before([event])
                writer = self._writer_of(event.calendar)
                if writer.call_off(event, Reason.NOT_IN_FILE):
                    self.report.counts[ImportOutcome.CALLED_OFF] += 1
                    self._journal.record(event.uid or "", before, [event])
            if dry_run:
                raise _DryRun

        self._now = utcnow()
        self._writers.clear()
        self._run(work, dry_run, 0)
        self.report.remarks += [f"{line}; it is called off" for line in gone.lines]
        self.report.run_id = self._journal.id

    def _run(self, work: Callable[[], None], dry_run: bool, done: int) -> None:
        """Run a transaction, with its rows of the audit log at its end. Raises StorageError."""

        def audited() -> None:
            with read_cache.remembering(), audit.together():
                work()

        try:
            with suppress(_DryRun):
                self._db.run(audited)
        except PeeweeException as error:
            message = " ".join(str(error).split())
            raise StorageError(
                f"the database did not answer: {message}; {done} rows are written. Run it"
                " again: what is written is not written twice"
            ) from error
        if dry_run:
            self._journal.forget()

    def _find_gone(self) -> Gone:
        if self._calendar is not None:
            with suppress(TeleAlarmError):  # it was deleted meanwhile
                self._touched.add(self._find(self._calendar).id)
        calendars = list(Calendar.select().where(Calendar.id.in_(self._touched)))
        groups = self._doubtful | {shape.group_of(uid) for uid in self._in_file} | {*self._guard()}
        return mirror.find(calendars, self._source, self._in_file, groups, utcnow())

    def calendar(self) -> Calendar:
        """Return the calendar that the command named. Raises TeleAlarmError."""
        assert self._calendar is not None
        return self._db.run(self._find, str(self._calendar))

    def look(self, read: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `read` returns in a transaction."""
        return self._db.run(read, *args, **kwargs)

    def _differing(self, groups: list[Group]) -> list[Group]:
        """Return the groups that do not say what they said at the last import. Count the others."""
        if self._calendar is None:
            return groups
        try:
            calendar = self.calendar()
        except TeleAlarmError:
            return groups  # each row says so
        known = self._known(calendar)
        left = []
        for group in groups:
            drafts = [one for one in group if isinstance(one, Draft)]
            rows = known.get(drafts[0].group, {}) if len(drafts) == len(group) else {}
            said = [planned(one, calendar, rows.get(one.uid)) for one in drafts]
            if said and not any(row.deleted for row in rows.values()) and _is_unchanged(said, rows):
                self._seen |= {(calendar.id, draft.uid): draft.line for draft in said}
                self._touched.add(calendar.id)
                self.report.counts[ImportOutcome.UNCHANGED] += len(said)
                for draft in said:
                    if draft.remark:
                        self._remark(draft.line, draft.remark)
            else:
                left.append(group)
        return left

    def _known(self, calendar: Calendar) -> dict[str, dict[str, Event]]:
        """Return what is known of the imported events of a calendar, by the UID in their file.

        It is read a part at a time: other writes do not wait for all.
        """
        found: dict[str, dict[str, Event]] = {}
        last = 0
        while rows := self._db.run(_imported, calendar.id, last):
            for row in rows:
                uid = row.uid or ""
                for name in {uid, shape.group_of(uid)}:
                    found.setdefault(name, {})[uid] = row
            last = rows[-1].id
        return found

    def _is_new(self, group: Group) -> bool:
        """Return whether a group is a simple event that is not in the calendar, or only notes."""
        drafts = [one for one in group if isinstance(one, Draft)]
        if len(drafts) > 1 or any(isinstance(one, Rejected) for one in group):
            return False
        try:
            return all(
                draft.is_simple and not self._rows(self._writer(draft).calendar, draft.group)
                for draft in drafts
            )
        except TeleAlarmError:
            return False

    def _write_groups(self, groups: list[Group], *, together: bool) -> None:
        """Write the groups: `together` in a few statements, if there is no mistake among them."""
        if together and len(groups) >= FEW:
            if not self._make_all(groups):
                middle = len(groups) // 2
                self._write_groups(groups[:middle], together=True)
                self._write_groups(groups[middle:], together=True)
            return
        for group in groups:
            self._write_group(group)

    def _make_all(self, groups: list[Group]) -> bool:
        """Make the events of new groups. Return False, and make none, if one of them is refused."""
        drafts = [one for group in groups for one in group if isinstance(one, Draft)]
        keys = {(self._writer(draft).calendar.id, draft.uid): draft.line for draft in drafts}
        if len(keys) < len(drafts) or keys.keys() & self._seen.keys():
            return False
        made: dict[int, str] = {}
        try:
            with limits.undone_on_error(), self._db.peewee.atomic(), audit.together():
                for writer, some in itertools.groupby(drafts, self._writer):
                    of_writer = list(some)
                    events = writer.make_all(of_writer)
                    made |= {e.id: d.group for e, d in zip(events, of_writer, strict=True)}
                limits.check()
        except (TeleAlarmError, IntegrityError):
            return False  # alone, each says what is wrong with it
        self._seen |= keys
        self._journal.record_new(made)
        self.report.counts[ImportOutcome.MADE] += len(drafts)
        for group in groups:
            for one in group:
                self._tell_made(one)
        return True

    def _tell_made(self, one: Draft | Rejected | Note) -> None:
        """Remark on what was made."""
        if isinstance(one, Note):
            self._remark(one.line, one.text)
        elif isinstance(one, Draft):
            self._remark_numbers(self._writer(one).calendar, one)
            if one.remark:
                self._remark(one.line, one.remark)

    def _write_group(self, group: Group) -> None:
        """Write what the file says of one UID."""
        drafts = [one for one in group if isinstance(one, Draft)]
        self.report.refused += [one for one in group if isinstance(one, Rejected)]
        for note in group:
            if isinstance(note, Note):
                self._remark(note.line, note.text)
        if not drafts:
            return
        rows: dict[str, Event] = {}
        before: dict[int, Snapshot] = {}
        writer, unchanged = None, False
        with self._refusing(drafts[0].line):
            writer = self._writer(drafts[0])
            calendar = writer.calendar
            rows = self._rows(calendar, drafts[0].group)
            series = rows.get(drafts[0].group)
            drafts = [planned(one, calendar, rows.get(one.uid) or series) for one in drafts]
            unchanged = _is_unchanged(drafts, rows)
            if not unchanged:
                before = self._journal.before(rows.values())
            if not _is_older(drafts, rows):
                rows = self._reshape(writer, drafts, dict(rows))
        refused = len(self.report.refused)
        for draft in drafts:
            with self._refusing(draft.line):
                self._write(draft, rows)
            if len(self.report.refused) > refused and draft.uid not in rows:
                self._doubtful.add("")
            if draft.remark:
                self._remark(draft.line, draft.remark)
        # What could not be read or written may be one of the events that seem to be gone.
        whole = drafts[0].group not in self._doubtful and len(self.report.refused) == refused
        whole = whole and _is_whole(drafts) and not _is_older(drafts, rows)
        if whole and writer is not None:
            with self._refusing(drafts[0].line):
                self._call_off(writer, drafts, rows)
        if writer is not None and not unchanged:
            uids = {draft.uid for draft in drafts}
            made = Event.select().where(Event.calendar == writer.calendar, Event.uid.in_(uids))
            self._journal.record(drafts[0].group, before, made)

    @contextmanager
    def _refusing(self, line: int) -> Iterator[None]:
        """Write completely or not at all. A mistake is reported and stops nothing else."""
        try:
            with limits.undone_on_error(), self._db.peewee.atomic(), audit.together():
                yield
        except Invalid as error:
            self._refuse(line, str(error))
        except NotVisible:
            self._refuse(line, "what it refers to does not exist for the calendar's owner")
        except (TeleAlarmError, IntegrityError) as error:
            self._refuse(line, str(error))

    def _remark(self, line: int, text: str) -> None:
        self.report.remarks.append(f"line {line}: {text}")

    def _refuse(self, line: int, message: str) -> None:
        refused = Rejected(line, message)
        if refused not in self.report.refused:
            self.report.refused.append(refused)

    def _write(self, draft: Draft, rows: dict[str, Event]) -> None:
        writer = self._writer(draft)
        key = (writer.calendar.id, draft.uid)
        if key in self._seen:
            raise TeleAlarmError(f"uid: is that of line {self._seen[key]} too; give it another")
        self._seen[key] = draft.line
        written = self._written(writer, draft, rows)
        limits.check()
        self.report.counts[written.outcome] += 1
        if written.said:
            title = draft.event.get("title", "")
            sentences = "; ".join(written.said)
            self._remark(draft.line, f"{title}: {sentences}")
        if written.outcome in (ImportOutcome.MADE, ImportOutcome.CHANGED):
            self._remark_numbers(writer.calendar, draft)

    def _remark_numbers(self, calendar: Calendar, draft: Draft) -> None:
        profile = read_cache.profile_of(calendar.user_id)
        region = regions.of_profile(profile, calendar.owner_id)
        self.report.remarks += self._numbers.of(draft, region)

    def _written(self, writer: EventWriter, draft: Draft, rows: dict[str, Event]) -> Written:
        known = rows.get(draft.uid)
        if known is not None:
            return (
                Written(ImportOutcome.DELETED_HERE)
                if known.deleted
                else writer.change(known, draft)
            )
        parent = rows.get(draft.group)
        if draft.original is not None and parent is not None and shape.occurs(parent, draft):
            return (
                Written(ImportOutcome.DELETED_HERE)
                if parent.deleted
                else writer.move_one(parent, draft)
            )
        return writer.make(draft)

    def _reshape(
        self, writer: EventWriter, drafts: list[Draft], rows: dict[str, Event]
    ) -> dict[str, Event]:
        """Fit the rows of a UID to its drafts. Call off what the file has no more."""
        wanted = {draft.uid: draft for draft in drafts}
        if not _is_whole(drafts):
            for draft in drafts:
                same = None if draft.uid in rows else shape.same_occurrence(rows, draft)
                if same is not None and same not in wanted:
                    rows[draft.uid] = rows.pop(same)
                    _rename(rows[draft.uid], draft.uid)
            return rows
        group = drafts[0].group
        parent = rows.get(group)
        if parent is not None and parent.deleted is None and group not in wanted:
            if parent.rule_id is not None:
                rows |= shape.into_events(parent, drafts, writer.now)
                rows.pop(group)
                if all(event.id != parent.id for event in rows.values()):
                    rows[group] = parent
            elif (uid := shape.draft_of(parent, drafts)) is not None:
                rows[uid] = rows.pop(group)
                _rename(parent, uid)
        elif group in wanted and parent is None:
            uid = shape.nearest(rows, wanted[group])
            if uid is not None:
                rows[group] = rows.pop(uid)
                _rename(rows[group], group)
        return rows

    def _call_off(self, writer: EventWriter, drafts: list[Draft], rows: dict[str, Event]) -> None:
        """Call off the rows of the UID that the file has no more, or make them occurrences."""
        left = {uid: event for uid, event in rows.items() if uid not in self._in_file}
        if not left:
            return
        if any(draft.uid == drafts[0].group and draft.rrule for draft in drafts):
            parent = Event.get(Event.calendar == writer.calendar, Event.uid == drafts[0].group)
            for uid in list(shape.into_series(parent, left, writer.now)):
                left.pop(uid)
            writer.settle(parent)
        for event in left.values():
            if event.deleted is None and writer.call_off(event, Reason.NOT_IN_FILE):
                at = f"{event.start:%Y-%m-%d %H:%M}Z"
                self.report.counts[ImportOutcome.CALLED_OFF] += 1
                gone = f"{event.title}: the file has it no more at {at}; it is called off"
                self._remark(drafts[0].line, gone)

    def _rows(self, calendar: Calendar, group: str) -> dict[str, Event]:
        """Return the events of the calendar that were imported of this UID, deleted ones too."""
        if calendar.id not in self._ids:
            known = Event.select(Event.id, Event.uid).where(
                Event.calendar == calendar.id, Event.uid.is_null(False)
            )
            ids: dict[str, list[int]] = {}
            for number, uid in known.tuples().execute():
                ids.setdefault(shape.group_of(uid), []).append(number)
                if shape.group_of(uid) != uid:
                    ids.setdefault(uid, []).append(number)
            self._ids[calendar.id] = ids
        numbers = self._ids[calendar.id].get(group, [])
        return {event.uid or "": event for event in Event.select().where(Event.id.in_(numbers))}

    def _writer(self, draft: Draft) -> EventWriter:
        named = self._calendar or draft.calendar
        if named is None:
            raise TeleAlarmError("calendar: name one in this column, or with --calendar")
        return self._writer_of(self._find(named))

    def _writer_of(self, calendar: Calendar) -> EventWriter:
        self._touched.add(calendar.id)
        if calendar.id not in self._writers:
            client = LocalClient(self._config, calendar.owner, self._actor)
            self._writers[calendar.id] = EventWriter(
                client, calendar, self._now, self._source, keeps_alarms=self._keeps_alarms
            )
        return self._writers[calendar.id]

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


def _imported(calendar_id: int, after: int) -> list[Event]:
    """Return the next imported events of a calendar, by their ids: what tells a change."""
    columns = (Event.id, Event.uid, Event.import_digest, Event.deleted, Event.reminder_plan)
    mine = (Event.calendar == calendar_id) & Event.uid.is_null(False) & (Event.id > after)
    return list(Event.select(*columns).where(mine).order_by(Event.id).limit(_PART))


def _is_whole(drafts: list[Draft]) -> bool:
    """Return whether the file has the event itself, and not only some occurrences of it."""
    return any(draft.original is None for draft in drafts)


def _is_older(drafts: list[Draft], rows: dict[str, Event]) -> bool:
    """Return whether a newer version of all that the file says of a UID was imported already."""
    return any(all(is_older(draft, event) for draft in drafts) for event in rows.values())


def _is_unchanged(drafts: list[Draft], rows: dict[str, Event]) -> bool:
    """Return whether the file says what it said at the last import."""
    return len(rows) == len(drafts) and all(
        draft.uid in rows and rows[draft.uid].import_digest == draft.digest() for draft in drafts
    )


def _rename(event: Event, uid: str) -> None:
    event.uid = uid
    Event.update(uid=uid).where(Event.id == event.id).execute()


def _groups(drafts: Iterable[Draft | Rejected | Note]) -> list[Group]:
    """Return the drafts of each UID together. A row that could not be read is a group."""
    groups: dict[object, Group] = {}
    for number, one in enumerate(drafts):
        key = (one.calendar, one.group) if isinstance(one, Draft) else number
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _uids(group: Group) -> set[str]:
    """Return the UIDs in the file of what a group says."""
    return {one.group for one in group if isinstance(one, Draft)}


def _batches(groups: list[Group], size: int) -> Iterator[list[Group]]:
    """Yield the groups in batches of about `size` drafts. A group is never divided."""
    sizes = itertools.accumulate(len(group) for group in groups)
    numbered = zip(groups, sizes, strict=True)
    for _, batch in itertools.groupby(numbered, key=lambda pair: (pair[1] - 1) // size):
        yield [group for group, _ in batch]
