"""reference/words.md, from the words of the core and of the kinds."""

import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator

from docs._generate.markdown import anchor, code, prose, table
from telealarm.methods import alarm_methods
from telealarm.sections import section_types
from telealarm.words import Numbers, Words

INTRODUCTION = """\
# Words

Every status, reason and timeline word that you may see, and what it means. Words and numbers never
change their meaning. A later version may have more of them.

The name of a number is what the API takes and shows where it has words for it. A message shows its
status by name.
"""
# Where a rule or a kind declares the words that only it writes.
KINDS = ("rules", "methods", "sections")

WordSet = type[Words] | type[Numbers]


def files() -> dict[str, str]:
    """The page, by its path."""
    return {"reference/words.md": page()}


def page() -> str:
    """The text of the page: where the words of each set appear, then a table for each set."""
    found = list(sets())
    overview = [(f"[{title(each)}](#{slug(each)})", prose(about(each))) for each in found]
    overview.append(("[Alarm method](#alarm-method)", "`method` of an alarm and of a message."))
    overview.append(("[Section type](#section-type)", "`type` of a section of a survey."))
    parts = [INTRODUCTION, table(("words", "where they appear"), overview)]
    parts += [*(_section(each) for each in found), _alarm_methods(), _section_types()]
    return "\n".join(parts)


def sets() -> Iterator[WordSet]:
    """Every set of words: those of the core in their order, then those of each kind."""
    for module in modules():
        for value in list(vars(importlib.import_module(module)).values()):
            is_set = inspect.isclass(value) and issubclass(value, Words | Numbers)
            if is_set and value.__module__ == module and value not in (Words, Numbers):
                yield value


def modules() -> Iterator[str]:
    """The modules that may declare words."""
    yield "telealarm.words"
    for kind in KINDS:
        if importlib.util.find_spec(f"telealarm.{kind}") is not None:
            package = importlib.import_module(f"telealarm.{kind}")
            yield package.__name__
            for module in pkgutil.walk_packages(package.__path__, f"telealarm.{kind}."):
                yield module.name


def title(words: WordSet) -> str:
    """`AlarmStatus` is Alarm status; a set of a kind has the name of its file before its own."""
    name = "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in words.__name__)
    if words.__module__ == "telealarm.words":
        return name.strip().capitalize().replace("Amd", "AMD")
    _, place, file = words.__module__.split(".", 2)
    kind = file.replace(".", " ").replace("_", " ")
    if place == "methods":  # there is a section of the same name
        kind = f"alarm by {kind}"
    return f"{kind}:{name}".capitalize().replace("Sms", "SMS").replace(" sms", " SMS")


def slug(words: WordSet) -> str:
    """The identifier of a set's section."""
    return "".join(sign if sign.isalnum() else "-" for sign in title(words).lower())


def about(words: WordSet) -> str:
    """Where the words of a set appear: the first line of its docstring."""
    return (inspect.getdoc(words) or "").split("\n")[0]


def _section(words: WordSet) -> str:
    heading = f"## {title(words)}{anchor(slug(words))}"
    text = "\n\n".join(prose(part) for part in (inspect.getdoc(words) or "").split("\n\n"))
    return f"{heading}\n\n{text}\n\n{_table(words)}"


def _table(words: WordSet) -> str:
    if issubclass(words, Numbers):
        rows = [(code(each.value), code(each.word), prose(each.meaning)) for each in words]
        return table(("number", "name", "meaning"), rows)
    return table(("word", "meaning"), [(code(each.value), prose(each.meaning)) for each in words])


def _alarm_methods() -> str:
    """The numbers of the alarm methods; what each does, its class says."""
    rows = [
        (
            code(number),
            code(method.name),
            prose((inspect.getdoc(type(method)) or "").split("\n")[0]),
        )
        for number, method in alarm_methods().items()
    ]
    heading = f"## Alarm method{anchor('alarm-method')}\n\n`method` of an alarm and of a message."
    return f"{heading}\n\n{table(('number', 'name', 'meaning'), rows)}"


def _section_types() -> str:
    """The numbers of the section types; what each is, its file says."""
    rows = []
    for number, kind in section_types().items():
        about = inspect.getdoc(inspect.getmodule(kind)) or ""
        rows.append((code(number), code(kind.word), prose(about.split("\n\n")[0])))
    heading = f"## Section type{anchor('section-type')}\n\n`type` of a section of a survey."
    return f"{heading}\n\n{table(('number', 'name', 'meaning'), rows)}"
