"""What this machine's own apt and pip need to reach their sources, for another root folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The authorities that this machine trusts, in the other root folder.
CERTIFICATES = "/etc/ssl/of-this-machine.crt"
PROXIES = ("http_proxy", "https_proxy", "no_proxy")


def write(root: Path) -> None:
    """Write the settings of apt and pip below `root`, for everybody to read."""
    for folder in (root, root / "etc", root / "etc/ssl", root / "etc/apt/apt.conf.d"):
        folder.mkdir(parents=True, exist_ok=True)
    authorities = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    lines = ["[global]"]
    # The clock here may be ahead of the mirror: testing's Release file is valid for a week only.
    apt = 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n'
    written = [root / "etc/pip.conf", root / "etc/apt/apt.conf.d/99of-this-machine"]
    if authorities.is_file():
        written.append(root / CERTIFICATES.lstrip("/"))
        shutil.copyfile(authorities, written[-1])
        lines.append(f"cert = {CERTIFICATES}")
        apt += f'Acquire::https::CaInfo "{CERTIFICATES}";\n'
    if index := _package_index():
        lines.append(f"index-url = {index}")
    (root / "etc/pip.conf").write_text("\n".join([*lines, ""]))
    (root / "etc/apt/apt.conf.d/99of-this-machine").write_text(apt)
    for path in written:
        path.chmod(0o644)
        for folder in path.relative_to(root).parents:
            (root / folder).chmod(0o755)


def proxies() -> dict[str, str]:
    """This machine's way out, as environment variables."""
    found = {name: os.environ.get(name) or os.environ.get(name.upper()) for name in PROXIES}
    return {name: value for name, value in found.items() if value}


def _package_index() -> str:
    """The index that this machine's pip is told to use, if that is another than PyPI's own."""
    told = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
    )
    index = os.environ.get("PIP_INDEX_URL") or told.stdout.strip()
    return index if index.startswith("http") else ""
