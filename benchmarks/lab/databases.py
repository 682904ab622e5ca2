"""Where a measurement keeps its data: an SQLite file, or a PostgreSQL as a default installation."""

import asyncio
import tempfile
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from benchmarks.lab.meters import cpu_ms
from tests.lab.postgres import Postgres


def add_option(parser: ArgumentParser) -> None:
    """Add `--database`, whose value `databases` takes."""
    parser.add_argument(
        "--database",
        default="sqlite",
        help="sqlite (the default), postgresql (a server is started), or the URL of a new database",
    )


class Databases:
    """New databases of one kind. `server` is the PostgreSQL that was started for them, if any."""

    def __init__(self, kind: str, folder: Path, server: Postgres | None) -> None:
        self.server = server
        self._kind = kind
        self._folder = folder
        self._count = 0

    def new(self) -> str:
        """Return the URL of a new database. A URL that was given can be had once."""
        self._count += 1
        if self.server is not None:
            return self.server.new_database()
        if self._kind == "sqlite":
            return f"sqlite:///{self._folder}/{self._count}.db"
        if self._count > 1:
            raise SystemExit("This measurement needs several databases: use --database postgresql.")
        return self._kind

    def cpu_ms(self) -> float:
        """Return the CPU milliseconds of the server that was started; 0 without one."""
        return cpu_ms(self.server.pid, tree=True) if self.server is not None else 0.0


@asynccontextmanager
async def databases(kind: str) -> AsyncIterator[Databases]:
    """Start what `kind` needs (see `add_option`), and remove it afterwards."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        server = None
        if kind == "postgresql":
            server = Postgres(durable=True)
            await asyncio.to_thread(server.start)
            stack.push_async_callback(asyncio.to_thread, server.stop)
        yield Databases(kind, folder, server)
