"""Timelines have a bound: of a very long one, entries in the middle are taken together and counted.

A client that edits an alarm again and again, or a caller who keys wrong PINs, writes an entry each
time. What remains: the first and the last entries, the last ones of each word, and one entry that
counts the others.
"""

from collections import Counter, defaultdict

from peewee import fn

from telealarm.models import Timeline
from telealarm.store.engine import crud
from telealarm.words import TimelineWord

# A timeline with more entries is folded.
MOST = 1000
# So many of its first and of its last entries stay, and so many of each word in between.
FIRST, LAST, OF_EACH = 20, 200, 10
# So many entries are looked at in one write.
_PART = 2000
# So many words the counting entry names.
_NAMED = 8


def newest() -> int:
    """Return the id of the newest entry of all timelines."""
    return Timeline.select(fn.MAX(Timeline.id)).scalar() or 0


def too_long(after: int, until: int) -> list[int]:
    """Return the alarms that got entries with these ids, and whose timelines are too long."""
    new = Timeline.select(Timeline.alarm).where(Timeline.id > after, Timeline.id <= until)
    touched = [row.alarm_id for row in new.distinct()]
    found = []
    for ids in crud.chunks(touched):
        rows = Timeline.select(Timeline.alarm).where(Timeline.alarm.in_(ids))
        counted = rows.group_by(Timeline.alarm).having(fn.COUNT(Timeline.id) > MOST)
        found += [row.alarm_id for row in counted]
    return found


def fold(alarm_id: int) -> bool:
    """Take entries of a timeline together. Return whether more are left to be taken together."""
    entries = Timeline.select().where(Timeline.alarm == alarm_id)
    ids = Timeline.select(Timeline.id).where(Timeline.alarm == alarm_id)
    last = [row.id for row in ids.order_by(Timeline.id.desc()).limit(LAST)]
    older = entries.where(Timeline.id < min(last, default=0)).order_by(Timeline.id)
    part = list(older.offset(FIRST).limit(_PART))
    left: defaultdict[str, int] = defaultdict(int)
    taken = []
    for entry in reversed(part):
        left[entry.what] += 1
        if left[entry.what] > OF_EACH:
            taken.append(entry)
    if not taken:
        return False
    counts: Counter[str] = Counter()
    earlier = 0
    for entry in taken:
        if entry.what == TimelineWord.FOLDED:
            earlier += _counted(entry.why)
        else:
            counts[entry.what] += 1
    # The newest of them becomes the entry that counts them: so it stands in its place.
    keeper, *others = taken
    for some in crud.chunks([entry.id for entry in others]):
        Timeline.delete().where(Timeline.id.in_(some)).execute()
    why = _why(earlier + counts.total(), counts)
    Timeline.update(what=TimelineWord.FOLDED, why=why, request=None).where(
        Timeline.id == keeper.id
    ).execute()
    return len(part) == _PART


def _why(total: int, counts: Counter[str]) -> str:
    named = ", ".join(f"{count} {word}" for word, count in counts.most_common(_NAMED))
    return f"{total} entries, among them {named}" if named else f"{total} entries"


def _counted(why: str) -> int:
    """Return how many entries an earlier fold counted."""
    number = why.split(" ", 1)[0]
    return int(number) if number.isascii() and number.isdigit() else 1
