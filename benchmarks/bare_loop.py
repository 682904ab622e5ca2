"""The peer of benchmarks.calls: a bare ARI loop on aiohttp, which stores nothing.

Usage: python -m benchmarks.bare_loop --ari URL --user U --password P --media M [--shape S]

`bare`: originate into Stasis, play, one key, hang up. `same`: all that TeleAlarm asked Asterisk for
on 2026-11-29: originate into the dialplan of that day (lab/same.conf), endpoint subscription, play,
stop at the key, a goodbye (--goodbye), unsubscribe, hang up. `same` stays as it was on that day,
because it is the yardstick: do not change what it asks. `dialplan`: the fewest requests for the
same call by today's dialplan. Prints one line of JSON: when calls ended, CPU, events, requests.
"""

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Coroutine
from typing import Any

import aiohttp

APP = "bare"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ari", required=True, help="like http://127.0.0.1:8088")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--media", required=True, help="what is played, like sound:/x")
    parser.add_argument("--goodbye", default="", help="what `same` plays after the key")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--start", type=float, default=0.0, help="Unix time of the first call")
    parser.add_argument("--prefix", default="9", help="of the numbers")
    parser.add_argument("--shape", choices=tuple(SHAPES), default="bare")
    parser.add_argument("--timeout", type=float, default=100, help="seconds")
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    login = {"Authorization": aiohttp.encode_basic_auth(given.user, given.password)}
    connector = aiohttp.TCPConnector(limit=given.connections, keepalive_timeout=5)
    async with aiohttp.ClientSession(headers=login, connector=connector) as http:
        loop = SHAPES[given.shape](http, given)
        async with http.ws_connect(f"{given.ari}/ari/events", params={"app": APP}) as socket:
            await loop.prepare()
            await asyncio.sleep(max(0, given.start - time.time()))
            began, before = time.time(), _cpu_ms()
            for n in range(given.calls):
                loop.spawn(loop.originate(n))
            try:
                async with asyncio.timeout(given.timeout):
                    async for message in socket:
                        loop.hear(json.loads(message.data))
                        if len(loop.ends) >= given.calls:
                            break
            except TimeoutError:
                loop.counts["timeout"] = 1
            await loop.finish()
            used = _cpu_ms() - before
    print(json.dumps({"began": began, "ends": loop.ends, "cpu_ms": used, **loop.counts}))


def _cpu_ms() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1000


class Bare:
    """Originates into Stasis, plays, hears one key and hangs up."""

    ended_by = "StasisEnd"

    def __init__(self, http: aiohttp.ClientSession, given: argparse.Namespace) -> None:
        self.counts = {"events": 0, "requests": 0, "keys": 0, "bad": 0}
        self.ends: list[float] = []
        self.given = given
        self._http = http
        self._tasks: set[asyncio.Task[None]] = set()
        self._pressed: set[str] = set()

    async def ask(self, method: str, path: str, **options: Any) -> int:
        """Return the status of an ARI request."""
        self.counts["requests"] += 1
        url = f"{self.given.ari}/ari/{path}"
        async with self._http.request(method, url, **options) as reply:
            await reply.read()
            if reply.status >= 400 and reply.status != 404:
                self.counts["bad"] += 1
            return reply.status

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do it beside the reading of events."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def prepare(self) -> None:
        """Ask what is asked once, before the first call."""

    async def finish(self) -> None:
        """Wait for the requests that are under way."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def originate(self, n: int) -> None:
        body = {
            "endpoint": f"PJSIP/{self.given.prefix}{n:07}@trunk",
            "timeout": 30,
            "channelId": f"bare-{self.given.prefix}-{n:07}",
            "callerId": '"Clinic" <123456>',
        }
        if await self.ask("POST", "channels", json=body | self.destination()) >= 300:
            self.ends.append(time.time())

    def destination(self) -> dict[str, Any]:
        return {"app": APP}

    def hear(self, event: dict[str, Any]) -> None:
        """Do what follows from an event."""
        self.counts["events"] += 1
        kind = event["type"]
        if kind == "StasisStart":
            self.begin(event["channel"]["id"])
        elif kind == "ChannelDtmfReceived":
            channel = event["channel"]["id"]
            if channel not in self._pressed:
                self._pressed.add(channel)
                self.counts["keys"] += 1
                self.spawn(self.cut(channel))
        elif kind == "PlaybackFinished" and event["playback"]["id"].startswith("g-"):
            self.spawn(self.ask("DELETE", f"channels/{event['playback']['id'][2:]}"))
        elif kind == self.ended_by:
            self.ends.append(time.time())

    def begin(self, channel: str) -> None:
        """A callee has answered."""
        play = f"channels/{channel}/play/p-{channel}"
        self.spawn(self.ask("POST", play, json={"media": [self.given.media]}))

    async def cut(self, channel: str) -> None:
        """A callee has pressed a key."""
        await self.ask("DELETE", f"channels/{channel}")


class Dialplan(Bare):
    """Calls by the dialplan as TeleAlarm does, with a goodbye, and asks for nothing else."""

    def destination(self) -> dict[str, Any]:
        return {
            "context": "telealarm-out",
            "extension": "s",
            "priority": 1,
            "variables": {"TELEALARM_APP": APP},
        }

    async def cut(self, channel: str) -> None:
        await self.ask("DELETE", f"playbacks/p-{channel}")
        goodbye = f"channels/{channel}/play/g-{channel}"
        await self.ask("POST", goodbye, json={"media": [self.given.goodbye]})


class Same(Bare):
    """Asks Asterisk for all that TeleAlarm asked for on 2026-11-29. It stays as it is."""

    ended_by = "ChannelDestroyed"

    async def prepare(self) -> None:
        source = {"eventSource": "endpoint:PJSIP"}
        await self.ask("POST", f"applications/{APP}/subscription", params=source)

    def destination(self) -> dict[str, Any]:
        return {
            "context": "same-2026-11-29",
            "extension": "s",
            "priority": 1,
            "variables": {"TELEALARM_APP": APP},
        }

    def begin(self, channel: str) -> None:
        super().begin(channel)
        source = {"eventSource": f"channel:{channel}"}
        self.spawn(self.ask("DELETE", f"applications/{APP}/subscription", params=source))

    async def cut(self, channel: str) -> None:
        limit = {"variable": "TIMEOUT(absolute)", "value": "15"}
        await asyncio.gather(
            self.ask("DELETE", f"playbacks/p-{channel}"),
            self.ask("POST", f"channels/{channel}/variable", json=limit),
        )
        goodbye = f"channels/{channel}/play/g-{channel}"
        await self.ask("POST", goodbye, json={"media": [self.given.goodbye]})


SHAPES = {"bare": Bare, "same": Same, "dialplan": Dialplan}

if __name__ == "__main__":
    main()
