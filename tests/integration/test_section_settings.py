"""Migration 0002: the fields of section types move into one column, and nothing is lost."""

from datetime import UTC, datetime
from typing import Any

import pytest
from peewee import Database, DatabaseError, SqliteDatabase
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from telealarm import models
from telealarm.config.model import Config
from telealarm.models import Section, SectionTemplate, SurveyTemplate, User
from telealarm.store.engine.database import connect
from telealarm.store.open import DIRECTORY

NAME = "0002_section_settings"
NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
DEFAULTS: dict[str, Any] = {
    **{f"key_{key}": None for key in range(10)},
    "rating_laps": 9,
    "validate_number": True,
    "number_digits": 2,
    "min_number": 0,
    "max_number": 99,
    "recording_seconds": 60,
    "phonenumber": None,
    "confirm_script": None,
    "confirm_key": None,
    "conference": None,
    "sms_text": None,
}
# Whatever its type, a section kept what was sent.
ODD = {
    **DEFAULTS,
    "key_0": "",
    "key_9": "¿Sí? \"{no}\" 'x' \\ 😀",
    "rating_laps": -(2**31),
    "validate_number": False,
    "max_number": 2**31 - 1,
    "phonenumber": "+34600100200",
    "confirm_script": "two\nlines\t{doc_name|your doctor}",
    "confirm_key": "#",
    "sms_text": "null",
}


@pytest.fixture
def old(config: Config) -> Database:
    """A database as it was before the migration."""
    database = connect(config)
    with database.connection_context():
        assert Runner(database, str(DIRECTORY)).down(NAME)[-1] == NAME
    return database


def insert(database: Database, values: dict[str, Any]) -> None:
    """A section template as version 0.1 wrote it."""
    owner = User.create(username="u", password_hash="-")
    template = SurveyTemplate.create(owner=owner, name="s")
    columns = {
        **{"order": 1, "type": 1, "question": "", "script": "", "retries": 0, "timeout": 5},
        **{"completed": False, "created_date": NOW, "updated_date": NOW},
        **{"survey_id": template.id},
        **values,
    }
    if isinstance(database, SqliteDatabase):
        columns = {k: str(v) if v is NOW else v for k, v in columns.items()}
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join([database.param] * len(columns))
    sql = f"INSERT INTO section_template ({names}) VALUES ({marks})"
    database.execute_sql(sql, tuple(columns.values()))


def columns_of(database: Database) -> dict[str, Any]:
    """The one section template that there is."""
    cursor = database.execute_sql("SELECT * FROM section_template")
    (row,) = cursor.fetchall()
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


@pytest.mark.parametrize("values", [DEFAULTS, ODD])
def test_each_field_moves_exactly_and_comes_back(old: Database, values: dict[str, Any]) -> None:
    runner = Runner(old, str(DIRECTORY))
    with old.connection_context():
        insert(old, values)
        before = columns_of(old)
        assert {name: before[name] for name in values} == values
        assert runner.up()[0] == NAME
        row = SectionTemplate.get()
        assert row.settings == values
        assert isinstance(row.settings["validate_number"], bool)
        assert (row.order, row.timeout, row.completed) == (1, 5, False)
        assert str(diff_models(old, models.ALL)) == ""
        assert runner.down(NAME)[-1] == NAME
        assert columns_of(old) == before


def test_a_migration_that_fails_changes_nothing(old: Database) -> None:
    runner = Runner(old, str(DIRECTORY))
    with old.connection_context():
        insert(old, ODD)
        before = columns_of(old)
        # It comes to this table when it is done with the other.
        old.execute_sql("ALTER TABLE section_template ADD COLUMN settings TEXT")
        with pytest.raises(DatabaseError):
            runner.up()
        old.execute_sql("ALTER TABLE section_template DROP COLUMN settings")
        assert columns_of(old) == before
        assert not any(column.name == "settings" for column in old.get_columns("section"))
        assert runner.up()[0] == NAME
        assert SectionTemplate.get().settings == ODD
        assert Section.select().count() == 0
