"""The two bodies of a mail: each made of the other where a template has only one."""

import html
import re
from collections.abc import Mapping

# A tag, its name and what it ends included; looked for once, however hostile the template is.
_TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]*)?[^<>]{0,2000}>")
_BREAKS = {"br", "/p", "/div", "/tr", "/li", *(f"/h{level}" for level in range(1, 7))}
_HIDDEN = {"style", "script", "head"}


def escaped(values: Mapping[str, object]) -> dict[str, object]:
    """Values as they may stand in HTML, in a text or in an attribute."""
    return {
        name: html.escape(value) if isinstance(value, str) else value
        for name, value in values.items()
    }


def as_html(text: str) -> str:
    """A plain text as HTML."""
    lines = html.escape(text).split("\n")
    return "<p>" + "<br>\n".join(lines) + "</p>"


def as_text(markup: str) -> str:
    """What of HTML is text."""
    parts: list[str] = []
    at, hidden = 0, ""
    for tag in _TAG.finditer(markup):
        name = (tag[1] or "").lower()
        if not hidden:
            parts += [markup[at : tag.start()], "\n" if name in _BREAKS else ""]
            hidden = name if name in _HIDDEN else ""
        elif name == f"/{hidden}":
            hidden = ""
        at = tag.end()
    shown = "".join(parts) + ("" if hidden else markup[at:])
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in html.unescape(shown).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def links_as_html(links: Mapping[str, str]) -> str:
    """Links by their words."""
    shown = (f'<a href="{html.escape(url)}">{html.escape(word)}</a>' for word, url in links.items())
    return "<p>" + " &middot; ".join(shown) + "</p>"


def links_as_text(links: Mapping[str, str]) -> str:
    """The same for the plain body."""
    return "\n".join(f"{word}: {url}" for word, url in links.items())


def with_links(markup: str, links: Mapping[str, str]) -> str:
    """The links at the end of an HTML body."""
    end = markup.lower().rfind("</body")
    if end < 0:
        return f"{markup}\n{links_as_html(links)}"
    return f"{markup[:end]}{links_as_html(links)}\n{markup[end:]}"
