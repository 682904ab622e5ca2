"""The rows of a CSV file, as Excel and others write it."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress

_BREAK = re.compile(r"\r\n|\n|\r")
# Excel writes the delimiter into such a line, before the table.
_SEPARATOR = re.compile(r"sep=(.)[\s,;]*", re.IGNORECASE)
_DELIMITERS = (",", ";", "\t")


class Table:
    """The rows of a text. The delimiter is that of a `sep=` line, or the first row's usual one."""

    def __init__(self, text: str) -> None:
        self._lines = _BREAK.split(text)
        self._first = next((n for n, line in enumerate(self._lines) if line.strip()), 0)
        named = _SEPARATOR.fullmatch(self._lines[self._first].strip(' "\ufeff'))
        if named:
            self._first += 1
            self._delimiter = named[1]
        else:
            header = self._lines[self._first]
            self._delimiter = max(_DELIMITERS, key=header.count)

    def rows(self) -> Iterator[tuple[int, list[str] | str]]:
        """Yield each row with the number of its first line: its cells, or what is wrong with it.

        A cell in quotes may have several lines. If a quote is never closed, only its own line is
        wrong, and the next row begins on the next line.
        """
        number = self._first
        while number < len(self._lines):
            reader = csv.reader(self._from(number), delimiter=self._delimiter, strict=True)
            start = number
            try:
                for cells in reader:
                    yield start + 1, cells
                    start = number + reader.line_num
                return
            except csv.Error as error:
                yield start + 1, self._alone(start) or f"{_wrong(error)}; correct it"
                number = start + 1

    def _alone(self, number: int) -> list[str] | None:
        """Return the cells of a line with a quote too many, if it is a row by itself."""
        reader = csv.reader(self._from(number), delimiter=self._delimiter)
        with suppress(csv.Error, StopIteration):
            cells = next(reader)
            if reader.line_num == 1:
                return cells
        return None

    def _from(self, number: int) -> Iterator[str]:
        return (f"{line}\n" for line in self._lines[number:])


def _wrong(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return 'a cell begins with " and no " ends it'
    return str(error)
