"""AMI by panoramisk: how the trunks are, and messages. It never originates, since it would replay.

The state of a trunk is that of its PJSIP endpoint (its contacts, where they are qualified) and of
the outbound registrations that name it (`line = yes`, `endpoint = <trunk>`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from telealarm.errors import TeleAlarmError, TransportError
from telealarm.words import TrunkState

log = logging.getLogger(__name__)

# Events say at once that something changed; this is for those that were lost.
POLL_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
# What is followed by a look at the trunks.
NEWS = ("ContactStatus", "PeerStatus", "Registry", "Reload")
# Of a contact whose first answer is still to come.
_NOT_ASKED = "NonQualified"
# panoramisk's ping; our questions show well enough whether the other end lives.
_NEVER = 10**6


class AmiError(TeleAlarmError):
    """Asterisk's manager interface did not answer."""

    code = "ami"


@dataclass(frozen=True)
class Trunk:
    """How a trunk is; `why` it is down, or not known."""

    state: TrunkState
    why: str = ""


Told = Callable[[Mapping[str, Trunk]], Awaitable[None]]


class _Connection(Manager):  # type: ignore[misc]
    """One connection. panoramisk's own way to connect again would replay what had no answer."""

    def __init__(self, news: asyncio.Event, **config: Any) -> None:
        super().__init__(loop=asyncio.get_running_loop(), ping_delay=_NEVER, **config)
        self.news = news
        self.lost = False
        for name in NEWS:
            self.register_event(name, self._tell)

    def connection_lost(self, exc: object) -> None:
        self.lost = True
        if self.pinger:
            self.pinger.cancel()
        self.news.set()

    async def send_awaiting_actions(self, *_: object) -> None:
        """There are none: each question is asked once."""

    def _tell(self, manager: object, event: object) -> None:
        self.news.set()


