"""The telephone network: a SIP proxy between Asterisk's trunk and the phones.

Stateless, as RFC 3261 16.11 describes: it keeps no transactions, forwards what comes, and
answers itself only with 404 for a number that nobody has. Retransmissions are left to both ends.
"""

import asyncio
import hashlib
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.lab.network import Network
from tests.lab.ports import HOST

_URI = re.compile(r"sips?:(?:(?P<user>[^@;>]+)@)?(?P<host>[^:;>\s]+)(?::(?P<port>\d+))?")
_VIA = re.compile(r"SIP/2\.0/UDP\s+(?P<host>[^:;\s]+)(?::(?P<port>\d+))?", re.IGNORECASE)
_AUDIO = re.compile(r"^m=audio (\d+) ", re.MULTILINE)
_BRANCH = re.compile(r";branch=([^;,\s]+)")


@dataclass(frozen=True)
class Invite:
    """One call that reached the network; its retransmissions are not counted."""

    number: str
    caller: str
    call_id: str
    at: datetime
    monotonic: float
    # Where the caller hears: its port for voice.
    audio_port: int
    # The host in From:.
    host: str = ""
    # What it offers (the body of the INVITE).
    sdp: str = ""


class Exchange(asyncio.DatagramProtocol):
    """`plug(number, port)` gives a number to the phone on that port of 127.0.0.1.

    It has a thread of its own: Asterisk asks every trunk whether it is there, and a test that
    keeps its event loop busy is no reason to be told that it is not.
    """

    def __init__(self, network: Network | None = None) -> None:
        self.network = network or Network()
        self.invites: list[Invite] = []
        # A provider that is away: what comes is lost.
        self.silent = False
        self._phones: dict[str, int] = {}
        # The last INVITE to each number, as it was passed on.
        self._passed_on: dict[str, list[str]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="exchange", daemon=True)

    async def start(self) -> None:
        self._thread.start()
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._open(), self._loop))

    async def stop(self) -> None:
        if self._transport:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._shut(), self._loop))
            self._transport = None
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join)
        self._loop.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    async def _shut(self) -> None:
        assert self._transport
        self._transport.close()
        await self._closed.wait()

    async def _open(self) -> None:
        sock = self.network.udp_socket(HOST)
        self._transport, _ = await self._loop.create_datagram_endpoint(lambda: self, sock=sock)

    @property
    def port(self) -> int:
        """Where Asterisk's trunk sends its calls."""
        assert self._transport, "the exchange is not started"
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def plug(self, number: str, port: int) -> None:
        self._phones[number] = port

    def unplug(self, number: str) -> None:
        self._phones.pop(number, None)

    def calls_to(self, number: str) -> list[Invite]:
        """The calls to a number so far, whether or not a phone was there."""
        return [invite for invite in self.invites if invite.number == number]

    def order(self, number: str, what: str) -> None:
        """Tell the phone of a number what to do with its last call: X-PICK-UP, X-SPEAK, X-HANG-UP.

        The order is a request in that call's dialog, which no phone would get in the world. It has
        the headers of the INVITE, so that SIPp takes them for those of the last message.
        """
        assert number in self._passed_on, f"{number} was never called"
        lines = self._passed_on[number]
        order = [lines[0].replace("INVITE", what, 1), *lines[1:]]
        kept = [line for line in order if not line.lower().startswith("content-")]
        message = "\r\n".join([*kept, "Content-Length: 0"]) + "\r\n\r\n"
        self._loop.call_soon_threadsafe(self._send, message, self._phones[number])

    def forget(self, number: str) -> None:
        """Its calls so far are another test's."""
        self.invites = [invite for invite in self.invites if invite.number != number]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.silent:
            return
        head, _, body = data.decode("latin-1").partition("\r\n\r\n")
        lines = [line for written in head.split("\r\n") for line in _one_via_each(written)]
        if lines[0].startswith("SIP/2.0 "):
            self._response(lines, body)
        elif lines[0].endswith(" SIP/2.0"):
            self._request(lines, body)

    def error_received(self, exc: Exception) -> None:
        """A phone that is plugged in but dead: nothing answers, as in life."""

    def _request(self, lines: list[str], body: str) -> None:
        method, target, _ = lines[0].split(" ", 2)
        uri = _URI.match(target)
        hops = int(_header(lines, "Max-Forwards") or 70)
        if not uri or hops <= 0:
            return
        number, port = uri["user"] or "", int(uri["port"] or 5060)
        if port == self.port:
            if method == "INVITE":
                self._note(lines, number, body)
            if number not in self._phones:
                if method != "ACK":
                    self._send(_not_found(lines), int(_top_via(lines)["port"] or 5060))
                return
            port = self._phones[number]
        lines = [line for line in lines if not line.lower().startswith("max-forwards:")]
        via = f"Via: SIP/2.0/UDP {HOST}:{self.port};branch={_branch(lines)}"
        lines[1:1] = [via, f"Max-Forwards: {hops - 1}"]
        if method == "INVITE":
            self._passed_on[number] = lines
        self._send("\r\n".join(lines) + "\r\n\r\n" + body, port)

    def _response(self, lines: list[str], body: str) -> None:
        """Back along the Vias. SIPp answers here even what the caller sent to it directly."""
        if _top_via(lines)["port"] == str(self.port):
            del lines[_via_index(lines)]
        port = int(_top_via(lines)["port"] or 5060)
        self._send("\r\n".join(lines) + "\r\n\r\n" + body, port)

    def _note(self, lines: list[str], number: str, body: str) -> None:
        call_id = _header(lines, "Call-ID")
        if any(invite.call_id == call_id for invite in self.invites):
            return
        caller = _URI.search(_header(lines, "From"))
        audio = _AUDIO.search(body)
        self.invites.append(
            Invite(
                number=number,
                caller=(caller and caller["user"]) or "",
                call_id=call_id,
                at=datetime.now(UTC),
                monotonic=asyncio.get_running_loop().time(),
                audio_port=int(audio[1]) if audio else 0,
                host=caller["host"] if caller else "",
                sdp=body,
            )
        )

    def _send(self, message: str, port: int) -> None:
        if self._transport:
            self._transport.sendto(message.encode("latin-1"), (HOST, port))


