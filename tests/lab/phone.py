"""A SIP phone: one SIPp process with a number on the exchange."""

import asyncio
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from socket import inet_aton
from string import Template

from tests.lab.behaviours import Behaviour
from tests.lab.exchange import Exchange
from tests.lab.keys import PACKET_SECONDS, key_packets, tone_packets, write_key, write_tone
from tests.lab.ports import HOST, free_udp_port
from tests.lab.processes import Child
from tests.lab.recorder import Recorder
from tests.lab.voice import write_voice
from tests.lab.waiting import until

TEMPLATES = Path(__file__).parent / "phones"
# The keys that a test presses are counted from here: after those of the behaviour.
FIRST_PRESSED = 50
_LINE = re.compile(r"\S+\t\S+\t(?P<at>[\d.]+) (?P<call>\S+) (?P<what>.+)")

# The codecs: their payload type, and how SDP names them (RFC 3551).
CODECS = {"PCMU": (0, "PCMU/8000"), "PCMA": (8, "PCMA/8000"), "G722": (9, "G722/8000")}
EVENTS = "a=rtpmap:101 telephone-event/8000\n      a=fmtp:101 0-16\n      "


@dataclass(frozen=True)
class Entry:
    """One thing that happened on a phone: `ringing`, `busy`, `declined`, `congestion`,
    `answered`, `key 1`, `hung up by network`, `hung up by phone` or `cancelled`."""

    at: datetime
    what: str
    call_id: str


