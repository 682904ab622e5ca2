"""AMI through panoramisk: the state of the trunks, and messages.

AMI never originates a call here, because panoramisk would repeat the action after a reconnect. The
state of a trunk is the state of its PJSIP endpoint (of its contacts, if they are qualified) and of
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

# Events report each change at once. The poll finds changes whose events were lost.
POLL_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
# After each of these events the trunks are read again.
CHANGES = ("ContactStatus", "PeerStatus", "Registry", "Reload")
# The status of a contact that has not answered its first OPTIONS yet.
_NOT_ASKED = "NonQualified"
# Switches panoramisk's ping off: the polls show well enough whether Asterisk is alive.
_NEVER = 10**6


class AmiError(TeleAlarmError):
    """Asterisk's manager interface did not answer."""

    code = "ami"


@dataclass(frozen=True)
class TrunkStatus:
    """The state of a trunk. `why` explains "down" and "unknown"."""

    state: TrunkState
    why: str = ""


Notify = Callable[[Mapping[str, TrunkStatus]], Awaitable[None]]


class _Connection(Manager):  # type: ignore[misc]
    """One connection. panoramisk's own reconnect would repeat unanswered actions."""

    def __init__(self, changed: asyncio.Event, **config: Any) -> None:
        super().__init__(loop=asyncio.get_running_loop(), ping_delay=_NEVER, **config)
        self.changed = changed
        self.lost = False
        for name in CHANGES:
            self.register_event(name, self._on_change)

    def connection_lost(self, exc: object) -> None:
        self.lost = True
        if self.pinger:
            self.pinger.cancel()
        self.changed.set()

    async def send_awaiting_actions(self, *_: object) -> None:
        """Repeat nothing: each action is sent once."""

    def _on_change(self, manager: object, event: object) -> None:
        self.changed.set()


class Ami:
    """Reads the states of `trunks` again and again, and awaits `notify` with all of them."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        user: str,
        password: str,
        timeout_seconds: float,
        trunks: Sequence[str],
        notify: Notify,
    ) -> None:
        self._host, self._port = host, port
        self._login = {"username": user, "secret": password, "events": "system"}
        self._timeout = timeout_seconds
        self._trunks = trunks
        self._notify = notify
        # Why AMI cannot be used; None if it can.
        self.trouble: str | None = "connecting"
        self.trunks: Mapping[str, TrunkStatus] = {}
        self._connection: _Connection | None = None

    async def run(self) -> None:
        """Read the states until cancelled, and reconnect as often as needed."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._poll()
            except (AmiError, OSError, TimeoutError) as error:
                reason = str(error) or f"no answer within {self._timeout:g} s"
                if self.trouble is None:
                    pause = FIRST_PAUSE
                if reason != self.trouble:
                    log.warning("AMI at %s:%d: %s", self._host, self._port, reason)
                self.trouble = reason
            except Exception:
                log.exception("AMI at %s:%d failed", self._host, self._port)
                self.trouble = "AMI failed; see the log"
            await self._publish(
                {name: TrunkStatus(TrunkState.UNKNOWN, "AMI is away") for name in self._trunks}
            )
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def check(self) -> None:
        """Log in once. Raises AmiError with what to change, OSError, or TimeoutError."""
        connection = await self._connect(asyncio.Event())
        connection.close()

    async def action(self, name: str, **fields: str) -> Mapping[str, str]:
        """Send an action once. Return Asterisk's answer, its keys in lower case.

        Raises TransportError: temporary if Asterisk is not reached, permanent if it refuses, and
        unknown if no answer comes.
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
        answer = {str(key).lower(): str(value) for key, value in message.items()}
        if not message.success:
            raise TransportError(f"{name}: {answer.get('message', 'refused')}", permanent=True)
        return answer

    async def _poll(self) -> None:
        changed = asyncio.Event()
        connection = self._connection = await self._connect(changed)
        try:
            while not connection.lost:
                changed.clear()
                states = await self._query(connection)
                self.trouble = None
                await self._publish(states)
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await changed.wait()
            raise AmiError("the connection was lost")
        finally:
            connection.close()

    async def _connect(self, changed: asyncio.Event) -> _Connection:
        connection = _Connection(changed, host=self._host, port=self._port, **self._login)
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

    async def _publish(self, states: Mapping[str, TrunkStatus]) -> None:
        for name, trunk in states.items():
            if trunk != self.trunks.get(name):
                log.info("trunk %s is %s %s", name, trunk.state, trunk.why)
        self.trunks = states
        await self._notify(states)

    async def _query(self, connection: _Connection) -> dict[str, TrunkStatus]:
        registrations = await self._ask(connection, "PJSIPShowRegistrationsOutbound")
        states = {}
        for name in self._trunks:
            endpoint = await self._ask(connection, "PJSIPShowEndpoint", Endpoint=name)
            states[name] = _state(name, endpoint, registrations)
            if states[name].state == TrunkState.DOWN and _not_asked(endpoint):
                # After its restart Asterisk would qualify the trunk only within qualify_frequency.
                await self._ask(connection, "PJSIPQualify", Endpoint=name)
        return states

    async def _ask(self, connection: _Connection, action: str, **more: str) -> list[Any]:
        """Return the answer and its events. Raises AmiError if the connection is lost."""
        if connection.lost:
            raise AmiError("the connection was lost")
        async with asyncio.timeout(self._timeout):
            answer = await connection.send_action({"Action": action, **more})
        return answer if isinstance(answer, list) else [answer]


def _contacts(endpoint: Sequence[Any]) -> list[Any]:
    return [event for event in endpoint if event.event == "ContactStatusDetail"]


def _not_asked(endpoint: Sequence[Any]) -> bool:
    """Return whether Asterisk itself does not know yet if a contact answers."""
    return any(event.status == _NOT_ASKED for event in _contacts(endpoint))


def _status_text(status: str) -> str:
    return "being asked" if status == _NOT_ASKED else status.lower()


def _state(name: str, endpoint: Sequence[Any], registrations: Sequence[Any]) -> TrunkStatus:
    """Return the state of a trunk, from the events of its endpoint and of all registrations."""
    detail = next((event for event in endpoint if event.event == "EndpointDetail"), None)
    if detail is None:
        return TrunkStatus(TrunkState.DOWN, f"Asterisk knows no PJSIP endpoint {name!r}")
    if detail.devicestate in ("Unavailable", "Invalid"):
        reason = ", ".join(
            f"{event.uri} is {_status_text(event.status)}" for event in _contacts(endpoint)
        )
        return TrunkStatus(TrunkState.DOWN, reason or "it has no contact")
    for event in registrations:
        is_its = event.event == "OutboundRegistrationDetail" and event.endpoint == name
        if is_its and event.status != "Registered":
            reason = f"its registration {event.objectname} at {event.serveruri}"
            return TrunkStatus(TrunkState.DOWN, f"{reason} is {event.status.lower()}")
    return TrunkStatus(TrunkState.UP)
