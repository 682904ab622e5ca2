"""The floors of the house: an import never goes up, and no stage imports another."""

import ast
from collections.abc import Iterator
from pathlib import Path

import telealarm

PACKAGE = Path(telealarm.__file__).parent

FLOORS = {
    "errors": 0,
    "clock": 0,
    "config": 0,
    "config_file": 0,
    "log": 0,
    "metrics": 0,
    "rules": 1,
    "models": 2,
    "store": 2,
    "migrations": 2,
    "asterisk": 3,
    "notify": 3,
    "sms_kinds": 3,
    "planning": 4,
    "dialing": 4,
    "survey": 4,
    "outcome": 4,
    "messaging": 4,
    "api": 5,
    "app": 6,
    "check": 6,
    "dry_run": 6,
    "example": 6,
    "importing": 6,
    "questions": 6,
    "readiness": 6,
    "wakeups": 6,
    "cli": 6,
    "__main__": 6,
    "__init__": 0,
    "sounds": 0,
    "examples": 0,
}
# Beyond the order of the floors: what a floor may not reach although it stands higher.
BLIND = {
    "asterisk": {"rules", "models", "store"},
    "notify": {"rules", "models", "store"},
    "sms_kinds": {"rules", "models", "store", "asterisk", "notify"},
    "models": {"store"},
    "api": {"asterisk", "notify", "planning", "dialing", "survey", "outcome", "messaging"},
}
STAGES = {"planning", "dialing", "survey", "outcome", "messaging"}


def room(module: str) -> str:
    """`telealarm.store.calls` is in the room `store`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__version__" else "__init__"


def imports() -> Iterator[tuple[Path, str, str]]:
    """Every import within the package: the file, its room, the imported room."""
    for path in sorted(PACKAGE.rglob("*.py")):
        here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import hides where it goes"
                if node.module == "telealarm":
                    names = [f"telealarm.{alias.name}" for alias in node.names]
                else:
                    names = [node.module or ""]
            for name in names:
                if name.split(".")[0] == "telealarm":
                    yield path, here, room(name)


def test_every_room_has_a_floor() -> None:
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py"}
    rooms |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= FLOORS.keys()


def test_no_import_goes_up_or_across() -> None:
    found = list(imports())
    assert len(found) > 100
    wrong = [
        f"{path.relative_to(PACKAGE)}: {here} imports {there}"
        for path, here, there in found
        if there != "__init__"
        and here != there
        and (
            FLOORS[there] > FLOORS[here]
            or there in BLIND.get(here, set())
            or (here in STAGES and there in STAGES)
        )
    ]
    assert wrong == []
