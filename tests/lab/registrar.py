"""A provider's registrar: SIPp on a fixed port, which accepts or refuses every REGISTER."""

import shutil
import tempfile
from pathlib import Path
from string import Template

from tests.lab.phone import TEMPLATES
from tests.lab.ports import HOST, free_udp_port
from tests.lab.processes import Child


class Registrar:
    """`accepts` and `refuses` change what it answers, by a SIPp of that kind on the same port."""

    def __init__(self) -> None:
        self.port = free_udp_port()
        self._folder = Path(tempfile.mkdtemp(prefix="telealarm-registrar-"))
        self._child: Child | None = None

    async def accepts(self) -> None:
        await self._start("200", "OK")

    async def refuses(self) -> None:
        await self._start("503", "Service Unavailable")

    async def stop(self) -> None:
        """Nothing answers there any more."""
        if self._child:
            await self._child.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self, status: str, reason: str) -> None:
        if self._child:
            await self._child.kill()
        scenario = self._folder / "scenario.xml"
        template = Template((TEMPLATES / "registrar.xml").read_text())
        scenario.write_text(template.substitute(status=status, reason=reason))
        argv: list[str | Path] = ["sipp", "-sf", scenario, "-i", HOST, "-p", str(self.port)]
        argv += ["-mp", str(free_udp_port()), "-cp", str(free_udp_port()), "-nostdin"]
        self._child = Child(argv, self._folder / "screen", cwd=self._folder)
