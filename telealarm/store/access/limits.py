"""The limits of a manager, which a superuser sets: calls a day, waiting alarms, stored audio.

A use is counted in a row of its own, and not by counting rows each time. It is counted at the end
of the write that adds to it, so the row is locked for a moment only. With PostgreSQL the writer
commits at once then. So two workers cannot exceed a limit together, and cannot stop each other.

- A use of a *day* only grows. It counts what is due on that day of the manager's zone.
- A *stock* grows when something is added. What is removed shows when the stock is counted anew: at
  the latest when the limit would be reached. So nothing that removes rows need know of limits.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from peewee import SQL, Database, Expression, fn

from telealarm.clock import monotonic, utcnow
from telealarm.config.model import LimitsConfig
from telealarm.errors import LimitReached
from telealarm.models import Alarm, AudioFile, CallRequest, LimitUse, SurveyResult, User
from telealarm.rules import audio
from telealarm.store.engine import deferred, read_cache, time_zones
from telealarm.words import UNSETTLED

# The kinds of use: of a day, and of a stock.
CALLS, TRIALS = "calls", "trials"
WAITING, AUDIO = "waiting", "audio"
# A stock is counted anew this often, even if its limit is far.
RECOUNTED = timedelta(days=1)
# Counting anew takes at most this part of the time, for each manager. It is known of so many.
_RECOUNT_PART, _MOST_RECOUNTS = 0.02, 10_000
# So few alarms are counted at any time.
_CHEAP = 10_000
# Uses of a day are kept for this long.
_KEPT = timedelta(days=60)
MEGABYTE = 1_000_000

# The configuration's limits, for each database that was opened with them.
_configured: WeakKeyDictionary[Database, LimitsConfig] = WeakKeyDictionary()
# When a stock may be counted anew, on the monotonic clock, by owner and kind.
_recounts: dict[tuple[int, str], float] = {}


def configure(database: Database, limits: LimitsConfig) -> None:
    """Set the default limits for all code that uses this database."""
    _configured[database] = limits


def configured(database: Database) -> LimitsConfig:
    """Return the default limits."""
    return _configured.get(database) or LimitsConfig()


@dataclass(frozen=True)
class OwnerLimits:
    """The limits of one manager; None: no limit. `zone`: where the manager's days begin."""

    zone: ZoneInfo
    calls_per_day: int | None = None
    alarms_waiting: int | None = None
    trial_calls_per_day: int | None = None
    audio_bytes: int | None = None
    series_minutes: int | None = None

    def most(self, kind: str) -> int | None:
        """Return the limit of a kind of use."""
        return {
            CALLS: self.calls_per_day,
            TRIALS: self.trial_calls_per_day,
            WAITING: self.alarms_waiting,
            AUDIO: self.audio_bytes,
        }[kind]

    def day(self, moment: datetime) -> str:
        """Return the day of a moment for the manager, as 2026-12-01."""
        return moment.astimezone(self.zone).date().isoformat()


def of(owner_id: int) -> OwnerLimits:
    """Return the limits of a manager, read once in a write. A superuser has none."""
    additions = deferred.of_this_write("limits", _Additions)
    if additions is None:
        return read_cache.once(("limits", owner_id), lambda: _of(owner_id))
    if owner_id not in additions.limits:
        additions.limits[owner_id] = _of(owner_id)
    return additions.limits[owner_id]


def _of(owner_id: int) -> OwnerLimits:
    owner = User.get_or_none(User.id == owner_id)
    zone = time_zones.configured()
    if owner is None or owner.is_superuser:
        return OwnerLimits(zone)
    ours = configured(User._meta.database)
    megabytes = own(owner.max_audio_megabytes, ours.audio_megabytes)
    return OwnerLimits(
        ZoneInfo(owner.timezone) if owner.timezone else zone,
        own(owner.max_calls_per_day, ours.calls_per_day),
        own(owner.max_alarms_waiting, ours.alarms_waiting),
        own(owner.max_trial_calls_per_day, ours.trial_calls_per_day),
        None if megabytes is None else megabytes * MEGABYTE,
        own(owner.min_series_minutes, ours.series_minutes),
    )


def own(limit: int | None, default: int | None) -> int | None:
    """Return a manager's own limit, else the default."""
    return default if limit is None else limit


class Use(NamedTuple):
    """What is used of one limit."""

    owner_id: int
    kind: str
    day: str = ""


