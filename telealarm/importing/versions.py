"""Which of several versions of an event counts (RFC 5546 2.1.5: SEQUENCE, then the time stamp)."""

from telealarm.importing.draft import Note, Rejected
from telealarm.importing.vevent import Item


def newest(items: list[Item], uid: str) -> tuple[Item, list[Note | Rejected]]:
    """Return the version that counts, and a message about each other one.

    The highest SEQUENCE counts, then the newest time stamp. If neither decides, the file is wrong:
    the last one counts, and each other one is refused.
    """
    best = items[0]
    for item in items[1:]:
        if _rank(item) >= _rank(best):
            best = item
    others = [item for item in items if item is not best]
    return best, [_message(item, best, uid) for item in others]


def _rank(item: Item) -> tuple[int, str]:
    return item.sequence or 0, item.text("LAST-MODIFIED") or item.text("DTSTAMP")


def _message(item: Item, best: Item, uid: str) -> Note | Rejected:
    if item.content == best.content:
        return Note(item.line, f"UID {uid} is there again on line {best.line}; it is imported once")
    if _rank(item) != _rank(best):
        text = f"is an older version of the event on line {best.line}, and does not count"
        return Note(item.line, text)
    return Rejected(item.line, f"UID {uid} is there again on line {best.line}; keep one", uid)
