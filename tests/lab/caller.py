"""A SIP phone that calls: one SIPp process, which rings Asterisk as the trunk does."""

import shutil
from pathlib import Path
from typing import Protocol

from tests.lab.behaviours import Behaviour
from tests.lab.exchange import Exchange
from tests.lab.phone import EVENTS, Phone, render
from tests.lab.ports import HOST, free_udp_port


class SipServer(Protocol):
    """Whom it calls, on 127.0.0.1."""

    @property
    def sip_port(self) -> int: ...


class Caller(Phone):
    """`async with Caller("1001", "7001", answers_and_presses("1"), exchange, asterisk): ...`

    The number is its caller id; `anonymous` withholds it.
    """

    # Of its login, where Asterisk asks for one.
    password = ""

    def __init__(
        self,
        number: str,
        dials: str,
        behaviour: Behaviour,
        exchange: Exchange,
        asterisk: SipServer,
    ) -> None:
        super().__init__(number, behaviour, exchange)
        self._dials = dials
        self._sip_port = asterisk.sip_port

    async def start(self) -> None:
        """Call."""
        await self.heard.start()
        scenario = self._folder / "scenario.xml"
        scenario.write_text(self._scenario())
        argv: list[str | Path] = ["sipp", f"{HOST}:{self._sip_port}", "-sf", scenario, "-m", "1"]
        # First its own port: SIPp takes some of those after the one for voice.
        argv += ["-i", self.host, "-p", str(free_udp_port()), *self._options()]
        self._child = self._sipp(argv)

    async def stop(self) -> None:
        """Hang up as a phone does that loses its power."""
        if self._child:
            await self._child.kill()
        await self.heard.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _scenario(self) -> str:
        return render(
            "calls",
            **self._names(),
            talk=self._talk(),
            cseq=2 if self.password else 1,
            login=render("login", **self._names(), password=self.password) if self.password else "",
        )

    def _names(self) -> dict[str, object]:
        return {
            "number": self.number,
            "dials": self._dials,
            "audio_port": self.heard.port,
            "events": EVENTS,
        }
