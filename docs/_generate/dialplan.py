"""reference/dialplan.md, from the comments and the contexts of dialplan/telealarm.conf.

A comment before the first context is about the whole file, one that stands right before a context,
an extension or a priority is about that. In a comment, an indented line with a name and a meaning
is an entry of a list, another indented line is code.
"""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docs._generate.markdown import code, fence, prose, table
from telealarm import fastagi_handlers

SOURCE = Path(__file__).parents[2] / "dialplan" / "telealarm.conf"

_ENTRY = re.compile(r"\s+([A-Z][A-Z_]+|[a-z-]+/[a-z-]+)\s{2,}(\S.*)")
_CODE = re.compile(r"\s+(?:exten\b|same\b|#include|\[)")


@dataclass
class Context:
    """A context: its name, the comment before it, and its extensions with theirs."""

    name: str
    comment: list[str]
    extensions: list[tuple[str, list[str]]] = field(default_factory=list)
    labels: list[tuple[str, list[str]]] = field(default_factory=list)


def files() -> dict[str, str]:
    """The page, by its path."""
    return {"reference/dialplan.md": page(SOURCE.read_text(encoding="utf-8"))}


def page(text: str) -> str:
    """The text of the page."""
    about, contexts = read(text)
    parts = ["# Dialplan\n", *_comment(about)]
    for context in contexts:
        parts.append(f"## {context.name} {{#{context.name}}}\n")
        parts += _comment(context.comment)
        parts.append(_places(context))
    parts.append("## All of it {#all}\n")
    parts.append(fence("ini dialplan", text))
    return "\n".join(parts)


def read(text: str) -> tuple[list[str], list[Context]]:
    """The comment about the file, and its contexts."""
    about: list[str] = []
    contexts: list[Context] = []
    comment: list[str] = []
    for line in text.splitlines():
        if line.startswith(";"):
            comment.append(line[1:].removeprefix(" ") if line[1:2] == " " else line[1:])
            continue
        if not line.strip():
            if not contexts and not about:
                about, comment = comment, []
            continue
        if line.startswith("["):
            contexts.append(Context(line.strip("[] "), comment))
        elif match := re.match(r"exten\s*=>\s*([^,]+),", line):
            contexts[-1].extensions.append((match[1], comment))
        elif match := re.match(r"\s*same\s*=>\s*n\(([^)]+)\)", line):
            contexts[-1].labels.append((match[1], comment))
        elif comment:
            contexts[-1].labels.append(("", comment))
        comment = []
    return about, contexts


def variables(text: str) -> set[str]:
    """The variables of TeleAlarm that the dialplan reads or sets."""
    lines = (line for line in text.splitlines() if not line.startswith(";"))
    return {name for line in lines for name in re.findall(r"\bTELEALARM_[A-Z_]+\b", line)}


def answers() -> set[str]:
    """The variables that FastAGI reads and sets."""
    return set(re.findall(r"\bTELEALARM_[A-Z_]+\b", inspect.getsource(fastagi_handlers)))


def _comment(lines: list[str]) -> Iterator[str]:
    """The paragraphs, lists and code of a comment."""
    paragraph: list[str] = []
    entries: list[list[str]] = []
    block: list[str] = []

    def flushed() -> Iterator[str]:
        if paragraph:
            yield prose(" ".join(paragraph)) + "\n"
            paragraph.clear()
        if entries:
            yield table(("name", "meaning"), [(code(n), prose(t)) for n, t in entries])
            entries.clear()
        if block:
            yield fence("ini dialplan", "\n".join(block))
            block.clear()

    for line in lines:
        if _CODE.match(line):
            if not block:
                yield from flushed()
            block.append(line.removeprefix("  "))
        elif entry := _ENTRY.fullmatch(line):
            if not entries:
                yield from flushed()
            entries.append([entry[1], entry[2]])
        elif line.startswith("   ") and entries:
            entries[-1][1] += " " + line.strip()
        elif line.startswith("  "):
            yield from flushed()
            yield ", ".join(code(word) for word in line.strip().split(", ")) + "\n"
        elif line.strip():
            if entries or block:
                yield from flushed()
            paragraph.append(line.strip())
        else:
            yield from flushed()
    yield from flushed()


def _places(context: Context) -> str:
    """Its extensions, and the steps that have a comment."""
    rows = [(code(name), prose(" ".join(comment))) for name, comment in context.extensions]
    rows += [
        (code(name) or "(within)", prose(" ".join(comment)))
        for name, comment in context.labels
        if comment
    ]
    return table(("extension or label", "what happens there"), rows)
