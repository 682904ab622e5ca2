"""The peer of P1 and P2: a bare ARI loop on aiohttp. Nothing is stored.

Usage: python bare_loop.py --ari http://127.0.0.1:8088 --user U --password P --media sound:/x \
           [--calls 1000] [--connections 32] [--start UNIXTIME] [--prefix 9] [--shape bare|same]

`bare`: originate into Stasis, play, one key, hang up. `same`: what TeleAlarm asks Asterisk for:
originate into the dialplan telealarm-out, endpoint subscription, play, stop at the key, a goodbye
(--goodbye), unsubscribe, hang up; still nothing is stored. Prints one line of JSON: ends of calls,
CPU, events, requests.
"""

import argparse
import asyncio
import json
import resource
import time

import aiohttp

ARGS = argparse.ArgumentParser()
ARGS.add_argument("--ari", required=True)
ARGS.add_argument("--user", required=True)
ARGS.add_argument("--password", required=True)
ARGS.add_argument("--media", required=True)
ARGS.add_argument("--goodbye", default="")
ARGS.add_argument("--calls", type=int, default=1000)
ARGS.add_argument("--connections", type=int, default=32)
ARGS.add_argument("--start", type=float, default=0.0)
ARGS.add_argument("--prefix", default="9")
ARGS.add_argument("--shape", default="bare")
ARGS.add_argument("--timeout", type=float, default=100)
APP = "bare"


async def main() -> None:
    given = ARGS.parse_args()
    login = aiohttp.BasicAuth(given.user, given.password)
    connector = aiohttp.TCPConnector(limit=given.connections, keepalive_timeout=5)
    seen = {"events": 0, "requests": 0, "keys": 0, "bad": 0}
    ends: list[float] = []
    asyncio.Event()
    same = given.shape == "same"
    async with aiohttp.ClientSession(auth=login, connector=connector) as http:

        async def ask(method: str, path: str, **kw: object) -> int:
            seen["requests"] += 1
            async with http.request(method, f"{given.ari}/ari/{path}", **kw) as reply:
                await reply.read()
                if reply.status >= 400 and reply.status != 404:
                    seen["bad"] += 1
                return reply.status

        tasks: set[asyncio.Task] = set()

        def go(coro) -> None:
            task = asyncio.create_task(coro)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        async def originate(n: int) -> None:
            body = {
                "endpoint": f"PJSIP/{given.prefix}{n:07}@trunk",
                "timeout": 30,
                "channelId": f"bare-{given.prefix}-{n:07}",
                "callerId": '"Clinic" <123456>',
            }
            if same:
                body |= {
                    "context": "telealarm-out",
                    "extension": "s",
                    "priority": 1,
                    "variables": {"TELEALARM_APP": APP},
                }
            else:
                body |= {"app": APP}
            if await ask("POST", "channels", json=body) >= 300:
                ends.append(time.time())

        async def cut(channel: str) -> None:
            if not same:
                await ask("DELETE", f"channels/{channel}")
                return
            await asyncio.gather(
                ask("DELETE", f"playbacks/p-{channel}"),
                ask(
                    "POST",
                    f"channels/{channel}/variable",
                    json={"variable": "TIMEOUT(absolute)", "value": "15"},
                ),
            )
            await ask(
                "POST", f"channels/{channel}/play/g-{channel}", json={"media": [given.goodbye]}
            )

        async with http.ws_connect(f"{given.ari}/ari/events", params={"app": APP}) as socket:
            if same:
                await ask(
                    "POST",
                    f"applications/{APP}/subscription",
                    params={"eventSource": "endpoint:PJSIP"},
                )
            await asyncio.sleep(max(0, given.start - time.time()))
            began, cpu = time.time(), resource.getrusage(resource.RUSAGE_SELF)
            for n in range(given.calls):
                go(originate(n))
            cut_already: set[str] = set()
            try:
                async with asyncio.timeout(given.timeout):
                    async for message in socket:
                        event = json.loads(message.data)
                        seen["events"] += 1
                        kind = event["type"]
                        if kind == "StasisStart":
                            channel = event["channel"]["id"]
                            go(
                                ask(
                                    "POST",
                                    f"channels/{channel}/play/p-{channel}",
                                    json={"media": [given.media]},
                                )
                            )
                            if same:
                                go(
                                    ask(
                                        "DELETE",
                                        f"applications/{APP}/subscription",
                                        params={"eventSource": f"channel:{channel}"},
                                    )
                                )
                        elif kind == "ChannelDtmfReceived":
                            channel = event["channel"]["id"]
                            if channel not in cut_already:
                                cut_already.add(channel)
                                seen["keys"] += 1
                                go(cut(channel))
                        elif kind == "PlaybackFinished" and event["playback"]["id"].startswith(
                            "g-"
                        ):
                            go(ask("DELETE", f"channels/{event['playback']['id'][2:]}"))
                        elif kind == "ChannelDestroyed" or (kind == "StasisEnd" and not same):
                            if kind == "StasisEnd" or same:
                                ends.append(time.time())
                        if len(ends) >= given.calls:
                            break
            except TimeoutError:
                seen["timeout"] = 1
            if tasks:
                await asyncio.wait(tasks, timeout=5)
            spent = resource.getrusage(resource.RUSAGE_SELF)
    used = (spent.ru_utime + spent.ru_stime - cpu.ru_utime - cpu.ru_stime) * 1000
    print(json.dumps({"began": began, "ends": ends, "cpu_ms": used, **seen}))


asyncio.run(main())
