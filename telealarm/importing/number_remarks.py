"""Remarks about the phone numbers of a file that were changed or could not be placed."""

from collections.abc import Iterator

from telealarm.importing.draft import Draft
from telealarm.rules import phone_number
from telealarm.store import numbers


class NumberRemarks:
    """Names each number once in a report."""

    def __init__(self) -> None:
        self._named: set[tuple[str, str | None]] = set()

    def of(self, draft: Draft, region: str | None) -> Iterator[str]:
        """Yield the remarks about the numbers of a draft that was written."""
        for body in draft.alarms:
            for field in numbers.OF_ALARM.keys() & body.keys():
                text = str(body[field] or "")
                if not text or (text, region) in self._named:
                    continue
                self._named.add((text, region))
                why = _remark(text, region)
                if why:
                    yield f"line {draft.line}: {field}: {why}"


def _remark(text: str, region: str | None) -> str:
    try:
        number = phone_number.read(text, region)
    except ValueError:
        return ""  # the row was refused
    why = f"the plan of {region} has no such number" if region else "no region is set"
    changed = phone_number.changes_digits(text, number)
    if number.e164:
        return f"{text} is read as {number.e164}" if changed else ""
    if changed:
        return f"{text} is read and dialled as {number.written}: {why}"
    return f"{number.written} is dialled as it is written: {why}"
