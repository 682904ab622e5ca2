"""A database knows its key: nobody works on it with another one, and nobody makes a second."""

import shutil
from pathlib import Path

import pytest

from telealarm import installation_key
from telealarm.config.model import Config
from telealarm.errors import ConfigError
from telealarm.models import Installation
from telealarm.store.engine import keys
from telealarm.store.open import open_database


@pytest.fixture
def opened(config: Config, tmp_path: Path) -> Config:
    """A database that was opened with a key file of its own."""
    own = tmp_path / "own.key"
    shutil.copy(config.key_path, own)
    mine = config.model_copy(update={"key_file": str(own)})
    open_database(mine)
    return mine


def test_the_key_is_the_files(opened: Config) -> None:
    key = installation_key.read(opened.key_path)
    assert key is not None
    db = open_database(opened)
    assert keys.current().derive("test") == key.derive("test")
    check = db.look(lambda: Installation.get().key_check)
    assert check == keys.check_value(key)


def test_a_worker_with_another_key_is_refused(opened: Config, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    installation_key.create(other)
    with pytest.raises(ConfigError, match=r"other\.key holds another key than the one of this"):
        open_database(opened.model_copy(update={"key_file": str(other)}))


def test_a_lost_key_file_is_missed_and_not_made_again(opened: Config) -> None:
    opened.key_path.unlink()
    with pytest.raises(ConfigError, match="from a backup or from another worker"):
        open_database(opened)
    assert not opened.key_path.exists()


def test_the_default_place_is_beside_an_sqlite_database(tmp_path: Path) -> None:
    open_database(Config(database=f"sqlite:///{tmp_path}/data/t.db"))
    assert (tmp_path / "data" / "telealarm.key").is_file()
    postgres = Config(database="postgresql://a@127.0.0.1/b", base=tmp_path / "etc")
    assert postgres.key_path == tmp_path / "var" / "telealarm.key"
