"""Whoever replied STOP to version 0.1 may come back with START."""

from pathlib import Path

import pytest

from telealarm.config.model import Config
from telealarm.models import DncContact, SmsGateway
from telealarm.store.open import open_database
from tests.integration.test_old_database import copied


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_the_entries_that_stop_made_are_known(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = copied(kind, request, tmp_path)
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
