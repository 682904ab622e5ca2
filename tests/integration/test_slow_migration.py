"""A migration of a large database has the time that it needs."""

from telealarm.config.model import Config
from telealarm.store.engine import dialect
from telealarm.store.engine.database import Database


async def test_no_statement_of_a_migration_has_a_time_limit(config: Config, db: Database) -> None:
    def limits() -> list[str]:
        def now() -> str:
            if not dialect.locks_rows(db.peewee):
                return "none"
            return str(db.peewee.execute_sql("SHOW statement_timeout").fetchone()[0])

        before = now()
        with dialect.migrating(db.peewee, config):
            within = now()
        return [before, within, now()]

    expected = ["30s", "0", "30s"] if dialect.locks_rows(db.peewee) else ["none"] * 3
    assert await db.read(limits) == expected
