"""The configuration file: find it, read it, and explain each mistake with its line."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from telealarm.config.model import Config
from telealarm.config.places import DEFAULT_PATH, INSTALLED_PATH
from telealarm.errors import ConfigError

# The file of secrets, beside the configuration.
SECRETS = "secrets"


def find(option: str | None) -> Path:
    """Return the file's path.

    `--config`, else $TELEALARM_CONFIG, else /etc/telealarm/telealarm.yml if it is there, else
    config/telealarm.yml.
    """
    if named := option or os.environ.get("TELEALARM_CONFIG"):
        return Path(named)
    return Path(INSTALLED_PATH if Path(INSTALLED_PATH).exists() else DEFAULT_PATH)


def read_secrets(path: Path) -> dict[str, str]:
    """Return the `NAME=value` lines of a file of secrets; none if this user may not read it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    values = {}
    for line in map(str.strip, lines):
        name, is_there, value = line.partition("=")
        if is_there and not line.startswith(("#", ";")):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            values[name.strip()] = value[1:-1] if quoted else value
    return values


def load(path: Path) -> Config:
    """Read the file, and replace `${NAME}` and `${NAME:-default}` from the environment. If only
    NAME_FILE is set, it names a file that holds the value, as a Docker secret does.

    What the environment lacks is taken from the file `secrets` beside it, if there is one.
    Raises ConfigError with one line for each mistake: its place, the key, and what to change.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"{path}: cannot be read ({reason}); name the file with --config FILE"
            " or in TELEALARM_CONFIG"
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or "it is not YAML"
        raise ConfigError(f"{place}: {problem}; mend the YAML there") from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}:1: the file must hold keys and values, like `timezone: UTC`")

    lines: dict[tuple[Any, ...], int] = {}
    mistakes: list[str] = []
    for at, line in _lines(node, ()):
        if at in lines:
            key = ".".join(map(str, at))
            mistakes.append(f"{path}:{line}: {key}: stands in line {lines[at]} too; keep one")
        lines[at] = line
    kept = read_secrets(path.with_name(SECRETS))
    values = _put_in(values, (), lines, path, mistakes, kept)
    config = None
    try:
        config = Config(**{**values, "base": path.resolve().parent})
    except ValidationError as error:
        mistakes += [_explain(path, lines, detail) for detail in error.errors()]
    except TypeError:
        mistakes.append(f"{path}:1: every key must be a word, like `timezone`")
    if mistakes or config is None:
        raise ConfigError("\n".join(mistakes))
    return config


def _lines(node: Any, at: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield the path of each key, with its line."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, key.value)
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*at, index), value.start_mark.line + 1
            yield from _lines(value, (*at, index))


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def _put_in(
    value: Any,
    at: tuple[Any, ...],
    lines: dict[tuple[Any, ...], int],
    path: Path,
    mistakes: list[str],
    kept: Mapping[str, str],
) -> Any:
    """Return `value` with each `${NAME}` replaced. A missing variable is added to `mistakes`."""
    rest = (lines, path, mistakes, kept)
    if isinstance(value, dict):
        return {k: _put_in(v, (*at, k), *rest) for k, v in value.items()}
    if isinstance(value, list):
        return [_put_in(v, (*at, i), *rest) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name, default = match.groups()
        place = f"{path}:{lines.get(at, 1)}: {'.'.join(map(str, at))}"
        try:
            value = os.environ.get(name) or _from_file(name) or kept.get(name) or default
        except ConfigError as mistake:
            mistakes.append(f"{place}: {mistake}")
            return ""
        if value is None:
            mistakes.append(
                f"{place}: the environment variable {name} is not set;"
                f" export it, write it into {path.with_name(SECRETS)}, or write"
                f" ${{{name}:-default}}"
            )
        return value or ""

    return _VARIABLE.sub(variable, value)


def _from_file(name: str) -> str | None:
    """Return what the file named by the variable NAME_FILE holds, without its last line break."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return None
    try:
        return Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{name}_FILE names {file}, which cannot be read ({reason})") from None


def _model(annotation: object) -> type[BaseModel] | None:
    """Return the model in an annotation such as `Ami | None`."""
    parts = (annotation, *get_args(annotation))
    return next((part for part in parts if hasattr(part, "model_fields")), None)


# What to write if a value has the wrong shape.
_SHAPES = {
    "list_type": "must be a list, in brackets: [one, two]",
    "string_type": 'must be a text; put it in quotes: "1234"',
    "dict_type": "must hold keys and values of its own, each on an indented line below it",
    "model_type": "must hold keys and values of its own, each on an indented line below it",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
}


def _explain(path: Path, lines: dict[tuple[Any, ...], int], detail: ErrorDetails) -> str:
    at = detail["loc"]
    known = next((at[:n] for n in range(len(at), 0, -1) if at[:n] in lines), ())
    key = ".".join(map(str, at))
    if detail["type"] == "extra_forbidden":
        parent: type[BaseModel] | None = Config
        for step in at[:-1]:
            field = parent.model_fields.get(str(step)) if parent else None
            parent = _model(field.annotation) if field else None
        names = sorted(getattr(parent, "model_fields", {}).keys() - {"base"})
        message = f"there is no such key; it may be one of {', '.join(names)}"
    elif detail["type"] in _SHAPES:
        message = _SHAPES[detail["type"]]
    else:
        message = detail["msg"].removeprefix("Value error, ")
        message = message[0].lower() + message[1:]
    return f"{path}:{lines.get(known, 1)}: {key}: {message}"
