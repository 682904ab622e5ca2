"""A benchmark that patches the service from within still counts what a call costs."""

import asyncio
import json
import sys
from pathlib import Path

import benchmarks

ROOT = Path(benchmarks.__file__).parents[1]


async def test_what_a_call_costs_is_counted(tmp_path: Path) -> None:
    out = tmp_path / "counts.json"
    argv = [sys.executable, "-m", "benchmarks.count_calls", "--calls", "2", "--out", str(out)]
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    assert printed.startswith(b"2 calls; a call:"), "both calls came to their end"
    counts = json.loads(out.read_text())
    assert counts["jobs"]["store.dialing.calls.start"]["jobs"] == 2
    assert counts["jobs"]["store.dialing.calls.start"]["UPDATE"] > 0
    assert counts["ari"]["POST channels/{id}"] == 2
    assert counts["parsed"]["StasisStart"] == 2
    assert counts["commits"]["batches"] > 0
    assert counts["lines"]
