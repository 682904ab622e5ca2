"""The installation's key: found or made when the database is opened, and checked against it.

The database keeps a value that only its key can make. So a worker with another key is refused.
"""

import hmac

from peewee import Database

from telealarm import installation_key
from telealarm.config.model import Config
from telealarm.errors import ConfigError
from telealarm.installation_key import InstallationKey
from telealarm.models import Installation
from telealarm.models.encrypted import key_of, use_key


def current() -> InstallationKey:
    """Return the key of the installation; `derive(purpose)` gives 32 bytes for one purpose."""
    return key_of(Installation._meta.database)


def configure(database: Database, config: Config) -> InstallationKey:
    """Set the key for all code that uses this database, and return it.

    A database without a key gets the one in `key_file`, which is made if it is not there. Raises
    ConfigError if the file cannot be used, or if the database has another key.
    """
    path = config.key_path
    check = Installation.select(Installation.key_check).scalar()
    key = installation_key.read(path)
    if key is None and check:
        raise ConfigError(
            f"key_file: {path} is not there, and the database cannot be used without it; put the"
            " installation's key file there, from a backup or from another worker"
        )
    if key is None:
        key = installation_key.create(path)
    if check and not hmac.compare_digest(check, check_value(key)):
        raise ConfigError(
            f"key_file: {path} holds another key than the one of this database; put the"
            " installation's key file there, from a backup or from another worker"
        )
    use_key(database, key)
    return key


def check_value(key: InstallationKey) -> str:
    """Return what the database keeps to recognise its key."""
    return key.digest("key check", "")
