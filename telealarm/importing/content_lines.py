"""The lines of an iCalendar file, as components (RFC 5545 3.1 and 3.4).

Each component is read by itself. So a fault in one does not touch the others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from icalendar.parser import Contentline

from telealarm.importing import encoding

_BREAK = re.compile(rb"\r*\n")
_NAME = re.compile(r"[A-Za-z0-9-]+[;:]", re.ASCII)
# Outlook writes such a TZID with a colon, but without the quotes that it needs.
_UNQUOTED = re.compile(
    r'^([A-Z-]+;TZID=)([^";]*:[^";]*)(:[0-9TZPYMDHWS,/]+)$', re.ASCII | re.IGNORECASE
)
# Nothing inside such a component begins another one: an END is missing.
_TOP = ("VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE")


@dataclass(frozen=True)
class Property:
    """A content line: its number in the file, and its parts. `value` is as written."""

    line: int
    name: str
    params: dict[str, Any]
    value: str


@dataclass
class Component:
    """A component: its properties and the components inside it.

    `faults` are messages about its lines, each with the line.
    """

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    components: list["Component"] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    # Its end is missing: nobody knows what belonged to it.
    is_open: bool = False

    def all(self, name: str) -> list[Property]:
        """Return the properties of this name, in the order of the file."""
        return [item for item in self.properties if item.name == name]

    def text(self, name: str) -> str:
        """Return the value of the first property of this name, as written, or an empty text."""
        return next((item.value.strip() for item in self.all(name)), "")


def components(data: bytes) -> list[Component]:
    """Return the components at the top of a file, normally one VCALENDAR."""
    top: list[Component] = []
    stack: list[Component] = []
    for number, raw in _unfolded(data):
        content = encoding.of_line(raw)
        if content is None:
            content = raw.decode("cp1252", "replace")
            _fault(stack, number, "is not UTF-8 and was read as Windows-1252; look at its letters")
        item = _property(number, content.strip())
        if item is None:
            _fault(
                stack, number, "is no property and is left out; a longer line goes on with a space"
            )
        elif item.name == "BEGIN":
            _begin(item, top, stack)
        elif item.name == "END":
            _end(item.value.strip().upper(), stack)
        elif stack:
            stack[-1].properties.append(item)
    for left in stack:
        left.is_open = True
    return top


def _unfolded(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each content line with the number of its first line.

    A line may be folded inside a character (3.1), so this works on bytes. Programs end lines with
    CRLF, LF or CR.
    """
    data = encoding.as_utf_8(data)
    lines = _BREAK.split(data) if b"\n" in data else data.split(b"\r")
    first, parts = 0, list[bytes]()
    for number, line in enumerate(lines, 1):
        if line[:1] in (b" ", b"\t") and parts:
            parts.append(line[1:])
        elif line.strip():
            if parts:
                yield first, b"".join(parts)
            first, parts = number, [line]
    if parts:
        yield first, b"".join(parts)


def _property(line: int, content: str) -> Property | None:
    if not _NAME.match(content):
        return None
    content = _UNQUOTED.sub(r'\1"\2"\3', content)
    try:
        name, params, value = Contentline(content).raw_parts()  # type: ignore[no-untyped-call]
    except ValueError:
        return None
    return Property(line, name.upper(), {key.upper(): params[key] for key in params}, value)


def _begin(item: Property, top: list[Component], stack: list[Component]) -> None:
    component = Component(item.value.strip().upper(), item.line)
    if component.name in _TOP:
        while stack and (stack[-1].name != "VCALENDAR" or component.name == "VCALENDAR"):
            stack.pop().is_open = True
    (stack[-1].components if stack else top).append(component)
    stack.append(component)


def _end(name: str, stack: list[Component]) -> None:
    """Close a component. The components inside it that are still open lack their own end."""
    if all(component.name != name for component in stack):
        return
    while (last := stack.pop()).name != name:
        last.is_open = True
        if stack:
            stack[-1].is_open = True


def _fault(stack: list[Component], line: int, message: str) -> None:
    if stack:
        stack[-1].faults.append((line, message))