def _one_via_each(line: str) -> list[str]:
    """SIPp answers with all Vias in one line (RFC 3261 7.3.1 allows it)."""
    name, _, value = line.partition(":")
    if name.lower() != "via":
        return [line]
    return [f"Via: {via.strip()}" for via in value.split(",")]


def _header(lines: list[str], name: str) -> str:
    prefix = f"{name.lower()}:"
    found = (line for line in lines if line.lower().startswith(prefix))
    return next(found, "").partition(":")[2].strip()


def _via_index(lines: list[str]) -> int:
    return next(i for i, line in enumerate(lines) if line.lower().startswith("via:"))


def _top_via(lines: list[str]) -> re.Match[str]:
    via = _VIA.search(lines[_via_index(lines)])
    assert via, f"not a Via of SIP over UDP: {lines[_via_index(lines)]}"
    return via


def _branch(lines: list[str]) -> str:
    """The same for an INVITE, its retransmissions, its CANCEL and its ACK (RFC 3261 16.11)."""
    above = _BRANCH.search(lines[_via_index(lines)])
    return "z9hG4bK" + hashlib.sha1((above[1] if above else "").encode()).hexdigest()[:20]


def _not_found(lines: list[str]) -> str:
    kept = [
        line
        for line in lines
        if line.lower().startswith(("via:", "from:", "to:", "call-id:", "cseq:"))
    ]
    kept = [f"{line};tag=exchange" if line.lower().startswith("to:") else line for line in kept]
    return "\r\n".join(["SIP/2.0 404 Not Found", *kept, "Content-Length: 0", "", ""])
