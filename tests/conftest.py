"""What all tests share, and in which order several processes run them."""

from collections.abc import Iterator
from itertools import groupby

import pytest
from hypothesis import HealthCheck, settings

from tests.lab import speed
from tests.lab.postgres import Postgres, running

# How long an example takes is a matter of the machine.
settings.register_profile("lab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lab")

# Neighbours in a file often share a clinic; more of them in one process would make it the last.
NEIGHBOURS = 8


def pytest_configure() -> None:
    """Measure the machine before its own tests keep it busy."""
    speed.calibrate()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL, started for the first test that needs one."""
    with running() as server:
        yield server


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal the acceptance tests, which wait for phones, to all processes as the first they run.

    What needs a processor comes after them. pytest-xdist's `worksteal` gives each process an equal
    run of the list, and what is left over in the end are short tests. A file that is marked
    `together` is the first of one process.
    """
    if not hasattr(config, "workerinput"):
        return
    processes: int = config.workerinput["workercount"]
    waiting = [item for item in items if "acceptance" in item.path.parts]
    working = [item for item in items if "acceptance" not in item.path.parts]
    dealt: list[list[pytest.Item]] = []
    for _, group in groupby(waiting, key=lambda item: item.path):
        file = list(group)
        if file[0].get_closest_marker("together"):
            dealt.insert(0, file)
        else:
            dealt += [file[at : at + NEIGHBOURS] for at in range(0, len(file), NEIGHBOURS)]
    total = len(items)
    items.clear()
    for process in range(processes):
        length = (total - len(items)) // (processes - process)
        share = [item for neighbours in dealt[process::processes] for item in neighbours]
        room = max(0, length - len(share))
        items += share + working[:room]
        del working[:room]
    items += working
