"""How long a callee who picks up waits for the first sound, when many do at once.

Usage: python -m benchmarks.answer [--calls N]

A real Asterisk rings N phones of one SIPp at the same moment; each picks up after two seconds. Per
call it is measured from the phone's 200 OK to the first packet of voice that is not silence, both
by this machine's clock. Prints milliseconds. Alarms are made by the REST API.
"""

import argparse
import asyncio
import re
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from string import Template

from tests.acceptance.conftest import Practice, open_practice
from tests.lab.asterisk import Asterisk
from tests.lab.exchange import Exchange
from tests.lab.phone import TEMPLATES
from tests.lab.ports import HOST, free_udp_port
from tests.lab.processes import Child
from tests.lab.recorder import LOUD, PCMU, Packet
from tests.lab.waiting import until

RING_SECONDS = 2.0
# For the alarms to be written before the first of them is due.
WRITE_SECONDS_EACH = 0.12
_ANSWERED = re.compile(r"\S+\t\S+\t([\d.]+) (\d+) answered")


class Ears(asyncio.DatagramProtocol):
    """Hears all calls on one port; by the port that the voice comes from, when it was first loud
    and when it first came at all.
    """

    def __init__(self) -> None:
        self.loud: dict[int, float] = {}
        self.first: dict[int, float] = {}

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        port = addr[1]
        if port in self.loud or data[1] & 0x7F != PCMU:
            return
        now = time.time()
        self.first.setdefault(port, now)
        if Packet(now, data[12 + 4 * (data[0] & 0x0F) :]).loudness > LOUD:
            self.loud[port] = now


class Crowd:
    """Phones of many numbers, which all pick up."""

    def __init__(self, folder: Path, ears_port: int) -> None:
        self._log = folder / "log"
        scenario = folder / "crowd.xml"
        template = Template((TEMPLATES / "crowd.xml").read_text())
        values = {"ring_ms": round(RING_SECONDS * 1000), "audio_port": ears_port}
        scenario.write_text(template.substitute(values))
        self.port = free_udp_port()
        argv: list[str | Path] = ["sipp", "-sf", scenario, "-i", HOST, "-p", str(self.port)]
        argv += ["-mi", HOST, "-mp", str(free_udp_port()), "-cp", str(free_udp_port()), "-nostdin"]
        argv += ["-trace_logs", "-log_file", self._log]
        self.child = Child(argv, folder / "screen", cwd=folder)

    def answered(self) -> dict[int, float]:
        """When each call was picked up, by the port that its voice comes from."""
        if not self._log.exists():
            return {}
        found = map(_ANSWERED.fullmatch, self._log.read_text().splitlines())
        return {int(line[2]): float(line[1]) for line in found if line}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    calls: int = parser.parse_args().calls
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        exchange = Exchange()
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        asterisk = Asterisk(exchange.port)
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        ears = Ears()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: ears, local_addr=(HOST, 0)
        )
        stack.callback(transport.close)
        crowd = Crowd(folder, transport.get_extra_info("sockname")[1])
        stack.push_async_callback(crowd.child.kill)
        practice = await open_practice(stack, asterisk)
        numbers = [str(number) for number in range(1000, 1000 + calls)]
        for number in numbers:
            exchange.plug(number, crowd.port)
        await ring(practice, numbers)
        await until(lambda: len(ears.loud) == calls, 120, "every phone is spoken to")
        await until(lambda: len(crowd.answered()) == calls, 60, "SIPp has written its log")
        report(crowd.answered(), ears)


async def ring(practice: Practice, numbers: list[str]) -> None:
    """An alarm for each, all due at the same moment."""
    due = time.time() + 2 + WRITE_SECONDS_EACH * len(numbers)
    for number in numbers:
        await practice.clinic.appointment(number, due_in=due - time.time(), maxretry=0)


def report(answered: dict[int, float], ears: Ears) -> None:
    spread = max(answered.values()) - min(answered.values())
    print(f"{len(answered)} calls were picked up within {spread:.1f} s")
    for what, times in (("first packet of voice", ears.first), ("first sound", ears.loud)):
        waits = sorted(1000 * (at - answered[port]) for port, at in times.items())
        shown = ", ".join(
            f"p{p} {waits[min(len(waits) - 1, len(waits) * p // 100)]:.0f} ms" for p in (50, 90, 99)
        )
        print(f"{what}: {shown}, longest {waits[-1]:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
