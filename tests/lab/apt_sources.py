"""The Debian mirrors in this machine's own apt sources."""

import re
from collections.abc import Iterator
from pathlib import Path

ETC = Path("/etc")


def debian_mirrors(etc: Path = ETC) -> list[str]:
    """The mirrors of this machine's Debian release, the likeliest first.

    Other vendors' sources stand in the same files, some with Debian's suite names; a signature
    that is not Debian's gives those away when they are used. Security entries have no
    full release behind them.
    """
    suites = {_codename(etc), "stable", "oldstable", "testing", "unstable", "sid"}
    found = [
        uri.rstrip("/")
        for uri, names, components in _entries(etc)
        if names & suites and "main" in components and "security" not in uri
    ]
    found = [mirror for uri in found for mirror in _resolved(uri)]
    return sorted(dict.fromkeys(found), key=lambda uri: not _looks_debian(uri))


def _looks_debian(uri: str) -> bool:
    return "debian" in uri.rsplit("/", 1)[-1] or "/archive/debian/" in uri


def _codename(etc: Path) -> str:
    found = re.search(r"^VERSION_CODENAME=(\w+)", (etc / "os-release").read_text(), re.MULTILINE)
    return found[1] if found else "stable"


def _resolved(uri: str) -> list[str]:
    """`mirror+file:/path` names a file with a mirror a line, as Debian's cloud images have it."""
    if uri.startswith("mirror+file:"):
        lines = Path("/" + uri.partition(":")[2].lstrip("/")).read_text().splitlines()
        return [line.split()[0].rstrip("/") for line in lines if line and not line.startswith("#")]
    return [uri] if uri.startswith(("http://", "https://", "file:")) else []


def _entries(etc: Path) -> Iterator[tuple[str, set[str], set[str]]]:
    """(URI, suites, components) of every enabled binary source."""
    parts = etc / "apt" / "sources.list.d"
    for path in [etc / "apt" / "sources.list", *sorted(parts.glob("*.list"))]:
        if path.is_file():
            yield from _one_line(path.read_text())
    for path in sorted(parts.glob("*.sources")):
        yield from _deb822(path.read_text())


def _one_line(text: str) -> Iterator[tuple[str, set[str], set[str]]]:
    for line in text.splitlines():
        words = re.sub(r"\[.*?\]", " ", line.partition("#")[0]).split()
        if len(words) >= 3 and words[0] == "deb":
            yield words[1], {words[2]}, set(words[3:])


def _deb822(text: str) -> Iterator[tuple[str, set[str], set[str]]]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^([\w-]+):((?:.*(?:\n[ \t].*)*))", stanza, re.MULTILINE)
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            yield uri, set(fields.get("suites", [])), set(fields.get("components", []))
