"""A real Asterisk on 127.0.0.1, with the project's own configuration and dialplan."""

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import aiohttp

from tests.lab import speed
from tests.lab.asterisk_folder import AsteriskFolder
from tests.lab.asterisk_root import asterisk_root
from tests.lab.ports import HOST, free_tcp_port, free_udp_port, rtp_ports
from tests.lab.processes import Child

PROGRAM = "/usr/sbin/asterisk"
START_SECONDS = 60.0


class Asterisk:
    """One Asterisk of the lab. `exchange_port` is where its only trunk leads.

    Every path below its root folder is the same inside and outside of it, so TeleAlarm and
    Asterisk can name a file to each other.
    """

    trunk = "trunk"
    ari_user = "telealarm"

    def __init__(self, exchange_port: int, *, recording_folder: bool = True) -> None:
        self.root = asterisk_root()
        self.ari_password = secrets.token_urlsafe(18)
        self.ami_password = secrets.token_urlsafe(18)
        self.http_port = free_tcp_port()
        self.sip_port = free_udp_port()
        self.ari_url = f"http://{HOST}:{self.http_port}"
        self.ami_port = free_tcp_port()
        values = {
            "TELEALARM_ARI_PASSWORD": self.ari_password,
            "TELEALARM_AMI_PASSWORD": self.ami_password,
            "TELEALARM_AMI_ADDRESS": HOST,
            "TELEALARM_AMI_PORT": str(self.ami_port),
            "TELEALARM_HTTP_ADDRESS": HOST,
            "TELEALARM_HTTP_PORT": str(self.http_port),
            "TELEALARM_SIP_ADDRESS": HOST,
            "TELEALARM_SIP_PORT": str(self.sip_port),
            "TELEALARM_TRUNK_HOST": HOST,
            "TELEALARM_TRUNK_PORT": str(exchange_port),
        }
        self._folder = AsteriskFolder(
            self.root, values, rtp_ports(), recording_folder=recording_folder
        )
        self._conf = self._folder.inside("etc/asterisk.conf")
        self._child: Child | None = None

    @property
    def cdr_csv(self) -> Path:
        """The call detail records, written when the first call has ended."""
        return self._folder.path / "log" / "cdr-csv" / "Master.csv"

    @property
    def sounds_dir(self) -> Path:
        """Asterisk's sounds folder; TeleAlarm's prompts are in it, below `telealarm`."""
        return self._folder.path / "data" / "sounds"

    @property
    def prompts_dir(self) -> Path:
        """A folder where TeleAlarm may write prompts and Asterisk can read them."""
        return self._folder.path / "prompts"

    @property
    def recordings_dir(self) -> Path:
        """Where Asterisk writes what callers say; missing without `recording_folder`."""
        return self._folder.path / "spool" / "recording"

    def inside(self, path: Path) -> str:
        """A path as Asterisk itself names it."""
        return self._folder.inside(path)

    def make_recordings_dir(self) -> None:
        """Make it, as `telealarm init` does."""
        self._folder.make_recording_folder()

    @property
    def log(self) -> Path:
        """What Asterisk printed."""
        return self._folder.path / "asterisk.out"

    @property
    def pid(self) -> int:
        assert self._child, "Asterisk is not started"
        return self._child.pid

    def configure(self, name: str, change: Callable[[str], str]) -> None:
        """Edit one of its configuration files; before it is started."""
        path = self._folder.path / "etc" / name
        path.write_text(change(path.read_text()))

    async def start(self) -> None:
        """Start, and return when ARI answers. RuntimeError with Asterisk's last lines if not."""
        argv = [PROGRAM, "-fn", "-C", self._conf]
        self._child = Child(argv, self.log, become=self._become)
        try:
            async with asyncio.timeout(speed.limit(START_SECONDS)):
                while not await self._ready():
                    if not self._child.running:
                        raise RuntimeError(f"Asterisk ended:\n{self._child.tail()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            message = f"Asterisk did not answer on ARI; {speed.account()}:\n{self._child.tail()}"
            await self._child.kill()
            raise RuntimeError(message) from None

    async def stop(self) -> None:
        """End it and remove what it wrote."""
        if self._child:
            await self._child.terminate()
            self._child = None
        self._folder.remove()

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
        done = await asyncio.to_thread(
            subprocess.run,
            [PROGRAM, "-C", self._conf, "-rx", command],
            capture_output=True,
            text=True,
            timeout=speed.limit(START_SECONDS),
            preexec_fn=self._become,
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
        uid, gid = self._folder.owner
        os.chroot(self.root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
