"""A real Asterisk on 127.0.0.1, with the project's own configuration and dialplan."""

import asyncio
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from string import Template

import aiohttp

from tests.lab.asterisk_root import asterisk_root
from tests.lab.ports import HOST, free_tcp_port, free_udp_port, rtp_ports
from tests.lab.processes import Child

REPOSITORY = Path(__file__).parents[2]
CONFIG = REPOSITORY / "config" / "asterisk"
DIALPLAN = REPOSITORY / "dialplan" / "telealarm.conf"
PROMPTS = REPOSITORY / "sounds"
START_SECONDS = 60.0


class Asterisk:
    """One Asterisk of the lab. `exchange_port` is where its only trunk leads.

    Every path below its root folder is the same inside and outside of it, so TeleAlarm and
    Asterisk can name a file to each other.
    """

    trunk = "trunk"
    ari_user = "telealarm"

    def __init__(self, exchange_port: int) -> None:
        self.root = asterisk_root()
        self.ari_password = secrets.token_urlsafe(18)
        self.http_port = free_tcp_port()
        self.sip_port = free_udp_port()
        self.ari_url = f"http://{HOST}:{self.http_port}"
        self._exchange_port = exchange_port
        self._folder = self.root / "run" / "telealarm-lab" / secrets.token_hex(4)
        self._etc = self._folder / "etc"
        self._child: Child | None = None
        self._user = _user(self.root)
        self._write()

    @property
    def cdr_csv(self) -> Path:
        """The call detail records, written when the first call has ended."""
        return self._folder / "log" / "cdr-csv" / "Master.csv"

    @property
    def sounds_dir(self) -> Path:
        """Asterisk's sounds folder; TeleAlarm's prompts are in it, below `telealarm`."""
        return self._folder / "data" / "sounds"

    @property
    def prompts_dir(self) -> Path:
        """A folder where TeleAlarm may write prompts and Asterisk can read them."""
        return self._folder / "prompts"

    @property
    def log(self) -> Path:
        """What Asterisk printed."""
        return self._folder / "asterisk.out"

    @property
    def pid(self) -> int:
        assert self._child, "Asterisk is not started"
        return self._child.pid

    async def start(self) -> None:
        """Start, and return when ARI answers. RuntimeError with Asterisk's last lines if not."""
        conf = self._inside(self._etc / "asterisk.conf")
        self._child = Child(
            ["/usr/sbin/asterisk", "-fn", "-C", conf], self.log, become=self._become
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._ready():
                    if not self._child.running:
                        raise RuntimeError(f"Asterisk ended:\n{self._child.tail()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            said = self._child.tail()
            await self._child.kill()
            raise RuntimeError(f"Asterisk did not answer on ARI:\n{said}") from None

    async def stop(self) -> None:
        """End it and remove what it wrote."""
        if self._child:
            await self._child.terminate()
            self._child = None
        shutil.rmtree(self._folder, ignore_errors=True)

    async def kill(self) -> None:
        """End it as a crash would, in mid-call."""
        if self._child:
            await self._child.kill()

    async def restart(self) -> None:
        """End it, if it still runs, and start it again on the same ports."""
        if self._child:
            await self._child.terminate()
        await self.start()

    def freeze(self) -> None:
        """Stop it without closing its connections, as a machine that hangs."""
        if self._child:
            self._child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._child:
            self._child.signal(signal.SIGCONT)

    async def cli(self, command: str) -> str:
        """What Asterisk's console says to a command."""
        conf = self._inside(self._etc / "asterisk.conf")
        argv = ["/usr/sbin/asterisk", "-C", conf, "-rx", command]
        done = await asyncio.to_thread(
            subprocess.run, argv, capture_output=True, text=True, preexec_fn=self._become
        )
        return done.stdout

    async def cdr(self) -> str:
        """The call detail records so far, as text."""
        return self.cdr_csv.read_text() if self.cdr_csv.exists() else ""

    async def _ready(self) -> bool:
        """ARI answers before the dialplan is loaded, so both are asked."""
        try:
            async with aiohttp.ClientSession() as http:
                await http.get(f"{self.ari_url}/ari/asterisk/ping")  # 401 will do: ARI is there.
        except (OSError, aiohttp.ClientError):
            return False
        return "fully booted" in await self.cli("core waitfullybooted")

    def _become(self) -> None:
        """In the child: enter the root folder and be the user that Asterisk's files belong to."""
        uid, gid = self._user
        os.chroot(self.root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)

    def _inside(self, path: Path) -> str:
        """A path below the root folder as Asterisk sees it (short: sockets allow 108 letters)."""
        return f"/{path.relative_to(self.root)}"

    def _write(self) -> None:
        """Make the folders, the configuration and the sounds of this instance."""
        _same_paths_inside(self.root)
        for name in ("etc", "run", "log/cdr-csv", "spool", "lib", "cache", "data", "prompts"):
            (self._folder / name).mkdir(parents=True)
        values = {
            "TELEALARM_ARI_PASSWORD": self.ari_password,
            "TELEALARM_HTTP_ADDRESS": HOST,
            "TELEALARM_HTTP_PORT": str(self.http_port),
            "TELEALARM_SIP_ADDRESS": HOST,
            "TELEALARM_SIP_PORT": str(self.sip_port),
            "TELEALARM_TRUNK_HOST": HOST,
            "TELEALARM_TRUNK_PORT": str(self._exchange_port),
        }
        for source in CONFIG.glob("*.conf"):
            (self._etc / source.name).write_text(Template(source.read_text()).substitute(values))
        shutil.copy(DIALPLAN, self._etc)
        first, last = rtp_ports()
        (self._etc / "rtp.conf").write_text(f"[general]\nrtpstart={first}\nrtpend={last}\n")
        (self._etc / "logger.conf").write_text(
            "[general]\n[logfiles]\nconsole = notice,warning,error\n"
        )
        folder = self._inside(self._folder)
        (self._etc / "asterisk.conf").write_text(
            "[directories]\n"
            + "".join(
                f"{name} => {folder}/{where}\n"
                for name, where in (
                    ("astetcdir", "etc"),
                    ("astvarlibdir", "lib"),
                    ("astdbdir", "lib"),
                    ("astkeydir", "lib"),
                    ("astdatadir", "data"),
                    ("astagidir", "data/agi-bin"),
                    ("astspooldir", "spool"),
                    ("astrundir", "run"),
                    ("astlogdir", "log"),
                    ("astcachedir", "cache"),
                )
            )
            + f"astmoddir => {self._modules()}\n[options]\nlive_dangerously = no\n"
        )
        self._add_sounds()
        for path in [self._folder, *self._folder.rglob("*")]:
            os.chown(path, *self._user, follow_symlinks=False)

    def _modules(self) -> str:
        found = sorted(self.root.glob("usr/lib*/**/asterisk/modules"))
        assert found, f"no asterisk/modules below {self.root}/usr/lib"
        return self._inside(found[0])

    def _add_sounds(self) -> None:
        """Asterisk's own data, with TeleAlarm's prompts beside its sounds.

        English lies where Asterisk looks when it has no file in the channel's language.
        """
        data = self._folder / "data"
        (data / "sounds").mkdir()
        for where in ("", "sounds"):
            for entry in (self.root / "usr/share/asterisk" / where).iterdir():
                if not (data / where / entry.name).exists():
                    (data / where / entry.name).symlink_to(self._inside(entry))
        for language in (entry for entry in PROMPTS.iterdir() if entry.is_dir()):
            under = "" if language.name == "en" else language.name
            target = data / "sounds" / under / "telealarm"
            if any(language.glob("*.wav")):
                shutil.copytree(language, target, ignore=shutil.ignore_patterns("__pycache__"))


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


def _user(root: Path) -> tuple[int, int]:
    """Numeric user and group of `asterisk` in that root folder."""
    for line in (root / "etc/passwd").read_text().splitlines():
        name, _, uid, gid, *_ = line.split(":")
        if name == "asterisk":
            return int(uid), int(gid)
    raise RuntimeError(f"{root}/etc/passwd has no user asterisk")
