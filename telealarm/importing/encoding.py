"""The encoding of a file: UTF-8, or UTF-16 as Excel writes it."""

import codecs

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def decode(data: bytes) -> str:
    """Return the text of the file, without its byte order mark. Raises UnicodeDecodeError."""
    name = _utf_16(data)
    return data.decode(name).removeprefix("\ufeff") if name else data.decode("utf-8-sig")


def as_utf_8(data: bytes) -> bytes:
    """Return the bytes of the file in UTF-8. Bytes that are no text stay as they are."""
    name = _utf_16(data)
    if name:
        return data.decode(name, "replace").removeprefix("\ufeff").encode()
    return data.removeprefix(codecs.BOM_UTF8)


def of_line(line: bytes) -> str | None:
    """Return a line as text. None: it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _utf_16(data: bytes) -> str | None:
    """Return the name of UTF-16 in the order of the file. Its first two letters are Latin."""
    if data[:2] in _MARKS:
        return _MARKS[data[:2]]
    if data[1:2] == data[3:4] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if data[:1] == data[2:3] == b"\0" else None