class Ami:
    """Watches `trunks`, and calls `told` with the state of all of them after each look."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        timeout_seconds: float,
        trunks: Sequence[str],
        told: Told,
    ) -> None:
        self._host, self._port = host, port
        self._login = {"username": user, "secret": password, "events": "system"}
        self._timeout = timeout_seconds
        self._trunks = trunks
        self._told = told
        # Why AMI cannot be asked, None where it can.
        self.trouble: str | None = "connecting"
        self.trunks: Mapping[str, Trunk] = {}
        self._connection: _Connection | None = None

    async def run(self) -> None:
        """Watch for ever, connecting again as often as needed."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._watch()
            except (AmiError, OSError, TimeoutError) as error:
                said = str(error) or f"no answer within {self._timeout:g} s"
                if self.trouble is None:
                    pause = FIRST_PAUSE
                if said != self.trouble:
                    log.warning("AMI at %s:%d: %s", self._host, self._port, said)
                self.trouble = said
            except Exception:
                log.exception("AMI at %s:%d failed", self._host, self._port)
                self.trouble = "it failed; the log says why"
            await self._tell(
                {name: Trunk(TrunkState.UNKNOWN, "AMI is away") for name in self._trunks}
            )
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def check(self) -> None:
        """Log in once. Raises AmiError with what to change, OSError, or TimeoutError."""
        connection = await self._connect(asyncio.Event())
        connection.close()

    async def action(self, name: str, **fields: str) -> Mapping[str, str]:
        """Order something, once; Asterisk's answer, its keys in small letters.

        Raises TransportError: temporary where Asterisk is not reached, permanent where it says
        no, unknown where the answer does not come.
        """
        for key, value in fields.items():
            if "\r" in value or "\n" in value:
                raise TransportError(f"{key} must be one line", permanent=True)
        connection = self._connection
        if connection is None or connection.lost:
            raise TransportError(f"AMI is away: {self.trouble or 'the connection was lost'}")
        try:
            async with asyncio.timeout(self._timeout):
                message = await connection.send_action({"Action": name, **fields})
        except TimeoutError:
            raise TransportError(f"Asterisk did not answer {name}", unknown=True) from None
        said = {str(key).lower(): str(value) for key, value in message.items()}
        if not message.success:
            raise TransportError(f"{name}: {said.get('message', 'refused')}", permanent=True)
        return said

    async def _watch(self) -> None:
        news = asyncio.Event()
        connection = self._connection = await self._connect(news)
        try:
            while not connection.lost:
                news.clear()
                found = await self._look(connection)
                self.trouble = None
                await self._tell(found)
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await news.wait()
            raise AmiError("the connection was lost")
        finally:
            connection.close()

    async def _connect(self, news: asyncio.Event) -> _Connection:
        connection = _Connection(news, host=self._host, port=self._port, **self._login)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout):
            opened = loop.create_future()
            opened.set_result(await loop.create_connection(AMIProtocol, self._host, self._port))
            connection.connection_made(opened)
            try:
                answer = await connection.authenticated_future
            except BaseException:
                connection.close()
                raise
        if not answer.success:
            connection.close()
            raise AmiError(
                "Asterisk refuses the login; correct asterisk.ami.user and asterisk.ami.password,"
                " or manager.conf"
            )
        return connection

    async def _tell(self, found: Mapping[str, Trunk]) -> None:
        for name, trunk in found.items():
            if trunk != self.trunks.get(name):
                log.info("trunk %s is %s %s", name, trunk.state, trunk.why)
        self.trunks = found
        await self._told(found)

    async def _look(self, connection: _Connection) -> dict[str, Trunk]:
        registrations = await self._ask(connection, "PJSIPShowRegistrationsOutbound")
        found = {}
        for name in self._trunks:
            endpoint = await self._ask(connection, "PJSIPShowEndpoint", Endpoint=name)
            found[name] = _state(name, endpoint, registrations)
            if found[name].state == TrunkState.DOWN and _not_asked(endpoint):
                # A restarted Asterisk would ask the trunk some time within qualify_frequency.
                await self._ask(connection, "PJSIPQualify", Endpoint=name)
        return found

    async def _ask(self, connection: _Connection, action: str, **more: str) -> list[Any]:
        """The answer and its events. Raises AmiError where the connection is gone."""
        if connection.lost:
            raise AmiError("the connection was lost")
        async with asyncio.timeout(self._timeout):
            answer = await connection.send_action({"Action": action, **more})
        return answer if isinstance(answer, list) else [answer]


def _contacts(endpoint: Sequence[Any]) -> list[Any]:
    return [one for one in endpoint if one.event == "ContactStatusDetail"]


def _not_asked(endpoint: Sequence[Any]) -> bool:
    """Whether Asterisk itself does not know yet if a contact of the endpoint answers."""
    return any(one.status == _NOT_ASKED for one in _contacts(endpoint))


def _said(status: str) -> str:
    return "being asked" if status == _NOT_ASKED else status.lower()


def _state(name: str, endpoint: Sequence[Any], registrations: Sequence[Any]) -> Trunk:
    """How a trunk is, by the events about its endpoint and about all registrations."""
    detail = next((one for one in endpoint if one.event == "EndpointDetail"), None)
    if detail is None:
        return Trunk(TrunkState.DOWN, f"Asterisk knows no PJSIP endpoint {name!r}")
    if detail.devicestate in ("Unavailable", "Invalid"):
        said = ", ".join(f"{one.uri} is {_said(one.status)}" for one in _contacts(endpoint))
        return Trunk(TrunkState.DOWN, said or "it has no contact")
    for one in registrations:
        is_its = one.event == "OutboundRegistrationDetail" and one.endpoint == name
        if is_its and one.status != "Registered":
            said = f"its registration {one.objectname} at {one.serveruri}"
            return Trunk(TrunkState.DOWN, f"{said} is {one.status.lower()}")
    return Trunk(TrunkState.UP)
