"""The user that the service runs as."""

import grp
import os
import pwd
import subprocess
from pathlib import Path

from telealarm.errors import ConfigError
from telealarm.installing.files import Owner

NAME = "telealarm"
ASTERISK_GROUP = "asterisk"
SECONDS = 60


def find_or_add(home: Path) -> tuple[Owner, bool]:
    """Return user and group of the service, and whether they were added now. Needs root.

    A member of Asterisk's group may read the call detail records. Raises ConfigError.
    """
    try:
        user = pwd.getpwnam(NAME)
    except KeyError:
        words = ["useradd", "--system", "--user-group", "--no-create-home"]
        words += ["--home-dir", str(home), "--shell", "/usr/sbin/nologin"]
        if has_asterisk_group():
            words += ["--groups", ASTERISK_GROUP]
        try:
            done = subprocess.run(
                [*words, NAME], capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"the user {NAME} cannot be added: {error}") from None
        if done.returncode != 0:
            message = " ".join(done.stderr.split())
            raise ConfigError(f"the user {NAME} cannot be added: {message}") from None
        user = pwd.getpwnam(NAME)
        return (user.pw_uid, user.pw_gid), True
    return (user.pw_uid, user.pw_gid), False


def has_asterisk_group() -> bool:
    """Return whether this system itself has Asterisk's group: then Asterisk is not elsewhere."""
    try:
        grp.getgrnam(ASTERISK_GROUP)
    except KeyError:
        return False
    return True


def may_run(program: Path, owner: Owner) -> bool:
    """Return whether that user can run the program, and Python with its libraries. Needs root."""
    user, group = owner

    def become() -> None:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)

    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            timeout=SECONDS,
            check=False,
            cwd="/",
            preexec_fn=become,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
