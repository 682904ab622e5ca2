"""The sources of feeds: what a poll gets from one. A kind of source is a class here."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from telealarm.errors import TransportError
from telealarm.models import CalendarFeed
from telealarm.store.feeds.feeds import Known
from telealarm.store.feeds.items import Item
from telealarm.transports.feed import Answer, FeedTransport, Login, Question, refused

_OK, _NOT_MODIFIED = 200, 304
_END = b"END:VCALENDAR"
# Longer ones are not kept: then the digest alone tells a change.
_LONGEST_ETAG, _LONGEST_DATE = 255, 100


@dataclass(frozen=True)
class Fetched:
    """The events of a source as one iCalendar file."""

    data: bytes
    known: Known
    # The resources of a CalDAV source.
    items: Collection[Item] = ()


class IcsSource:
    """A file of iCalendar at an address."""

    def __init__(self, transport: FeedTransport, most_bytes: int) -> None:
        self._transport = transport
        self._most_bytes = most_bytes

    async def fetch(self, feed: CalendarFeed) -> Fetched | None:
        """Return what the source has; None if it has not changed since the last poll.

        Raises TransportError with a sentence for the feed's manager.
        """
        answer = await self._transport.ask(
            Question(
                feed.source_url,
                self._most_bytes,
                headers=_conditions(feed),
                login=Login(feed.username, feed.password),
            )
        )
        if answer.status == _NOT_MODIFIED:
            return None
        if answer.status != _OK:
            raise refused(answer)
        known = Known(
            _short(answer, "ETag", _LONGEST_ETAG),
            _short(answer, "Last-Modified", _LONGEST_DATE),
            hashlib.sha256(answer.body).hexdigest(),
        )
        if known.digest == feed.digest:
            return None
        check_whole(answer.body)
        return Fetched(answer.body, known)


def check_whole(data: bytes) -> None:
    """Raise TransportError if the answer is no iCalendar file, or was cut off."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:100].upper()
    if start.startswith((b"<!DOCTYPE", b"<HTML")):
        raise TransportError("the source is a web page, not an iCalendar file; check the address")
    if not start.startswith(b"BEGIN:VCALENDAR"):
        raise TransportError("the source is no iCalendar file; check the address")
    if _END not in data[-200:].upper():
        raise TransportError("the source sent a part of the file only: its end is missing")


def _conditions(feed: CalendarFeed) -> dict[str, str]:
    headers = {"Accept": "text/calendar, */*;q=0.5"}
    if feed.etag:
        headers["If-None-Match"] = feed.etag
    elif feed.last_modified:
        headers["If-Modified-Since"] = feed.last_modified
    return headers


def _short(answer: Answer, name: str, longest: int) -> str:
    value = answer.headers.get(name, "")
    return value if len(value) <= longest and value.isprintable() else ""
