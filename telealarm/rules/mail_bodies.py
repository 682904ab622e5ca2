"""The two bodies of a mail. If a template has only one, the other is made from it."""

import html
import re
from collections.abc import Mapping

# A tag with its name. Possessive (`++`): a hostile template cannot make it backtrack.
_TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]*+)?+[^<>]{0,2000}+>")
_BREAKS = {"br", "/p", "/div", "/tr", "/li", *(f"/h{level}" for level in range(1, 7))}
_HIDDEN = {"style", "script", "head"}
_HREF = re.compile(r"""\bhref\s*=\s*["']?(https?://[^"'\s>]+)""", re.IGNORECASE)
_END = re.compile("</body", re.IGNORECASE | re.ASCII)
# In escaped text. A full stop after an address is not part of it.
_URL = re.compile(r"https?://(?:[^\s<>&]|&amp;)*(?:[^\s<>&.,;:!?)]|&amp;)")


def escaped(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values escaped for HTML, for texts and attributes."""
    return {
        name: html.escape(value) if isinstance(value, str) else value
        for name, value in values.items()
    }


def as_html(text: str) -> str:
    """Return a plain text as HTML, with its addresses as links."""
    lines = _URL.sub(r'<a href="\g<0>">\g<0></a>', html.escape(text)).split("\n")
    return "<p>" + "<br>\n".join(lines) + "</p>"


def as_text(markup: str) -> str:
    """Return the text of an HTML body, with the addresses of its links."""
    parts: list[str] = []
    at, hidden, link = 0, "", ""
    for tag in _TAG.finditer(markup):
        name = (tag[1] or "").lower()
        if not hidden:
            before = markup[at : tag.start()]
            parts.append(before)
            if name in _BREAKS:
                parts.append("\n")
            elif name == "a":
                match = _HREF.search(tag[0])
                link = match[1] if match else ""
            elif name == "/a" and link:
                parts.append("" if before.strip() == link else f" ({link})")
                link = ""
            hidden = name if name in _HIDDEN else ""
        elif name == f"/{hidden}":
            hidden = ""
        at = tag.end()
    shown = "".join(parts) + ("" if hidden else markup[at:])
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in html.unescape(shown).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def links_as_html(links: Mapping[str, str]) -> str:
    """Return the links, labelled with their words, as HTML."""
    shown = (f'<a href="{html.escape(url)}">{html.escape(word)}</a>' for word, url in links.items())
    return "<p>" + " &middot; ".join(shown) + "</p>"


def links_as_text(links: Mapping[str, str]) -> str:
    """Return the links, labelled with their words, as plain text."""
    return "\n".join(f"{word}: {url}" for word, url in links.items())


def with_links(markup: str, links: Mapping[str, str]) -> str:
    """Return an HTML body with the links at its end."""
    ends = [match.start() for match in _END.finditer(markup)]
    end = ends[-1] if ends else len(markup)
    return f"{markup[:end]}\n{links_as_html(links)}\n{markup[end:]}"
