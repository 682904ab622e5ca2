"""A calendar of a CalDAV server (RFC 4791): reads its events, and writes one back.

Every request goes through the guarded client. docs/decisions/caldav-client.md says why no library
is used.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import icalendar

from telealarm.errors import Conflict, TransportError
from telealarm.feeds.source import Fetched
from telealarm.models import CalendarFeed
from telealarm.store.feeds.feeds import Known
from telealarm.store.feeds.items import Item
from telealarm.transports.feed import Answer, FeedTransport, Login, Question, refused

DAV, CAL, CS = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}"
_OK, _MULTI_STATUS, _GONE, _CHANGED = 200, 207, (404, 410), 412
_XML = {"Content-Type": "application/xml; charset=utf-8"}
# Events that ended before this are over, and are not asked for.
_PAST = timedelta(days=1)
# The time limit of each request of a write: the client of the API waits for 10 seconds.
WRITE_SECONDS = 3.0
_LONGEST_TAG = 255

_CTAG = """<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:" xmlns:cs="http://calendarserver.org/ns/">
<d:prop><cs:getctag/></d:prop></d:propfind>"""
_QUERY = """<?xml version="1.0" encoding="utf-8"?>
<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<d:prop><d:getetag/><c:calendar-data/></d:prop>
<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">
<c:time-range start="{start:%Y%m%dT%H%M%SZ}"/>
</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"""

# Changes the events of a resource. Raises Conflict if it cannot.
Edit = Callable[[icalendar.Calendar], None]
# Whether the source has kept an edit.
Kept = Callable[[icalendar.Calendar], bool]


@dataclass(frozen=True)
class Written:
    """A resource after a write, as the source has it now."""

    data: bytes
    etag: str


class CalDavSource:
    """A calendar of a CalDAV server."""

    def __init__(self, transport: FeedTransport, most_bytes: int) -> None:
        self._transport = transport
        self._most_bytes = most_bytes

    async def fetch(self, feed: CalendarFeed, now: datetime) -> Fetched | None:
        """Return the events that are not over; None if nothing has changed since the last poll.

        Raises TransportError with a sentence for the feed's manager.
        """
        ctag = await self._ctag(feed)
        if ctag and ctag == feed.etag:
            return None
        query = _QUERY.format(start=now - _PAST)
        answer = await self._ask(feed, "REPORT", query, Depth="1")
        if answer.status != _MULTI_STATUS:
            raise refused(answer)
        parts, items = list[str](), list[Item]()
        for href, found in _responses(_parsed(answer)):
            data = found.findtext(f".//{CAL}calendar-data") or ""
            if data.strip():
                parts.append(data.strip())
                items.append(Item(_uid(data), urljoin(answer.url, href), _etag(found)))
        merged = "\r\n".join(parts or ["BEGIN:VCALENDAR\r\nEND:VCALENDAR"]).encode()
        known = Known(etag=ctag, digest=hashlib.sha256(merged).hexdigest())
        return Fetched(merged, known, items)

    async def write(self, feed: CalendarFeed, href: str, edit: Edit, kept: Kept) -> Written:
        """Edit a resource at the source, and return it as the source has it then.

        1. Get it as it is now, and edit it.
        2. Put it back, if it is still the same there (If-Match).
        3. Get it again: a server may answer well, and not keep it.

        Raises Conflict if the source refuses, TransportError if it does not answer.
        """
        before = await self._get(feed, href)
        calendar = _calendar(before.body)
        edit(calendar)
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        if etag := before.headers.get("ETag"):
            headers["If-Match"] = etag
        body = calendar.to_ical().decode()
        answer = await self._ask(feed, "PUT", body, url=href, **headers)
        if answer.status == _CHANGED:
            raise Conflict("The source has changed the event just now; look at it again.")
        if 400 <= answer.status < 500:
            raise Conflict(f"The source refuses the change: {refused(answer)}.")
        if not 200 <= answer.status < 300:
            raise refused(answer)
        after = await self._get(feed, href)
        if not kept(_calendar(after.body)):
            raise Conflict("The source took the change and did not keep it.")
        return Written(after.body, after.headers.get("ETag", "")[:_LONGEST_TAG])

    async def _get(self, feed: CalendarFeed, href: str) -> Answer:
        answer = await self._ask(feed, "GET", "", url=href)
        if answer.status in _GONE:
            raise Conflict("The source has the event no more.")
        if answer.status != _OK:
            raise refused(answer)
        return answer

    async def _ctag(self, feed: CalendarFeed) -> str:
        """Return the version of the whole calendar; empty if the server does not say."""
        answer = await self._ask(feed, "PROPFIND", _CTAG, Depth="0")
        if answer.status in (401, 403, *_GONE):
            raise refused(answer)
        if answer.status != _MULTI_STATUS:
            return ""
        tag = _parsed(answer).findtext(f".//{CS}getctag") or ""
        return tag if len(tag) <= _LONGEST_TAG and tag.isprintable() else ""

    async def _ask(
        self, feed: CalendarFeed, method: str, body: str, url: str = "", **headers: str
    ) -> Answer:
        question = Question(
            url or feed.source_url,
            self._most_bytes,
            method,
            {**(_XML if not url else {}), **headers},
            body,
            Login(feed.username, feed.password),
            seconds=WRITE_SECONDS if url else None,
            # The login goes where the feed leads, not where an answer leads.
            login_for=feed.source_url,
        )
        return await self._transport.ask(question)


def _parsed(answer: Answer) -> Element:
    # An entity may grow without end.
    if b"<!ENTITY" in answer.body or b"<!DOCTYPE" in answer.body:
        raise TransportError("the source is no CalDAV calendar: it answers with a document type")
    try:
        return ElementTree.fromstring(answer.body)
    except ElementTree.ParseError:
        raise TransportError("the source is no CalDAV calendar: its answer is no XML") from None


def _responses(root: Element) -> Iterator[tuple[str, Element]]:
    for response in root.iter(f"{DAV}response"):
        yield response.findtext(f"{DAV}href") or "", response


def _etag(response: Element) -> str:
    return (response.findtext(f".//{DAV}getetag") or "")[:_LONGEST_TAG]


def _uid(data: str) -> str:
    """Return the UID of a resource: all its events have the same (RFC 4791 4.1)."""
    return next((str(event.get("UID", "")) for event in events(_calendar(data.encode()))), "")


def _calendar(data: bytes) -> icalendar.Calendar:
    try:
        calendar = icalendar.Calendar.from_ical(data)
    except ValueError:
        raise Conflict("The source has something there that is no event.") from None
    if not isinstance(calendar, icalendar.Calendar):
        raise Conflict("The source has something there that is no event.")
    return calendar


def events(calendar: icalendar.Calendar) -> list[icalendar.Event]:
    """Return the events of a resource."""
    return [event for event in calendar.walk("VEVENT") if isinstance(event, icalendar.Event)]
