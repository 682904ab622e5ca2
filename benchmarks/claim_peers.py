"""How many due jobs procrastinate and APScheduler 4 fetch a second from a PostgreSQL.

Usage: python -m benchmarks.claim_peers [--waiting N,N] [--due N] [--peers-python PYTHON]

The peers of benchmarks.claim_rate, on a PostgreSQL of the same settings. `benchmarks/peers.sh`
makes their virtual environment. See benchmarks/peers/claims.py for what is fetched how.
"""

import argparse
import asyncio
import subprocess
import sys

from benchmarks.lab import peers
from benchmarks.lab.databases import databases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--waiting", default="10000,1000000", help="how many wait, in turn")
    parser.add_argument("--due", type=int, default=2000, help="how many come due")
    peers.add_option(parser)
    sys.exit(asyncio.run(run(parser.parse_args())))


async def run(given: argparse.Namespace) -> int:
    async with databases("postgresql") as storage:
        argv = [peers.program(given.peers_python), "-m", "benchmarks.peers.claims", storage.new()]
        argv += ["--waiting", given.waiting, "--due", str(given.due)]
        done = await asyncio.to_thread(subprocess.run, argv, env=peers.environment())
        return done.returncode


if __name__ == "__main__":
    main()
