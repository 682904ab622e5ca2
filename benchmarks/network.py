"""What the benchmarks of dialing share: an Asterisk, a network that notes each INVITE, a clinic.

No phone is plugged in: the network answers each call with 404 as soon as it has noted it.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.lab.asterisk import Asterisk
from tests.lab.clinic import Clinic
from tests.lab.exchange import Exchange
from tests.lab.rest import Rest
from tests.lab.serve import Serve

LOGIN = ("benchmark", "correct horse battery")


@dataclass
class Network:
    exchange: Exchange
    asterisk: Asterisk
    serve: Serve
    clinic: Clinic
    http: aiohttp.ClientSession

    async def originate(self, number: str) -> None:
        """Call by ARI, without TeleAlarm."""
        url = f"{self.asterisk.ari_url}/ari/channels"
        body = {
            "endpoint": f"PJSIP/{number}@trunk",
            "context": "telealarm-out",
            "extension": "s",
            "priority": 1,
        }
        async with self.http.post(url, json=body) as reply:
            await reply.read()


@asynccontextmanager
async def network(database: str | None) -> AsyncIterator[Network]:
    """Everything started, with a clinic that can make appointments."""
    async with AsyncExitStack() as stack:
        exchange = Exchange()
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        asterisk = Asterisk(exchange.port)
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        serve = Serve(asterisk, database=database)
        stack.push_async_callback(serve.stop)
        await serve.user_add(*LOGIN)
        await serve.start()
        clinic = Clinic(await stack.enter_async_context(Rest(serve.url, *LOGIN)))
        await clinic.open(sms_url="http://127.0.0.1:9/")
        login = aiohttp.encode_basic_auth(asterisk.ari_user, asterisk.ari_password)
        http = aiohttp.ClientSession(headers={"Authorization": login})
        yield Network(exchange, asterisk, serve, clinic, await stack.enter_async_context(http))
