"""Reads the language files, compares each with English, and fills in missing texts from English."""

import re
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from telealarm.errors import LanguageError
from telealarm.i18n.model import Language, LanguageFile

ENGLISH = "en"
# Reads every value as a text: `no` is a word here, not a truth value.
_LOADER = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
_CODE = re.compile(r"[a-z]{2,3}", re.ASCII)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_UNKNOWN = "is unknown; en.yml has all names"
# The parts of a file whose texts are filled in from English.
_TEXTS = ("spoken", "written")


def load(folder: Traversable) -> dict[str, Language]:
    """Return the languages of `folder` by code. Each has a file `<code>.yml`.

    Raises LanguageError with a line for each mistake: the file, the name of the text, and what to
    change.
    """
    files = {file.name.removesuffix(".yml"): file for file in folder.iterdir() if _is_yaml(file)}
    if ENGLISH not in files:
        raise LanguageError(f"{folder}: {ENGLISH}.yml is missing; reinstall")
    english = _read(files[ENGLISH])
    return {
        code: _language(code, files[code], _read(files[code]), english) for code in sorted(files)
    }


def _is_yaml(file: Traversable) -> bool:
    return file.name.endswith(".yml") and file.is_file()


def _language(code: str, file: Traversable, content: dict[str, Any], english: Any) -> Language:
    """Check the content of a file, fill in what it lacks, and return the language."""
    if not _CODE.fullmatch(code):
        raise LanguageError(f"{file}: name the file by the code of its language, like nl.yml")
    filled = content | {part: _filled(content.get(part), english.get(part)) for part in _TEXTS}
    try:
        checked = LanguageFile.model_validate(filled)
    except ValidationError as error:
        raise LanguageError(
            "\n".join(f"{file}: {_explain(detail)}" for detail in error.errors())
        ) from None
    texts = {name: text for part in _TEXTS for name, text in _flat(part, content.get(part))}
    wanted = {name: text for part in _TEXTS for name, text in _flat(part, english.get(part))}
    mistakes = [f"{file}: {name}: {_UNKNOWN}" for name in texts.keys() - wanted]
    mistakes += [
        f"{file}: {name}: must hold the placeholders {_placeholders(wanted[name])}"
        for name in texts.keys() & wanted
        if _placeholders(texts[name]) != _placeholders(wanted[name])
    ]
    if mistakes:
        raise LanguageError("\n".join(sorted(mistakes)))
    lacking = frozenset(wanted.keys() - texts)
    return Language(**dict(checked), code=code, lacking=lacking)


def _explain(detail: ErrorDetails) -> str:
    message = _UNKNOWN if detail["type"] == "extra_forbidden" else detail["msg"]
    return f"{'.'.join(map(str, detail['loc']))}: {message}"


def _filled(texts: Any, english: Any) -> Any:
    """Return `texts`, with what they lack taken from `english`."""
    if texts is None:
        return english
    if not isinstance(texts, dict) or not isinstance(english, dict):
        return texts
    return {name: _filled(texts.get(name), english.get(name)) for name in {**english, **texts}}


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts in `value` with their names, such as `written.page.about`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, str):
        yield name, value


def _placeholders(text: str) -> list[str]:
    """Return each placeholder once, in alphabetical order."""
    return sorted(set(_PLACEHOLDER.findall(text)))


def _read(file: Traversable) -> dict[str, Any]:
    """Return the content of a file. Raises LanguageError if it is no YAML or repeats a name."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=_LOADER)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise LanguageError(f"{file}: {error}") from None
    value = _value(node, file)
    if not isinstance(value, dict):
        raise LanguageError(f"{file}: must hold names and texts; see en.yml")
    return value


def _value(node: Any, file: Traversable) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_value(inner, file) for inner in node.value]
    if not isinstance(node, yaml.MappingNode):
        return node.value if node else None
    values: dict[str, Any] = {}
    for key, inner in node.value:
        if key.value in values:
            line = key.start_mark.line + 1
            raise LanguageError(f"{file}:{line}: {key.value} is there twice; keep one")
        values[key.value] = _value(inner, file)
    return values
