"""Reads shell blocks: do their commands, options, make targets, files and addresses exist?"""

import contextlib
import importlib.util
import io
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.core import links
from telealarm.api.openapi import document
from telealarm.cli import main

REPOSITORY = Path(__file__).parents[2]
# Folders of the repository; a relative path that begins with one of them must exist.
_FOLDERS = ("benchmarks", "config", "dialplan", "docs", "sounds", "telealarm", "tests")

# The commands that the pages use beside telealarm, make and functions of their own.
KNOWN = (
    *("apt-get", "asterisk", "awk", "basename", "bash", "cat", "cd", "chmod", "chown", "chroot"),
    *("cp", "curl", "cut", "docker", "echo", "eventually", "export", "false", "git", "grep"),
    *("head", "journalctl", "ln", "ls", "mkdir", "mmdebstrap", "mv", "nginx", "openssl", "pip"),
    *("printf", "psql", "rm", "sed", "sort", "source", "sudo", "systemctl", "tail"),
    *("tar", "tee", "test", "touch", "tr", "true", "umask", "useradd", "wait", "wc"),
)
# What stands before a command and is none itself.
_BEFORE = ("if", "then", "elif", "else", "while", "until", "do", "!", "time", "{", "(")
_ALONE = ("fi", "done", "esac", "}", ")", ";;")


def check_shell(text: str) -> None:
    """Raise AssertionError with what is wrong: syntax, a command, an option, a path."""
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr.strip()
    functions = set(re.findall(r"^\s*(\w+)\s*\(\)", text, re.MULTILINE))
    for words in commands(text):
        _check_command(words, functions)
    text = re.sub(r"\$\([^()]*\)|\$\{\w+\}(?!/)|\$(?!API/)\w+", "1", text)
    for path in re.findall(r"(?:\$API/|\$\{API\}/|/rest-api/)([^\s'\"?]*)", text):
        _check_address(path)
    for method, path in re.findall(r"\bcall (GET|POST|PUT|PATCH|DELETE) ([^\s'\"?]+)", text):
        _check_address(path, method.lower())


def commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command; quoted words keep no quotes, substitutions are words."""
    text = "\n".join(_without_comment(line) for line in text.splitlines()) + "\n"
    text = re.sub(r"\\\n", " ", text)
    while inner := re.search(r"\$\(([^()]*)\)", text):
        yield from commands(inner[1])
        text = text[: inner.start()] + "$SUBSTITUTED" + text[inner.end() :]
    text = re.sub(r"\d?>&\d", "", text)
    text = re.sub(r"<<-?\s*'?\"?(\w+)'?\"?(.*?)\n.*?\n\s*\1\n", r"\2\n", text, flags=re.DOTALL)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();|&\n")
    lexer.whitespace = " \t\r"
    lexer.commenters = ""
    lexer.wordchars += "#$!:,{}[]%^+@"
    words: list[str] = []
    for token in lexer:
        if set(token) <= set("();|&\n"):
            if words:
                yield words
            words = []
        else:
            words.append(token)
    if words:
        yield words


@cache
def openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    return document.written(RESOURCES, TASKS)


@cache
def openapi_paths(path: str) -> frozenset[str] | None:
    """The methods of an address; None if the document does not have it."""
    for known, item in openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known)), path):
            return frozenset(item) & {"get", "post", "put", "patch", "delete"}
    return None


def _without_comment(line: str) -> str:
    """The line up to a `#` that begins a word outside quotes."""
    for match in re.finditer(r"(?:^|(?<=\s))#", line):
        before = line[: match.start()]
        if before.count("'") % 2 == 0 and before.count('"') % 2 == 0:
            return before
    return line


def _check_command(words: list[str], functions: set[str]) -> None:
    words = list(words)
    while words and (words[0] in _BEFORE or re.match(r"\w+=", words[0])):
        words.pop(0)
    if not words or words[0] in _ALONE or words[0] in ("for", "case", "in", "function", "local"):
        return
    name = words[0]
    command = Path(name).name
    _check_files(words)
    if command == "make":
        _check_make(words[1:])
    elif re.fullmatch(r"python3?", command):
        _check_python(words[1:])
    elif command == "telealarm":
        _check_telealarm(words[1:])
    elif "telealarm" in words and command in ("docker", "sudo", "chroot", "env"):
        last = len(words) - 1 - words[::-1].index("telealarm")
        if last + 1 < len(words):
            _check_telealarm(words[last + 1 :])
    else:
        known = command in KNOWN or name in functions or name == "call" or name.startswith("$")
        assert known, f"the command {name!r} is not known (KNOWN in docs/_generate/shell.py)"


def _check_telealarm(words: list[str]) -> None:
    """Parse a command line. A word that the shell puts in is taken for a number."""
    redirected = next((at for at, word in enumerate(words) if word in ("<", ">")), len(words))
    words = words[:redirected]
    words = re.sub(r"\$\(.*?\)|\$\w+|\$\{\w+\}", "1", "\0".join(words)).split("\0")
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            main.parser().parse_args(words)
        except SystemExit as end:
            assert not end.code, f"telealarm {' '.join(words)}: {said.getvalue()}"


def _check_python(words: list[str]) -> None:
    if words[:1] == ["-m"]:
        assert importlib.util.find_spec(words[1]), f"there is no module {words[1]}"


def _check_make(words: list[str]) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for word in words:
        variable = re.match(r"([A-Z_]+)=", word)
        if variable:
            assert f"$({variable[1]})" in makefile or f"$(if $({variable[1]})" in makefile, (
                f"the Makefile knows no {variable[1]}"
            )
        elif not word.startswith("-"):
            target = rf"^{re.escape(word)}:"
            assert re.search(target, makefile, re.MULTILINE), f"make knows no target {word}"


def _check_files(words: list[str]) -> None:
    for word in words[1:]:
        first = word.split("/")[0]
        if "/" in word and first in _FOLDERS and "$" not in word:
            path = word.split("::")[0]
            assert list(REPOSITORY.glob(path.rstrip("/"))), f"the repository has no {path}"


def _check_address(path: str, method: str = "") -> None:
    """What the shell puts in is `1` here: an id, or, alone, a whole link."""
    full = links.BASE + path
    if path == "1" or full in (links.BASE, links.BASE + "openapi.json"):
        return
    methods = openapi_paths(full)
    assert methods is not None, f"the API has no path {full}"
    assert not method or method in methods, f"the API has no {method.upper()} {full}"
