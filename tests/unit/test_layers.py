"""The layers: no import goes up, no stage imports another stage, nothing is circular.

Where a file belongs, by three rules:

1. A folder of store/ has the name of a stage if only that stage writes there. Else it has the name
   of the noun. A stage folder holds loops, and nothing that runs inside a transaction. The store
   holds transactions, and no loop.
2. A kind is a file: an alarm method, an SMS provider, a section type, a language. A registry finds
   it; nothing else asks "which kind is it?".
3. Names are the field's: the word of Asterisk, RFC 5545, SIP, Django REST Framework or SQL.
"""

import ast
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import telealarm

PACKAGE = Path(telealarm.__file__).parent

# The lowest first. A folder imports itself and the folders before it.
FOLDERS = [
    # 0
    *("__init__", "errors", "clock", "words", "metrics", "log", "zone_data", "installation_key"),
    "attribute_docs",
    *("config", "i18n"),
    # 1
    "rules",
    # 1b
    *("methods", "sections"),
    # 2
    *("models", "migrations"),
    *(
        "store.__init__",
        "store.engine",
        "store.audit",
        "store.numbers",
        "store.webhooks",
        "store.access",
        "store.do_not_call",
    ),
    *("store.messages", "store.alarms", "store.outcome", "store.reminder_plans"),
    *("store.calendars", "store.messaging"),
    "store.feeds",
    "store.stored_numbers",
    "store.encrypt",
    *(
        "store.open",
        "store.dialing",
        "store.survey",
        "store.dry_run",
        "store.person",
        "store.retention",
    ),
    # 3
    *("asterisk", "transports"),
    # 4
    *("planning", "dialing", "survey", "outcome", "messaging", "webhooks", "retention"),
    # 5
    *("api.__init__", "api.core", "api.fields", "api.rest", "api.openapi", "api.public"),
    *("api.resources", "api.app", "api.server", "api.local_client", "api.wakeup_booking"),
    "importing",
    "feeds",
    # 6
    *(
        "installing",
        "media_check",
        "disk_space",
        "doctor",
        "health",
        "fastagi_handlers",
        "service",
        "cli",
        "__main__",
    ),
]
STAGES = {"planning", "dialing", "survey", "outcome", "messaging", "webhooks", "retention"}
# Beyond the order: what a folder never imports, although it stands below.
NEVER = {
    "asterisk": {"models", "store"},
    "transports": {"models", "store", "asterisk"},
    **{stage: STAGES - {stage} for stage in STAGES},
    **{folder: {"asterisk", "transports"} | STAGES for folder in ("api", "importing")},
    "feeds": {"asterisk"} | STAGES,
}


def module_of(path: Path) -> str:
    """`store/alarms/due.py` is `store.alarms.due`, a package is `store.alarms.__init__`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def modules() -> dict[str, Path]:
    return {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def folder_of(module: str) -> str:
    """The longest folder that the module is in; the test below says that each is in one."""
    folders = [folder for folder in FOLDERS if f"{module}.".startswith(f"{folder}.")]
    return max(folders, key=len, default="")


def imported(path: Path) -> Iterator[str]:
    """The modules of telealarm that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it goes"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] != "telealarm" or parts[1:2] in (["sounds"], ["examples"]):
                continue
            while parts[1:]:
                module = ".".join(parts[1:])
                if module in modules():
                    yield module
                    break
                if f"{module}.__init__" in modules():
                    yield f"{module}.__init__"
                    break
                parts.pop()


@cache
def arrows() -> dict[str, set[str]]:
    return {module: set(imported(path)) - {module} for module, path in modules().items()}


def test_every_file_is_in_a_folder() -> None:
    outside = [
        module for module in modules() if not folder_of(module) and module[:10] != "migrations"
    ]
    assert outside == [], f"no folder of FOLDERS holds these files.\n{__doc__}"


def test_no_import_goes_up_or_across() -> None:
    assert sum(map(len, arrows().values())) > 1000
    wrong = []
    for module, targets in arrows().items():
        for target in targets:
            folder, other = folder_of(module), folder_of(target)
            too_high = FOLDERS.index(other) > FOLDERS.index(folder)
            never = NEVER.get(folder.split(".")[0], set())
            if too_high or other.split(".")[0] in never - {folder.split(".")[0]}:
                wrong.append(f"{module} imports {target}")
    assert not wrong, "\n".join(["these imports go up or across:", *wrong, "", __doc__])


def test_no_circle() -> None:
    """Also within a folder: whoever reads a file never comes back to it."""
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        if module in way:
            circle = [*way[way.index(module) :], module]
            raise AssertionError(f"a circle: {' -> '.join(circle)}\n{__doc__}")
        if module not in done:
            for target in sorted(arrows()[module]):
                visit(target, (*way, module))
            done.add(module)

    for module in arrows():
        visit(module, ())


def test_folders_stand_in_one_order() -> None:
    """Each folder of store/ and api/ is ordered, and a folder is listed once."""
    assert len(set(FOLDERS)) == len(FOLDERS)
    listed = {tuple(folder.split(".")[:2]) for folder in FOLDERS if "." in folder}
    for folder in ("store", "api"):
        there = {
            (folder, path.stem) for path in (PACKAGE / folder).iterdir() if path.name[0] not in "_."
        }
        assert there <= listed, f"folders without a place in FOLDERS.\n{__doc__}"
    assert all(a != b for a, b in pairwise(FOLDERS))
