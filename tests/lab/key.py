"""The key file of the installations that a test run makes: one, so that databases can be copied."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from telealarm.installation_key import InstallationKey

# For parts that need a key and no database.
KEY = InstallationKey(bytes(32))


@cache
def key_file() -> str:
    """The path of the file. The first database that is opened with it makes it."""
    folder = Path(tempfile.mkdtemp(prefix="telealarm-key-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(folder / "telealarm.key")
