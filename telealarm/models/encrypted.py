"""The installation's key beside the database that the models are bound to."""

from weakref import WeakKeyDictionary

from peewee import Database

from telealarm.errors import ConfigError
from telealarm.installation_key import InstallationKey

# The key of each database that was opened.
_keys: WeakKeyDictionary[Database, InstallationKey] = WeakKeyDictionary()


def use_key(database: Database, key: InstallationKey) -> None:
    """Set the key for all rows of this database."""
    _keys[database] = key


def key_of(database: Database) -> InstallationKey:
    """Return the key of this database. Raises ConfigError if the database was not opened."""
    try:
        return _keys[database]
    except KeyError:
        raise ConfigError("the database has no key yet: it was not opened") from None
