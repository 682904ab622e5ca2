"""The code blocks of the pages, and what a test reads in each: see docs/writing.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from docs._generate.reference import DOCS

_FENCE = re.compile(r"( *)(`{3,})([^`]*)")
_HIDDEN = re.compile(r"<!-- run\s*")


@dataclass(frozen=True)
class Block:
    """A code block: `words` are its first line, such as `sh run`; `line` is where that stands."""

    page: Path
    line: int
    words: str
    text: str
    hidden: bool = False

    @property
    def place(self) -> str:
        """`docs/how-to/sms.md:12`, for the reader of a failure."""
        return f"{self.page.relative_to(DOCS.parent)}:{self.line}"


# Pages of the repository that stand beside docs/; those that exist.
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md")


def pages() -> list[Path]:
    """Every page, generated or not."""
    beside = [DOCS.parent / name for name in BESIDE if (DOCS.parent / name).exists()]
    return beside + sorted(path for path in DOCS.rglob("*.md") if "_generate" not in path.parts)


def front_matter(page: Path) -> dict[str, Any]:
    """What stands between the two `---` at the beginning of a page."""
    match = re.match(r"---\n(.*?\n)---\n", page.read_text(encoding="utf-8"), re.DOTALL)
    values: dict[str, Any] = (yaml.safe_load(match[1]) or {}) if match else {}
    return values


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page in their order, and the comments that run.

    Raises ValueError for a block that does not end.
    """
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
    for number, line in lines:
        if _HIDDEN.fullmatch(line):
            text = _until(page, number, lines, "", "-->")
            yield Block(page, number, "sh run", text, hidden=True)
        elif match := _FENCE.fullmatch(line):
            indent, ticks, words = match.groups()
            text = _until(page, number, lines, indent, ticks)
            yield Block(page, number, words.strip(), text)


def _until(page: Path, number: int, lines: Iterator[tuple[int, str]], indent: str, end: str) -> str:
    """The lines up to the one that ends the block."""
    taken: list[str] = []
    for _, line in lines:
        if line.rstrip() == indent + end:
            return "\n".join(taken) + "\n"
        taken.append(line.removeprefix(indent))
    raise ValueError(f"{page}:{number}: the block does not end with {end}")