class Phone:
    """`async with Phone("1001", busy(), exchange) as phone: ...`

    `heard` is what was said to it. What it logs is SIPp's own account of what it did.
    """

    # Where its SIP is; its voice is on HOST.
    host = HOST

    def __init__(self, number: str, behaviour: Behaviour, exchange: Exchange) -> None:
        self.number = number
        self.behaviour = behaviour
        self.heard = Recorder(exchange.network)
        self.says_seconds = 0.0
        self.port = 0
        self._pressed: list[Entry] = []
        self._exchange = exchange
        self._folder = Path(tempfile.mkdtemp(prefix=f"telealarm-phone-{number}-"))
        self._child: Child | None = None

    async def __aenter__(self) -> "Phone":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Plug it in; it can be called when this returns."""
        await self.heard.start()
        scenario = self._folder / "scenario.xml"
        scenario.write_text(self._scenario())
        self.port = free_udp_port()
        argv: list[str | Path] = ["sipp", "-sf", scenario, "-i", self.host, "-p", str(self.port)]
        argv += self._options()
        self._child = self._sipp(argv)
        await until(self._bound, 10, f"SIPp for {self.number} listens")
        self._exchange.plug(self.number, self.port)

    async def stop(self) -> None:
        """Unplug it: its number is unknown from now on."""
        self._exchange.unplug(self.number)
        if self._child:
            await self._child.kill()
        await self.heard.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def pick_up(self) -> None:
        """Answer the call that rings; return when it is answered."""
        answers = (await self.events()).count("answered")
        self._exchange.order(self.number, "X-PICK-UP")
        await self.until("answered", times=answers + 1)

    async def hang_up(self) -> None:
        """End the call that is up; return when that is done."""
        times = (await self.events()).count("hung up by phone")
        self._exchange.order(self.number, "X-HANG-UP")
        await self.until("hung up by phone", times=times + 1)

    async def speak(self) -> None:
        """Say now what the behaviour has to say."""
        self._exchange.order(self.number, "X-SPEAK")
        await self.until("speaks")

    async def has_heard(self, seconds: float) -> None:
        """Return when so many seconds of sound have come in all."""
        what = f"{self.number} hears {seconds:.1f} s"
        await until(lambda: self.heard.seconds_heard() >= seconds, 30, what)

    async def hears(self, seconds: float) -> None:
        """Return when so many more seconds of sound have come than had come before."""
        await self.has_heard(self.heard.seconds_heard() + seconds)

    async def press(self, keys: str) -> None:
        """Press these keys in the call that is up, one after the other. What it says goes on."""
        call = self._exchange.calls_to(self.number)[-1]
        tones = self.behaviour.codec if self.behaviour.tones else ""
        for key in keys:
            index = FIRST_PRESSED + len(self._pressed)
            for packet in tone_packets(key, index, tones) if tones else key_packets(key, index):
                self.heard.send(packet, call.audio_port)
                await asyncio.sleep(PACKET_SECONDS)
            self._pressed.append(Entry(datetime.now(UTC), f"key {key}", call.call_id))

    async def hears_out(self, pause: float = 1.5) -> None:
        """Return when something was said, and then nothing for so many seconds."""

        def is_over() -> bool:
            last = self.heard.last_loud_at()
            return last is not None and (datetime.now(UTC) - last).total_seconds() > pause

        await until(is_over, 60, f"{self.number} hears somebody out")

    @property
    def running(self) -> bool:
        """Whether SIPp lives."""
        return self._child is not None and self._child.running

    async def kill(self) -> None:
        """Kill SIPp. The number stays known, but nothing answers there any more."""
        if self._child:
            await self._child.kill()

    async def log(self) -> list[Entry]:
        """What has happened on it so far, oldest first."""
        text = self._log_file.read_text() if self._log_file.exists() else ""
        logged = [
            Entry(datetime.fromtimestamp(float(line["at"]), UTC), line["what"], line["call"])
            for line in map(_LINE.fullmatch, text.splitlines())
            if line
        ]
        return sorted(logged + self._pressed, key=lambda entry: entry.at)

    async def events(self) -> list[str]:
        """The words of the log alone."""
        return [entry.what for entry in await self.log()]

    async def until(self, what: str, seconds: float = 15, *, times: int = 1) -> None:
        """Return when `what` has happened, `times` times."""

        async def happened() -> bool:
            return (await self.events()).count(what) >= times

        await until(happened, seconds, f"{self.number}: {what}")

    @property
    def _log_file(self) -> Path:
        return self._folder / "log"

    def _options(self) -> list[str | Path]:
        voice: list[str | Path] = [
            "-mi",
            HOST,
            "-mp",
            str(free_udp_port()),
            "-cp",
            str(free_udp_port()),
            "-nostdin",
        ]
        logs: list[str | Path] = ["-trace_logs", "-log_file", self._log_file]
        return [*voice, *logs, "-trace_err", "-error_file", self._folder / "errors"]

    def _bound(self) -> bool:
        assert self._child and self._child.running, f"SIPp ended:\n{self._child_said()}"
        address = f"{inet_aton(self.host)[::-1].hex().upper()}:{self.port:04X} "
        return address in Path(f"/proc/{self._child.pid}/net/udp").read_text()

    def _sipp(self, argv: list[str | Path], output: str = "screen") -> Child:
        network = self._exchange.network
        return Child(argv, self._folder / output, cwd=self._folder, become=network.join)

    def _child_said(self) -> str:
        return self._child.tail() if self._child else ""

    def _scenario(self) -> str:
        behaviour = self.behaviour
        if behaviour.texts:
            return render("texts")
        if behaviour.refuses:
            status, reason, word = behaviour.refuses
            return render("refuses", number=self.number, status=status, reason=reason, word=word)
        kind, rtpmap = CODECS[behaviour.codec]
        events = not (behaviour.info or behaviour.tones)
        return render(
            "answers",
            number=self.number,
            busy_calls=behaviour.busy_calls,
            ring_ms=_ms(behaviour.ring),
            audio_port=self.heard.port,
            formats=f"{kind} 101" if events else str(kind),
            rtpmap=f"{kind} {rtpmap}",
            events=EVENTS if events else "",
            talk=self._talk(),
        )

    def _talk(self) -> str:
        behaviour, parts = self.behaviour, []
        if behaviour.voice:
            pcap = self._folder / "voice.pcap"
            write_tone(pcap, behaviour.voice)
            ms = {"wait_ms": _ms(behaviour.voice_after), "voice_ms": _ms(behaviour.voice)}
            parts.append(render("voice", pcap=pcap, **ms))
        if behaviour.says:
            pcap = self._folder / "says.pcap"
            self.says_seconds = write_voice(pcap, behaviour.says, beep=behaviour.beeps)
            parts.append(render("says", pcap=pcap))
        for index, key in enumerate(behaviour.keys):
            pcap = self._folder / f"key-{index}.pcap"
            write_key(pcap, key, index, behaviour.codec if behaviour.tones else "")
            values = {"index": index, "key": key, "pcap": pcap, "cseq": index + 1}
            wait = behaviour.between if index else behaviour.first_key
            template = "key_info" if behaviour.info else "key"
            parts.append(render(template, **values, wait_ms=_ms(wait)))
        parts.append(render("hang_up", wait_ms=_ms(behaviour.hang_up)))
        return "".join(parts)


def render(template: str, **values: object) -> str:
    return Template((TEMPLATES / f"{template}.xml").read_text()).substitute(values)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