def add(use: Use, amount: int = 1, *, refused: bool = True) -> None:
    """Count an addition at the end of this write, which is undone if it exceeds the limit.

    The end of the write raises LimitReached then. Not `refused`: it is counted only.
    """
    if of(use.owner_id).most(use.kind) is None:
        return
    additions = deferred.of_this_write("limits", _Additions)
    if additions is None:
        additions = _Additions()
        additions.add(use, amount, refused=refused)
        additions.carry_out()
    else:
        additions.add(use, amount, refused=refused)


def has_room(use: Use) -> bool:
    """Return whether one more may be added, as far as this write can see."""
    most = of(use.owner_id).most(use.kind)
    if most is None or used(use) < most:
        return True
    stock = _STOCKS.get(use.kind)
    return stock is not None and _recount(use, stock) < most


def freed(owner_id: int, kind: str) -> None:
    """A client has removed something: if the stock is full, it is counted anew at once."""
    _recounts.pop((owner_id, kind), None)


def check() -> None:
    """Raise LimitReached if this write exceeds a limit already.

    A long write, such as an import, can undo the part that exceeds it.
    """
    additions = deferred.of_this_write("limits", _Additions)
    if additions is not None:
        additions.check()


@contextmanager
def undone_on_error() -> Iterator[None]:
    """Forget what is counted within, if it ends with an error: its rows are undone too."""
    additions = deferred.of_this_write("limits", _Additions)
    before = additions.taken() if additions else None
    try:
        yield
    except BaseException:
        if additions is not None and before is not None:
            additions.restore(before)
        raise


def used(use: Use) -> int:
    """Return what is used, together with what this write adds."""
    additions = deferred.of_this_write("limits", _Additions)
    pending = additions.of(use) if additions else 0
    row = LimitUse.get_or_none(_is(use))
    most = of(use.owner_id).most(use.kind)
    total = (row.used if row else 0) + pending
    stock = _STOCKS.get(use.kind)
    stale = row is None or _is_aged(row) or (most is not None and total > most)
    if stock is not None and stale and _may_recount(use):
        return _recount(use, stock)  # the rows of this write are among those
    return total


def audio_room(owner_id: int) -> int | None:
    """Return for how many more bytes the owner's audio store has room; None: for any number."""
    most = of(owner_id).audio_bytes
    return None if most is None else max(0, most - used(Use(owner_id, AUDIO)))


def recording_bytes(seconds: float) -> int:
    """Return the size of a recorded message."""
    return round(seconds * audio.RATE * 2)


def upload_bytes(seconds: float) -> int:
    """Return the size of an uploaded recording, which is kept in both rates."""
    return round(seconds * (audio.RATE + audio.WIDE_RATE) * 2)


class _Additions:
    """What a write adds to the uses of limits."""

    def __init__(self) -> None:
        self._amounts: Counter[Use] = Counter()
        self._refused: set[Use] = set()
        # Those that grew since the last check.
        self._grown: set[Use] = set()
        # The limits that the write has read.
        self.limits: dict[int, OwnerLimits] = {}

    def add(self, use: Use, amount: int, *, refused: bool) -> None:
        self._amounts[use] += amount
        if refused and amount > 0:
            self._refused.add(use)
            self._grown.add(use)

    def of(self, use: Use) -> int:
        return self._amounts[use]

    def taken(self) -> "tuple[Counter[Use], set[Use]]":
        return Counter(self._amounts), set(self._refused)

    def restore(self, before: "tuple[Counter[Use], set[Use]]") -> None:
        self._amounts, self._refused = Counter(before[0]), set(before[1])

    def check(self) -> None:
        for use in self._grown & self._refused:
            most = of(use.owner_id).most(use.kind)
            if most is not None and self._amounts[use] > 0 and used(use) > most:
                raise _reached(use, most, min(most, used(use) - 1))
        self._grown.clear()

    def carry_out(self) -> bool:
        """Write the additions, in one order for all writers. Raises LimitReached."""
        for use in sorted(self._amounts):
            if self._amounts[use]:
                self._write(use, self._amounts[use])
        return any(self._amounts.values())

    def _write(self, use: Use, amount: int) -> None:
        most = of(use.owner_id).most(use.kind)
        if most is None or _grow(use, amount, most if use in self._refused else None):
            return
        # The first use, or the limit is reached, or a stock was not counted for long.
        LimitUse.insert(owner=use.owner_id, kind=use.kind, day=use.day, used=amount).on_conflict(
            conflict_target=[LimitUse.owner, LimitUse.kind, LimitUse.day],
            update={LimitUse.used: LimitUse.used + amount},
        ).execute()
        row = LimitUse.get(_is(use))
        total = row.used
        stock = _STOCKS.get(use.kind)
        if stock is None:
            if total == amount:
                _forget_old(use)
        elif _is_aged(row) or (total > most and _may_recount(use)):
            total = _recount(use, stock)
            values = {"used": total, "counted": utcnow()}
            LimitUse.update(values).where(LimitUse.id == row.id).execute()
        if total > most and use in self._refused:
            raise _reached(use, most, total - amount)


