"""The pieces of a page."""

import re
from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; line breaks within a cell become spaces, and a `|` does not end its cell."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"


def code(text: object) -> str:
    """`text` as code; an empty one as nothing."""
    text = str(text)
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}" if text else ""


def escape(text: str) -> str:
    """Plain text that Markdown shows as it is."""
    for sign in ("\\", "`", "*", "_", "<", "[", "{"):
        text = text.replace(sign, f"\\{sign}")
    return text


# What reads as code in a plain sentence: placeholders, addresses, names with underscores, paths.
_CODE = re.compile(
    r"""(?<![\w`])(?:
        [\w+-]+://[^\s;,]*[^\s;,.:()]       # an address
      | \$?\{[\w:-]+\}                      # a placeholder
      | \$[A-Z_]+                           # a variable of the environment
      | /[a-z]+z\b | /metrics\b            # a probe
      | \w+(?:\.\w+)*_\w+(?:\.\w+)*         # a name with an underscore
      | (?:api|prompts|worker|asterisk|smtp|speech|webhooks|recordings)\.\w+
      | null\b
    )""",
    re.VERBOSE,
)


def prose(text: str) -> str:
    """A sentence of a docstring, a description or a comment, as Markdown.

    What stands between backquotes stays code; addresses, placeholders and names become it.
    """
    parts = text.split("`")
    parts[::2] = [_plain(part) for part in parts[::2]]
    return "`".join(parts)


def _plain(text: str) -> str:
    result, at = [], 0
    for match in _CODE.finditer(text):
        result += [escape(text[at : match.start()]), code(match.group())]
        at = match.end()
    return "".join([*result, escape(text[at:])])


def fence(language: str, text: str) -> str:
    """A code block."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def anchor(identifier: str) -> str:
    """Ends a heading, to give it this identifier."""
    return f" {{#{identifier}}}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
