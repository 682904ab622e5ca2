"""How much benchmarks.table measures: in earnest, or only to see that nothing crashes."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    peers_python: Path
    rounds: int = 5
    calls: int = 600
    old_calls: int = 1_000_000
    alone: int = 8
    crowd: int = 1000
    cap: float = 50
    blast: int = 10_000
    blast_seconds: int = 60
    idle_alarms: int = 100
    few, many, due = 10_000, 1_000_000, 2000
    rest_seconds: float = 4
    imported: int = 3000
    events: int = 1_000_000
    rules: int = 10_000
    live_calls: int = 100
    pending: int = 1_000_000
    idle_seconds: float = 60


@dataclass(frozen=True)
class Tiny(Size):
    """Enough to see that nothing crashes."""

    rounds: int = 1
    calls: int = 4
    old_calls: int = 10
    alone: int = 1
    crowd: int = 4
    blast: int = 10
    blast_seconds: int = 6
    idle_alarms: int = 2
    few, many, due = 10, 20, 10
    rest_seconds: float = 0.5
    imported: int = 20
    events: int = 1001
    rules: int = 34
    live_calls: int = 2
    pending: int = 10
    idle_seconds: float = 2
