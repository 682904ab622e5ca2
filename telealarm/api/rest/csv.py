"""A list as a spreadsheet: `?format=csv`."""

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

# The rows of one reply, if the address does not ask for less.
LARGEST_SHEET = 10_000

# A spreadsheet reads a cell that begins with these as a formula. A formula can send the contents of
# other cells away. Japanese spreadsheets also accept the wide forms (OWASP, CSV Injection).
_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMULA = (*_SIGNS, "\t", "\r", "\n")
# These begin so but are no formulas: a telephone number (also as a text), and a negative number.
_PLAIN = re.compile(r"\t?\+[0-9]{1,40}|\t[0-9]{1,40}|-[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
# Without it, a spreadsheet does not know that the file is UTF-8.
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def wanted(context: RequestContext) -> bool:
    """Return whether the address asks for CSV. Raises Invalid for an unknown format."""
    asked = context.query.get("format", "json")
    if asked not in ("json", "csv"):
        raise Invalid({"format": ["must be json or csv"]})
    return asked == "csv"


def of_resource(
    context: RequestContext, resource: Resource, header: Iterable[str]
) -> tuple[str, str | None]:
    """Return the CSV text, and the address of the next page if the list is longer."""
    sheet = resource.sheet
    page = lists.listed(context, resource, LARGEST_SHEET, LARGEST_SHEET, sheet)
    following = lists.link(context, page.number + 1) if page.more else None
    if sheet is None:
        return written(list(header), page.results), following
    return _BOM + written([*sheet.columns, *header], page.results), following


def written(header: list[str], results: list[dict[str, Any]]) -> str:
    """Return the rows as CSV by RFC 4180, below the names of their columns."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([cell(row.get(name)) for name in header] for row in results)
    return out.getvalue()


def cell(value: Any) -> str:
    """Return the value as a cell that no spreadsheet reads as a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Some programs trim a cell before they read it.
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_SIGNS)
    return f"'{text}" if risky and not _PLAIN.fullmatch(text) else text
