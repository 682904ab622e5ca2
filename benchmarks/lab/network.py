"""What the measurements of lateness share: Asterisk, a network that notes INVITEs, the service.

No phone is there: the network answers each call with 404 as soon as it has noted it.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from benchmarks.lab.databases import databases
from benchmarks.lab.rig import quiet_asterisk
from benchmarks.lab.service import Service, open_service
from tests.lab.asterisk import Asterisk
from tests.lab.exchange import Exchange, Invite


class Counter(Exchange):
    """The lab's network, quick enough for ten thousand calls: a set has those noted so far."""

    def __init__(self) -> None:
        super().__init__()
        self._noted: set[str] = set()

    def _note(self, lines: list[str], number: str, body: str) -> None:
        call_id = next(line for line in lines if line.lower().startswith("call-id:"))
        if call_id in self._noted:
            return
        self._noted.add(call_id)
        earlier, self.invites = self.invites, []
        super()._note(lines, number, body)
        earlier += self.invites
        self.invites = earlier


@dataclass(frozen=True)
class Network:
    """Everything started."""

    exchange: Exchange
    asterisk: Asterisk
    service: Service
    _http: aiohttp.ClientSession

    def calls_to(self, prefix: str) -> list[Invite]:
        """Return the INVITEs so far to numbers that begin with `prefix`, in order."""
        return [invite for invite in self.exchange.invites if invite.number.startswith(prefix)]

    async def originate(self, number: str) -> None:
        """Call by ARI, without TeleAlarm."""
        body = {
            "endpoint": f"PJSIP/{number}@trunk",
            "context": "telealarm-out",
            "extension": "s",
            "priority": 1,
        }
        async with self._http.post(f"{self.asterisk.ari_url}/ari/channels", json=body) as reply:
            await reply.read()


@asynccontextmanager
async def network(database: str) -> AsyncIterator[Network]:
    """Start everything, with a clinic that can make appointments; end it afterwards."""
    async with AsyncExitStack() as stack:
        exchange = Counter()
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        asterisk = quiet_asterisk(exchange.port)
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        storage = await stack.enter_async_context(databases(database))
        service = await open_service(stack, asterisk, database=storage.new())
        login = aiohttp.encode_basic_auth(asterisk.ari_user, asterisk.ari_password)
        http = aiohttp.ClientSession(headers={"Authorization": login})
        await stack.enter_async_context(http)
        yield Network(exchange, asterisk, service, http)
