"""Whoever replied STOP to version 0.1 may come back with START."""

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from telealarm.config.model import Config
from telealarm.models import DncContact, SmsGateway
from telealarm.store.open import open_database
from tests.lab.postgres import Postgres

DATA = Path(__file__).parent.parent / "data" / "v0_1"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_entries_that_stop_made_are_known(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sql = gzip.decompress((DATA / f"{kind}.sql.gz").read_bytes()).decode()
    if kind == "sqlite":
        with closing(sqlite3.connect(tmp_path / "telealarm.db")) as file:
            file.executescript(sql)
        address = f"sqlite:///{tmp_path}/telealarm.db"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        address = server.new_database()
        with psycopg.connect(address) as connection:
            connection.execute(sql.encode())
    db = open_database(Config(database=address, base=tmp_path))
    db.start()
    try:
        rows = await db.read(lambda: [(row.phone_number, row.by_stop) for row in DncContact])
        assert [number for number, by_stop in rows if by_stop] == ["15550100072"]
        assert len(rows) == 5
        gateways = await db.read(lambda: {row.sms_cancel for row in SmsGateway})
        assert gateways == {"appointment"}
    finally:
        await db.close()
