"""Columns that are encrypted in the database, with the installation's key.

Code reads and writes plain values. What a thief of the database or of a backup finds is worth
nothing without the key file.
"""

import json
from typing import Any
from weakref import WeakKeyDictionary

from peewee import Database, JSONField, TextField

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


class EncryptedField(TextField):
    """A text. It cannot be searched: the same text is another one each time it is encrypted.

    `purpose` names its key, see InstallationKey. It never changes.
    """

    def __init__(self, purpose: str, **options: Any) -> None:
        super().__init__(**options)
        self._purpose = purpose

    def db_value(self, value: Any) -> Any:
        if value is None:
            return None
        return key_of(self.model._meta.database).encrypt(self._purpose, str(value))

    def python_value(self, value: Any) -> Any:
        if value is None:
            return None
        return key_of(self.model._meta.database).decrypt(self._purpose, value)


class EncryptedJsonField(JSONField):
    """What JSON can express. The column holds one string, the encrypted JSON."""

    def __init__(self, purpose: str, **options: Any) -> None:
        super().__init__(**options)
        self._purpose = purpose

    def db_value(self, value: Any) -> Any:
        if value is None:
            return None
        text = json.dumps(value)
        key = key_of(self.model._meta.database)
        return super().db_value(key.encrypt(self._purpose, text))  # type: ignore[no-untyped-call]

    def python_value(self, value: Any) -> Any:
        token = super().python_value(value)  # type: ignore[no-untyped-call]
        if token is None:
            return None
        return json.loads(key_of(self.model._meta.database).decrypt(self._purpose, token))


ENCRYPTED = (EncryptedField, EncryptedJsonField)
