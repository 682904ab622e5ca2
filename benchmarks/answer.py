"""How long a callee who picks up waits for the first sound, when many do at once.

Usage: python -m benchmarks.answer [--calls N] [--database sqlite|postgresql|URL]

A real Asterisk rings N phones of one SIPp at the same moment; each picks up after two seconds. Per
call it is measured from the phone's 200 OK to the first packet of voice that is not silence, both
by this machine's clock. Prints milliseconds. Alarms are made by the REST API.
"""

import argparse
import asyncio
import re
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from string import Template

from benchmarks.lab import databases
from benchmarks.lab.meters import percentile
from benchmarks.lab.service import open_service
from tests.lab.asterisk import Asterisk
from tests.lab.clinic import Clinic
from tests.lab.exchange import Exchange
from tests.lab.phone import TEMPLATES
from tests.lab.ports import HOST, free_udp_port
from tests.lab.processes import Child
from tests.lab.recorder import LOUD, PCMU, Packet
from tests.lab.waiting import until

RING_SECONDS = 2.0
# For the alarms to be written before the first of them is due.
WRITE_SECONDS_EACH = 0.12
_CALL_ID = re.compile(r"^Call-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_VOICE = re.compile(r"^m=audio (\d+)", re.MULTILINE)


class Ears(asyncio.DatagramProtocol):
    """Hears all calls on one port.

    By the port that the voice comes from: when it first came, and when it first was loud.
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


class Clock(Exchange):
    """The network, which notes when each call is picked up, by the port its voice comes from."""

    def __init__(self) -> None:
        super().__init__()
        self.picked_up: dict[int, float] = {}
        self._ports: dict[str, int] = {}

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode("latin-1")
        call = _CALL_ID.search(text)
        voice = _VOICE.search(text)
        if call and voice and text.startswith("INVITE "):
            self._ports.setdefault(call[1], int(voice[1]))
        elif call and voice and text.startswith("SIP/2.0 200"):
            self.picked_up.setdefault(self._ports[call[1]], time.time())
        super().datagram_received(data, addr)


def crowd(folder: Path, ears_port: int) -> tuple[Child, int]:
    """Phones of many numbers in one SIPp, which all pick up; and the port that they are on."""
    scenario = folder / "crowd.xml"
    template = Template((TEMPLATES / "crowd.xml").read_text())
    values = {"ring_ms": round(RING_SECONDS * 1000), "audio_port": ears_port}
    scenario.write_text(template.substitute(values))
    port = free_udp_port()
    argv: list[str | Path] = ["sipp", "-sf", scenario, "-i", HOST, "-p", str(port)]
    argv += ["-mi", HOST, "-mp", str(free_udp_port()), "-cp", str(free_udp_port()), "-nostdin"]
    return Child(argv, folder / "screen", cwd=folder), port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=100, help="answered at the same moment")
    databases.add_option(parser)
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    calls: int = given.calls
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        exchange = Clock()
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
        phones, port = crowd(folder, transport.get_extra_info("sockname")[1])
        stack.push_async_callback(phones.kill)
        storage = await stack.enter_async_context(databases.databases(given.database))
        service = await open_service(stack, asterisk, database=storage.new())
        numbers = [str(number) for number in range(1000, 1000 + calls)]
        for number in numbers:
            exchange.plug(number, port)
        await ring(service.clinic, numbers)
        with suppress(AssertionError):  # the report names those that heard nothing
            await until(lambda: len(ears.loud) == calls, 30, "every phone is spoken to")
        report(exchange.picked_up, ears, calls)


async def ring(clinic: Clinic, numbers: list[str]) -> None:
    """An alarm for each, all due at the same moment."""
    due = time.time() + 2 + WRITE_SECONDS_EACH * len(numbers)
    for number in numbers:
        await clinic.appointment(number, due_in=due - time.time(), maxretry=0)


def report(answered: dict[int, float], ears: Ears, calls: int) -> None:
    if not answered:
        print(f"none of {calls} calls was picked up")
        return
    silent = answered.keys() - ears.loud.keys()
    if silent:
        print(f"{len(silent)} calls heard nothing")
    spread = max(answered.values()) - min(answered.values())
    print(f"{len(answered)} of {calls} calls were picked up, within {spread:.1f} s")
    for what, times in (("first packet of voice", ears.first), ("first sound", ears.loud)):
        waits = [1000 * (at - answered[port]) for port, at in times.items() if port in answered]
        if waits:
            shown = ", ".join(f"p{p} {percentile(waits, p):.0f} ms" for p in (50, 90, 99))
            print(f"{what}: {shown}, longest {max(waits):.0f} ms")


if __name__ == "__main__":
    main()
