"""reference/command-line.md, from the parser of the command `telealarm`."""

import argparse
from collections.abc import Iterator

from docs._generate.markdown import code, fence, prose, table
from telealarm.cli import main

INTRODUCTION = """\
# Command line

`make install` puts the command into `.venv/bin/telealarm`. A command ends with status 0 if it did
what it says, with 1 and one sentence on standard error if it did not, and with 2 if its words are
wrong. Each takes `--config FILE`; without it the file is `$TELEALARM_CONFIG`, else
`config/telealarm.yml`.
"""


def files() -> dict[str, str]:
    """The page, by its path."""
    return {"reference/command-line.md": page()}


def page() -> str:
    """The text of the page: every command in one table, then a section for each."""
    found = list(commands(main.parser()))
    rows = [
        (f"[{code(' '.join(words))}](#{'-'.join(words)})", prose(about))
        for words, about, _ in found
    ]
    parts = [INTRODUCTION, table(("command", "what it does"), rows)]
    parts += [_section(words, about, parser) for words, about, parser in found]
    return "\n".join(parts)


def commands(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str, argparse.ArgumentParser]]:
    """Every command that runs: its words, what it does, and its own parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            about = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for word, sub in action.choices.items():
                inner = list(commands(sub, (*words, word)))
                yield from inner or [((*words, word), about[word], sub)]


def _section(words: tuple[str, ...], about: str, parser: argparse.ArgumentParser) -> str:
    name = " ".join(("telealarm", *words))
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction) or action.dest == "config":
            continue
        needed = "required" if action.required else ""
        default = action.default
        if default not in (None, "", False, argparse.SUPPRESS) and not needed:
            needed = f"default {code(default)}"
        rows.append((code(_written(action)), needed, prose(action.help or "")))
    usage = " ".join(["telealarm", *words, *_usage(parser)])
    heading = f"## {name} {{#{'-'.join(words)}}}"
    sentence = prose(about[:1].upper() + about[1:]) + "."
    arguments = table(("argument", "", "meaning"), rows) if rows else ""
    return f"{heading}\n\n{sentence}\n\n{fence('text shown', usage)}\n{arguments}"


def _written(action: argparse.Action) -> str:
    """`--days N`, or `NAME`."""
    value = str(action.metavar or (action.dest.upper() if action.nargs != 0 else ""))
    if not action.option_strings:
        return value
    return ", ".join(action.option_strings) + (f" {value}" if action.nargs != 0 else "")


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        text = _written(action)
        yield text if action.required else f"[{text}]"
