"""The private folder of one Asterisk: its configuration, sounds, log and call records."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from string import Template

from telealarm.installing import recordings
from telealarm.installing.files import Files
from tests.lab.root_folder import user_of

REPOSITORY = Path(__file__).parents[2]
CONFIG = REPOSITORY / "config" / "asterisk"
DIALPLAN = REPOSITORY / "dialplan" / "telealarm.conf"
PROMPTS = REPOSITORY / "sounds"
DIRECTORIES = {
    "astetcdir": "etc",
    "astvarlibdir": "lib",
    "astdbdir": "lib",
    "astkeydir": "lib",
    "astdatadir": "data",
    "astagidir": "data/agi-bin",
    "astspooldir": "spool",
    "astrundir": "run",
    "astlogdir": "log",
    "astcachedir": "cache",
}


class AsteriskFolder:
    """A folder below `root` that holds all one Asterisk reads and writes, until `remove`.

    The files are those of config/asterisk and dialplan, with `values` put in for the
    placeholders, as a user would; `rtp` are the first and last port for voice. The folder for
    recordings, which the package of Asterisk lacks, is made as `telealarm init` makes it.
    """

    def __init__(
        self,
        root: Path,
        values: Mapping[str, str],
        rtp: tuple[int, int],
        *,
        recording_folder: bool = True,
    ) -> None:
        self.root = root
        self.owner = user_of(root, "asterisk")
        instances = root / "run" / "telealarm-lab"
        instances.mkdir(parents=True, exist_ok=True)
        instances.chmod(0o755)  # whatever the umask: Asterisk is not root
        _sweep(instances)
        self.path = instances / secrets.token_hex(4)
        for name in (
            "etc",
            "run",
            "log/cdr-csv",
            "spool",
            "lib",
            "cache",
            "data",
            "prompts",
        ):
            (self.path / name).mkdir(parents=True)
        self._lock = (self.path / "locking").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        (self.path / "locking").rename(self.path / "lock")
        _same_paths_inside(root)
        self._write_configuration(values, rtp)
        self._write_sounds()
        for path in [self.path, *self.path.rglob("*")]:
            os.chown(path, *self.owner, follow_symlinks=False)
        if recording_folder:
            self.make_recording_folder()

    def inside(self, path: str | Path) -> str:
        """As Asterisk sees it, which is short: the name of a socket has 108 letters at most."""
        return f"/{(self.path / path).relative_to(self.root)}"

    def make_recording_folder(self) -> None:
        """Make it as `telealarm init` does."""
        files = Files(self.path / "init.json", owned=True)
        recordings.make_folder(files, self.path / "spool", self.owner)

    def remove(self) -> None:
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def _write_configuration(self, values: Mapping[str, str], rtp: tuple[int, int]) -> None:
        etc = self.path / "etc"
        for source in CONFIG.glob("*.conf"):
            (etc / source.name).write_text(Template(source.read_text()).substitute(values))
        shutil.copy(DIALPLAN, etc)
        # What a test presses comes from another port than what the phone says.
        ports = f"rtpstart = {rtp[0]}\nrtpend = {rtp[1]}\n"
        (etc / "rtp.conf").write_text(f"[general]\n{ports}strictrtp = no\n")
        (etc / "logger.conf").write_text("[general]\n[logfiles]\nconsole = notice,warning,error\n")
        libraries = self.root / "usr" / "lib"
        modules = next(libraries.glob("*/asterisk/modules"), libraries / "asterisk" / "modules")
        if not modules.is_dir():
            raise RuntimeError(f"no asterisk/modules below {libraries}")
        lines = [f"{name} => {self.inside(where)}" for name, where in DIRECTORIES.items()]
        lines = ["[directories]", f"astmoddir => {self.inside(modules)}", *lines]
        lines += ["[options]", "live_dangerously = no", ""]
        (etc / "asterisk.conf").write_text("\n".join(lines))

    def _write_sounds(self) -> None:
        """Asterisk's own data, with TeleAlarm's prompts beside its sounds.

        English lies where Asterisk looks when it has no file in the channel's language.
        """
        data = self.path / "data"
        (data / "sounds").mkdir()
        for where in ("", "sounds"):
            for entry in (self.root / "usr/share/asterisk" / where).iterdir():
                if not (data / where / entry.name).exists():
                    (data / where / entry.name).symlink_to(self.inside(entry))
        for language in (entry for entry in PROMPTS.iterdir() if any(entry.glob("*.wav"))):
            under = "" if language.name == "en" else language.name
            shutil.copytree(language, data / "sounds" / under / "telealarm")


def _sweep(instances: Path) -> None:
    """Remove what runs that were killed have left: folders whose lock nobody holds."""
    for lock in instances.glob("*/lock"):
        try:
            with lock.open("w") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, FileNotFoundError):
            continue
        shutil.rmtree(lock.parent, ignore_errors=True)


def _same_paths_inside(root: Path) -> None:
    """Let a path that begins with the root folder lead to the same file inside of it."""
    if root == Path("/"):
        return
    link = root / root.relative_to("/")
    for folder in reversed(link.relative_to(root).parents[:-1]):
        (root / folder).mkdir(exist_ok=True)
        (root / folder).chmod((root / folder).stat().st_mode | 0o111)
    if not link.is_symlink():
        link.symlink_to("/")
