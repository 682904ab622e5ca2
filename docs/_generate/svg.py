"""SVG pictures: boxes, lines with arrows, texts. Legible on a light and on a dark page.

A picture has its own background and both sets of colours. Alone, or in an `<img>`, it follows the
reader's preference; within a page it follows the page (`data-md-color-scheme`).
"""

from collections.abc import Mapping
from html import escape

LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "ink": "#1f2933",
    "faint": "#5f6c7b",
    "box": "#eef2f7",
    "edge": "#51657d",
    "panel": "#f8fafc",
    "frame": "#b6c2d1",
    "back": "#b45309",
    "end": "#dcefe3",
}
DARK: Mapping[str, str] = {
    "paper": "#1b1f27",
    "ink": "#e6eaf0",
    "faint": "#a3aebd",
    "box": "#2b3340",
    "edge": "#9db2cc",
    "panel": "#222831",
    "frame": "#4a5667",
    "back": "#f0a35e",
    "end": "#24463a",
}
FONT = "ui-sans-serif, system-ui, sans-serif"


def _colours(colours: Mapping[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


STYLE = f"""\
.ta-picture{{{_colours(LIGHT)}}}
@media (prefers-color-scheme:dark){{.ta-picture{{{_colours(DARK)}}}}}
[data-md-color-scheme=default] .ta-picture{{{_colours(LIGHT)}}}
[data-md-color-scheme=slate] .ta-picture{{{_colours(DARK)}}}
.ta-picture text{{font-family:{FONT};font-size:13px;fill:var(--ink)}}
.ta-picture .title{{font-weight:600}}
.ta-picture .row{{font-size:12px}}
.ta-picture .small{{font-size:11px;fill:var(--faint)}}
.ta-picture .paper{{fill:var(--paper)}}
.ta-picture .box{{fill:var(--box);stroke:var(--edge)}}
.ta-picture .end{{fill:var(--end);stroke:var(--edge)}}
.ta-picture .panel{{fill:var(--panel);stroke:var(--frame)}}
.ta-picture .line{{fill:none;stroke:var(--edge);stroke-width:1.4}}
.ta-picture .back{{fill:none;stroke:var(--back);stroke-width:1.4;stroke-dasharray:5 3}}
.ta-picture .tip{{fill:var(--edge)}}
.ta-picture .backtip{{fill:var(--back)}}
"""


class Picture:
    """Collects shapes; positions and sizes are pixels, of the upper left corner."""

    def __init__(self, title: str, description: str) -> None:
        self._title = title
        self._description = description
        self._shapes: list[str] = []
        self._size = [0.0, 0.0]

    def box(
        self, x: float, y: float, width: float, height: float, kind: str = "box", round_by: int = 4
    ) -> None:
        """A rectangle: `box`, `end` (of a last state) or `panel` (around others)."""
        self._reach(x + width, y + height)
        self._shapes.append(
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
            f' rx="{round_by}"/>'
        )

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> None:
        """A line of text; `y` is that of its base line."""
        self._reach(x, y)
        style = f' class="{kind}"' if kind else ""
        self._shapes.append(
            f'<text x="{x:g}" y="{y:g}"{style} text-anchor="{anchor}">{escape(text)}</text>'
        )

    def line(self, path: str, kind: str = "line") -> None:
        """A line by an SVG path; whoever draws it calls `reach` for its outermost points."""
        self._shapes.append(f'<path class="{kind}" d="{path}"/>')

    def tip(self, x: float, y: float, left: bool, kind: str = "tip") -> None:
        """The tip of an arrow that ends at this point and goes to the left, or to the right."""
        back = 7 if left else -7
        self._shapes.append(f'<path class="{kind}" d="M{x:g} {y:g}l{back} -4v8z"/>')

    def reach(self, x: float, y: float) -> None:
        """Make the picture large enough for this point."""
        self._reach(x, y)

    def svg(self, margin: float = 16) -> str:
        """The file's text. It has no empty line, so that Markdown takes it as one block."""
        width, height = (round(size + margin) for size in self._size)
        return (
            f'<svg class="ta-picture" xmlns="http://www.w3.org/2000/svg" role="img"'
            f' viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
            f"<title>{escape(self._title)}</title>\n<desc>{escape(self._description)}</desc>\n"
            f"<style>\n{STYLE}</style>\n"
            f'<rect class="paper" width="{width}" height="{height}"/>\n'
            + "\n".join(self._shapes)
            + "\n</svg>\n"
        )

    def _reach(self, x: float, y: float) -> None:
        self._size = [max(self._size[0], x), max(self._size[1], y)]


def width_of(text: str, size: float = 13) -> float:
    """About how wide a text is; a bit too much rather than too little."""
    return len(text) * size * 0.58
