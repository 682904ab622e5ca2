"""A list as a spreadsheet reads it: `?format=csv`."""

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any

from telealarm.api.core.request_context import RequestContext
from telealarm.api.rest import lists
from telealarm.api.rest.resource import Resource
from telealarm.errors import Invalid

# Rows of one reply, where the address does not say less.
LARGEST_SHEET = 10_000

# A spreadsheet takes a cell that begins so for a formula, which can send away what others hold.
# The wide forms are so where Japanese is read (OWASP, CSV Injection).
_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMULA = (*_SIGNS, "\t", "\r", "\n")
# What is none although it begins so: a telephone number and a negative number.
_PLAIN = re.compile(r"\+[0-9]{1,40}|-[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)


def wanted(visit: RequestContext) -> bool:
    """Whether the address asks for a sheet. Raises Invalid for an unknown format."""
    asked = visit.query.get("format", "json")
    if asked not in ("json", "csv"):
        raise Invalid({"format": ["must be json or csv"]})
    return asked == "csv"


def of_resource(
    visit: RequestContext, resource: Resource, header: Iterable[str]
) -> tuple[str, str | None]:
    """The sheet, and the address of the next one where the list is longer."""
    found = lists.listed(visit, resource, LARGEST_SHEET, LARGEST_SHEET)
    following = lists.link(visit, found.number + 1) if found.more else None
    return written(list(header), found.results), following


def written(header: list[str], results: list[dict[str, Any]]) -> str:
    """Rows as RFC 4180 has them, below the names of their columns."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([cell(row.get(name)) for name in header] for row in results)
    return out.getvalue()


def cell(value: Any) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Some programs trim a cell before they look at it.
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_SIGNS)
    return f"'{text}" if risky and not _PLAIN.fullmatch(text) else text