def _grow(use: Use, amount: int, most: int | None) -> bool:
    """Add `amount` to a use that is there, if that keeps the limit. Return whether it was added."""
    wanted = _is(use)
    if most is not None:
        wanted &= LimitUse.used + amount <= most
    if use.kind in _STOCKS:
        wanted &= LimitUse.counted > utcnow() - RECOUNTED
    return bool(LimitUse.update(used=LimitUse.used + amount).where(wanted).execute())


def _is(use: Use) -> Expression:
    owner_id, kind, day = use
    return (LimitUse.owner == owner_id) & (LimitUse.kind == kind) & (LimitUse.day == day)


def _is_aged(row: LimitUse) -> bool:
    """Return whether a stock was not counted anew for long, or never."""
    return row.counted is None or row.counted <= utcnow() - RECOUNTED


def _forget_old(use: Use) -> None:
    """Delete the uses of days that are over. Called with the first use of each day."""
    before = (utcnow().astimezone(UTC) - _KEPT).date().isoformat()
    LimitUse.delete().where(
        LimitUse.owner == use.owner_id, LimitUse.kind == use.kind, LimitUse.day < before
    ).execute()


def _may_recount(use: Use) -> bool:
    return monotonic() >= _recounts.get((use.owner_id, use.kind), 0.0)


def _recount(use: Use, stock: Callable[[int], int]) -> int:
    """Count a stock anew. It is not counted again before this is a small part of the time."""
    began = monotonic()
    total = stock(use.owner_id)
    seconds = monotonic() - began
    if len(_recounts) > _MOST_RECOUNTS:
        _recounts.clear()
    if use.kind != WAITING or total > _CHEAP:
        _recounts[use.owner_id, use.kind] = began + seconds / _RECOUNT_PART
    return total


def _count_waiting(owner_id: int) -> int:
    """Count the alarms that have not come to their end."""
    waiting = Alarm.select(Alarm.id).where(
        Alarm.owner == owner_id, Alarm.status.in_(UNSETTLED), Alarm.deleted.is_null()
    )
    return waiting.count()


def _count_audio(owner_id: int) -> int:
    """Count the bytes of the uploaded recordings and of the recorded messages."""
    uploads = AudioFile.select(fn.SUM(AudioFile.seconds)).where(AudioFile.owner == owner_id)
    # The literal and the sum make both databases use the index of the recorded messages alone.
    messages = (
        SurveyResult.select(fn.SUM(SurveyResult.recording_duration))
        .join(CallRequest)
        .where(SQL("record_file <> ''"), CallRequest.owner + 0 == owner_id)
    )
    return upload_bytes(uploads.scalar() or 0.0) + recording_bytes(messages.scalar() or 0.0)


_STOCKS: Mapping[str, Callable[[int], int]] = {WAITING: _count_waiting, AUDIO: _count_audio}


def _reached(use: Use, most: int, before: int) -> LimitReached:
    """Return the error that names the limit and its use."""
    return LimitReached(f"{_sentence(use, most, before)}; a superuser can raise it.")


def sentence(use: Use) -> str:
    """Return the words that name a limit that is reached, and its use."""
    return _sentence(use, of(use.owner_id).most(use.kind) or 0, used(use))


def _sentence(use: Use, most: int, before: int) -> str:
    if use.kind == AUDIO:
        megabytes = f"{before / MEGABYTE:.1f}"
        return f"max_audio_megabytes is {most / MEGABYTE:g}, and {megabytes} are used already"
    words = {
        CALLS: f"max_calls_per_day is {most}, and {before} calls are due on {use.day} already",
        TRIALS: f"max_trial_calls_per_day is {most}, and {before} were made on {use.day} already",
        WAITING: f"max_alarms_waiting is {most}, and {before} alarms wait already",
    }
    return words[use.kind]
