"""`python -m docs._generate` writes what has changed; `--check` only names it, and fails."""

import sys

from docs._generate import reference


def main(words: list[str]) -> int:
    """Run the command; returns its exit status."""
    changed = reference.stale()
    if words == ["--check"]:
        for name, what in changed.items():
            print(f"docs/{name} is {what}: run make docs", file=sys.stderr)
        return 1 if changed else 0
    if words:
        print("usage: python -m docs._generate [--check]", file=sys.stderr)
        return 2
    reference.write()
    for name, what in changed.items():
        print(f"docs/{name} was {what}")
    return 0


sys.exit(main(sys.argv[1:]))
