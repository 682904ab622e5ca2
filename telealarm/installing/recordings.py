"""The folder in which Asterisk records. No package makes it, and Asterisk does not either."""

import os
from pathlib import Path

# Its name below Asterisk's astspooldir.
NAME = "recording"


def make_folder(spool: Path, owner: tuple[int, int]) -> bool:
    """Make the folder for the user and group of Asterisk. Return False if it exists already."""
    folder = spool / NAME
    if folder.is_dir():
        return False
    folder.mkdir(mode=0o750)
    folder.chmod(0o750)  # whatever the umask
    os.chown(folder, *owner, follow_symlinks=False)
    return True
