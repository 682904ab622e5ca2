"""The file of secrets: `NAME=value` lines, which the configuration names as `${NAME}`.

It is in the form of systemd's EnvironmentFile. `config.file` reads it too, beside the
configuration, so that a command has the same secrets as the service.
"""

import secrets
from pathlib import Path

from telealarm.config.file import read_secrets

NAMES = ("TELEALARM_ARI_PASSWORD", "TELEALARM_AMI_PASSWORD", "TELEALARM_PHONE_PASSWORD")
HEAD = """\
# The secrets of telealarm.yml, which names them as ${NAME}. systemd reads this file for the
# service, and each command of telealarm reads it too. Asterisk has the same passwords in
# ari.conf, manager.conf and pjsip.conf.
"""


def complete(path: Path) -> tuple[dict[str, str], str | None]:
    """Return the secrets, and the text of the file with those that it lacks; None: it has all."""
    known = read_secrets(path) if path.exists() else {}
    missing = {name: secrets.token_hex(24) for name in NAMES if not known.get(name)}
    if not missing:
        return known, None
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD
    text = text if text.endswith("\n") else text + "\n"
    text += "".join(f"{name}={value}\n" for name, value in missing.items())
    return {**known, **missing}, text
