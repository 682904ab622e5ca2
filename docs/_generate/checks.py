"""What a test does with each kind of code block that does not run.

A check raises AssertionError, ValueError or an error of the reader, with what is wrong.
"""

import ast
import configparser
import importlib.util
import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import crossplane
import yaml
from jsonschema import Draft202012Validator

from docs._generate import dialplan
from docs._generate.blocks import Block
from docs._generate.shell import check_shell, openapi, openapi_paths
from telealarm.config import file
from telealarm.importing import ics, sheet
from telealarm.importing.draft import Rejected

# A page's blocks that run do so in tests/acceptance/test_docs.py, all in one shell.
RUN = ("sh run", "text output")


def check(block: Block) -> None:
    """Read a block as its first line says. Raises AssertionError, naming its place."""
    words, _, schema = block.words.partition(" schema=")
    if words not in CHECKS or (schema and words != "json"):
        raise AssertionError(
            f"{block.place}: `{block.words}` is no known kind of block; see docs/writing.md"
        )
    try:
        if schema:
            _schema(schema, block.text)
        else:
            CHECKS[words](block.text)
    except Exception as error:
        raise AssertionError(f"{block.place}: {error}") from error


def _schema(name: str, text: str) -> None:
    components = openapi()["components"]
    assert name in components["schemas"], f"the document has no schema {name}"
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    errors = [
        f"{'.'.join(map(str, error.path))}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(json.loads(text))
    ]
    assert not errors, f"is no {name}: {'; '.join(errors)}"


def _shown(text: str) -> None:
    assert text.strip(), "is empty"


def _python(text: str) -> None:
    tree = ast.parse(text)
    compile(text, "block", "exec")
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert importlib.util.find_spec(name), f"there is no module {name}"


def _yaml(text: str) -> None:
    assert yaml.safe_load(text) is not None, "is empty"


def _yaml_config(text: str) -> None:
    """Every key must exist. A variable that the block needs from the environment is set."""
    names = re.findall(r"\$\{([A-Za-z_]\w*)\}", text)
    with _file("telealarm.yml", text) as path, mock.patch.dict(os.environ):
        os.environ.update(dict.fromkeys(names, "x"))
        file.load(path)


def _ini_asterisk(text: str) -> None:
    """Sections, templates, `key = value`, `key => value`, directives and comments."""
    form = re.compile(
        r"\s*(;.*)?|\[[\w.-]+\](\((!|\+)?[\w,.!+-]*\))?\s*(;.*)?|#\w+\s.*|\s*[\w.()/-]+\s*=>?.*"
    )
    for line in text.splitlines():
        assert form.fullmatch(line), f"Asterisk does not read the line: {line}"


def _ini_dialplan(text: str) -> None:
    """As above; and what begins with telealarm must be in the dialplan that is shipped."""
    _ini_asterisk(text)
    shipped = dialplan.SOURCE.read_text(encoding="utf-8")
    contexts = {context.name for context in dialplan.read(shipped)[1]}
    # telealarm-8000 is no context but the default name of a worker.
    for name in re.findall(r"Goto\((telealarm-[a-z]+)", text):
        assert name in contexts, f"dialplan/telealarm.conf has no context {name}"
    known = dialplan.variables(shipped) | dialplan.answers()
    for name in re.findall(r"\bTELEALARM_[A-Z_]+\b", text):
        assert name in known, f"dialplan/telealarm.conf knows no variable {name}"


def _ini_systemd(text: str) -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.read_string(text)
    known = {"Unit", "Service", "Install", "Timer", "Socket"}
    assert unit.sections(), "has no section"
    assert set(unit.sections()) <= known, f"systemd has no sections {unit.sections()}"


def _nginx(text: str) -> None:
    """Within `http`, unless it begins with that."""
    if not re.search(r"^(http|events)\b", text, re.MULTILINE):
        text = f"events {{}}\nhttp {{\n{text}\n}}\n"
    with _file("nginx.conf", text) as path:
        result = crossplane.parse(str(path), single=True, strict=True)
    errors = [error["error"] for error in result["errors"]]
    assert not errors, "; ".join(errors)


def _http(text: str) -> None:
    """A request: its first line, headers, a body of JSON."""
    head, _, body = text.partition("\n\n")
    match = re.match(r"([A-Z]+) (/\S*)( HTTP/1\.1)?$", head.splitlines()[0])
    assert match, "the first line must be METHOD /path"
    method, path = match[1].lower(), match[2].split("?")[0]
    methods = openapi_paths(path)
    assert methods is not None, f"the API has no path {path}"
    assert method in methods, f"the API has no {match[1]} {path}"
    if body.strip():
        json.loads(body)


def _csv_import(text: str) -> None:
    with _file("events.csv", text) as path:
        drafts = list(sheet.read(path))
    _all_read(drafts)


def _ics_import(text: str) -> None:
    wish = ics.Wish("+34600100200", 0, ZoneInfo("UTC"), datetime.now(UTC))
    with _file("events.ics", text.replace("\n", "\r\n")) as path:
        drafts = list(ics.read(path, wish))
    _all_read(drafts)


def _all_read(drafts: list[Any]) -> None:
    assert drafts, "has no event"
    refused = [draft.message for draft in drafts if isinstance(draft, Rejected)]
    assert not refused, "; ".join(refused)


def _diff(text: str) -> None:
    for line in text.splitlines():
        assert line[:1] in ("+", "-", "@", " ", ""), f"is no line of a diff: {line}"


class _file:
    """`with _file(name, text) as path`: a file of this text that is gone afterwards."""

    def __init__(self, name: str, text: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._path = Path(self._folder.name) / name
        self._path.write_text(text, encoding="utf-8", newline="")

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


CHECKS: Mapping[str, Callable[[str], None]] = {
    "sh run": check_shell,
    "sh check": check_shell,
    "text output": _shown,
    "text shown": _shown,
    "python run": _python,
    "python check": _python,
    "json": json.loads,
    "yaml": _yaml,
    "yaml config": _yaml_config,
    "ini asterisk": _ini_asterisk,
    "ini dialplan": _ini_dialplan,
    "ini systemd": _ini_systemd,
    "nginx": _nginx,
    "http": _http,
    "csv import": _csv_import,
    "ics import": _ics_import,
    "diff": _diff,
}
