"""Commands that root runs on an installation of another user become that user.

Else the database's files, the key and the prompts would be root's, and the service could not use
them.
"""

import os
import pwd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telealarm.config.model import Config


def become(settings: "Config") -> None:
    """If this is root and the folder of the installation's key is another user's, be that user."""
    folder = settings.key_path.parent
    if os.geteuid() != 0 or not folder.is_dir():
        return
    user = folder.stat().st_uid
    if user == 0:
        return
    try:
        entry = pwd.getpwuid(user)
    except KeyError:
        return  # a container's user: nobody of this machine
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(user)
    os.environ["HOME"] = entry.pw_dir
