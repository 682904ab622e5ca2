"""How many due jobs procrastinate and APScheduler 4 fetch a second from a PostgreSQL.

Usage: python -m benchmarks.claim_peers [--waiting N,N] [--due N] [--peers-python PYTHON]

The peers of benchmarks.claim_rate, on a PostgreSQL of the same settings. `benchmarks/peers.sh`
makes their virtual environment. See benchmarks/peers/claims.py for what is fetched how.
"""

import argparse
import asyncio
import re
import subprocess
from pathlib import Path

from benchmarks.lab import peers
from benchmarks.lab.databases import databases

# A line of benchmarks/peers/claims.py.
_RATE = re.compile(r"^(.+): +([\d.]+)/s", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--waiting", default="10000,1000000", help="how many wait, in turn")
    parser.add_argument("--due", type=int, default=2000, help="how many come due")
    peers.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, waiting: str, due: int, peers_python: Path) -> dict[str, float]:
    """Return how many a second, by what the peer prints, like `procrastinate 10000 waiting`."""
    async with databases("postgresql") as storage:
        argv = [peers.program(peers_python), "-m", "benchmarks.peers.claims", storage.new()]
        argv += ["--waiting", waiting, "--due", str(due)]
        text = await asyncio.to_thread(
            subprocess.check_output, argv, env=peers.environment(), text=True
        )
    print(text, end="", flush=True)
    return {" ".join(name.split()): float(rate) for name, rate in _RATE.findall(text)}


if __name__ == "__main__":
    main()
