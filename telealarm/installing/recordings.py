"""The folder in which Asterisk records. No package makes it, and Asterisk does not either."""

from pathlib import Path

from telealarm.installing.files import Files, Owner

# Its name below Asterisk's astspooldir.
NAME = "recording"


def make_folder(files: Files, spool: Path, owner: Owner | None) -> None:
    """Make the folder for the user and group of Asterisk. One that exists stays as it is."""
    files.folder(spool / NAME, 0o750, owner)
