"""The picture of an alarm's way: its rows, and the stage that makes each."""

from collections.abc import Mapping

from docs._generate.svg import Picture

# A row's words, and the folder of telealarm/ that makes it of the row before.
STEPS = (
    ("calendar", ""),
    ("event", ""),
    ("alarm", ""),
    ("alarm request", "planning"),
    ("call request", "dialing"),
    ("survey result", "survey"),
    ("alarm result", "outcome"),
)
WIDTH, HEIGHT, GAP = 68, 44, 38
TOP = 12


def files() -> Mapping[str, str]:
    """The picture, by its path below docs/."""
    return {"reference/pictures/pipeline.svg": drawn()}


def drawn() -> str:
    """The rows from left to right, with the stage below each arrow."""
    picture = Picture(
        "From a calendar to an alarm's result",
        "; ".join(f"{name} ({stage})" if stage else name for name, stage in STEPS),
    )
    middle = TOP + HEIGHT / 2
    for number, (name, stage) in enumerate(STEPS):
        left = 12 + number * (WIDTH + GAP)
        picture.box(left, TOP, WIDTH, HEIGHT, "end" if name == STEPS[-1][0] else "box", 6)
        lines = name.split()
        for line, word in enumerate(lines):
            y = middle + 5 + (line - (len(lines) - 1) / 2) * 16
            picture.text(left + WIDTH / 2, y, word, "title", "middle")
        if number:
            picture.line(f"M{left - GAP:g} {middle:g}H{left - 7:g}")
            picture.tip(left, middle, left=False)
        if stage:
            picture.text(left - GAP / 2, TOP + HEIGHT + 18, stage, "small", "middle")
    return picture.svg()
