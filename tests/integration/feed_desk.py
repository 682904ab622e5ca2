"""A calendar that a feed fills, the source, and the loop that polls it."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import time_machine

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.feeds.poller import FeedPoller
from telealarm.planning.series import SeriesPlanner
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.dialing import workers
from telealarm.store.engine.database import Database
from telealarm.transports.feed import FeedTransport
from tests.integration.api_client import Api, Reply, id_of
from tests.integration.import_book import calendar
from tests.lab.feed_source import FeedSource

MINUTE = timedelta(minutes=1)


def visit(uid: str, start: str, title: str = "", more: str = "") -> str:
    """A VEVENT of half an hour in 2027, `0104T10` is January 4 at 10:00 in Madrid."""
    day, hour = start.split("T")
    return (
        f"UID:{uid}\nSUMMARY:{title or f'Visit {uid}'}\n"
        f"DTSTART;TZID=Europe/Madrid:2027{day}T{hour}0000\n"
        f"DTEND;TZID=Europe/Madrid:2027{day}T{hour}3000\n{more}"
    )


class Desk:
    """The clinic's calendar, its feed, and a worker that polls."""

    def __init__(
        self,
        api: Api,
        config: Config,
        source: FeedSource,
        clock: time_machine.Traveller,
        calendar_url: str,
        poller: FeedPoller,
    ) -> None:
        self.api = api
        self.config = config
        self.source = source
        self.clock = clock
        self.calendar = calendar_url
        self.poller = poller
        self.feed = ""

    def has(self, *events: str) -> None:
        """The source has these events from now on."""
        self.source.text = calendar(*events)

    async def follow(self, **fields: Any) -> dict[str, Any]:
        """Make the feed, and let it be polled once."""
        body = {
            "name": "Practice",
            "calendar": self.calendar,
            "source_url": fields.pop("source_url", None) or self.source.url,
            "number": "15550101",
            **fields,
        }
        made = await self.api.made("calendar-feed/", body)
        self.feed = made["url"]
        return await self.poll()

    async def poll(self) -> dict[str, Any]:
        """Let all polls that are due take place. Return the feed."""
        await self.poller.step()
        await self.poller.settled()
        return await self.state()

    async def ordering(self, request: Any) -> Reply:
        """A request that waits for the loop, while the loop runs."""
        asked = asyncio.create_task(request)
        while not asked.done():
            await self.poller.step()
            await asyncio.wait([asked], timeout=0.05)
        await self.poller.settled()
        reply: Reply = asked.result()
        return reply

    async def later(self, minutes: int = 15) -> dict[str, Any]:
        """Let time pass, and the polls of then take place."""
        self.clock.shift(minutes * MINUTE)
        return await self.poll()

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.get(self.feed)).body
        return found

    async def calls(self) -> list[str]:
        """What plan/ says is called: when, and which number."""
        await SeriesPlanner(self.api.db).step()
        before = (utcnow() + timedelta(days=300)).isoformat().replace("+00:00", "Z")
        reply = await self.api.get(f"plan/?page_size=1000&before={before}")
        rows = [row for row in reply.body["results"] if row["action"] != "skip"]
        return sorted(f"{row['at'][5:13]} {row['number']}" for row in rows)

    async def events(self) -> dict[str, dict[str, Any]]:
        """The events by title."""
        found = (await self.api.get("event/?page_size=1000")).body["results"]
        return {event["title"]: event for event in found}

    async def alarms(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        path = f"alarm/?event={id_of(event['url'])}"
        found: list[dict[str, Any]] = (await self.api.get(path)).body["results"]
        return found


async def poller(
    config: Config, db: Database, name: str = "one", allow: Collection[str] = ("127.0.0.0/8",)
) -> FeedPoller:
    """A worker's loop, that may reach these networks beside the public ones."""
    holder = await db.write(workers.enter, name, utcnow(), timedelta(seconds=30))
    return FeedPoller(config, db, holder, FeedTransport(UrlGuard(allow)))
