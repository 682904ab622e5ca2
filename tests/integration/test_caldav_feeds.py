"""A CalDAV feed on a real Radicale: it is read, moved and told the answers."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
import time_machine
from aiohttp import web

from telealarm.api.rest import ordered
from telealarm.clock import utcnow
from telealarm.config.model import Config, WebhooksConfig
from telealarm.feeds import poll as polls
from telealarm.models import Alarm, CalendarFeedItem
from telealarm.store.outcome import answers
from telealarm.words import AlarmResult, AlarmStatus
from tests.integration.api_client import Api, clinic, id_of
from tests.integration.feed_desk import Desk, poller, visit
from tests.lab.feed_source import FeedSource
from tests.lab.radicale_server import PASSWORD, USER, RadicaleCalendar, RadicaleServer
from tests.lab.speed import limit
from tests.lab.waiting import until

ANN = "ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION:tel:+34600100201\n"


@pytest.fixture
def config(config: Config) -> Config:
    allowed = WebhooksConfig(allow=["127.0.0.0/8"])  # type: ignore[list-item]
    return config.model_copy(update={"webhooks": allowed})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RadicaleServer]:
    made = RadicaleServer(tmp_path_factory.mktemp("radicale"))
    yield made
    made.child.signal(signal.SIGKILL)
    made.child.wait_for(limit(10))


@pytest_asyncio.fixture
async def radicale(server: RadicaleServer) -> AsyncIterator[RadicaleCalendar]:
    calendar = RadicaleCalendar(server)
    await calendar.start()
    yield calendar
    await calendar.stop()


@pytest_asyncio.fixture
async def desk(
    clock: time_machine.Traveller, api: Api, config: Config, radicale: RadicaleCalendar
) -> AsyncIterator[Desk]:
    made = await clinic(api, timezone="Europe/Madrid")
    loop = await poller(config, api.db)
    desk = Desk(api, config, FeedSource(), clock, made.calendar, loop)
    for day in ("0104", "0105", "0106"):
        await radicale.put(day, visit(day, f"{day}T10", more=ANN))
    yield desk
    await loop.settled()
    await loop.close()


def event_of(resource: str) -> str:
    """The lines of the VEVENT, without BEGIN, END and DTSTAMP."""
    inside = resource.split("BEGIN:VEVENT")[1].split("END:VEVENT")[0]
    return "\n".join(line for line in inside.splitlines() if not line.startswith("DTSTAMP"))


async def follow(desk: Desk, radicale: RadicaleCalendar, **fields: Any) -> dict[str, Any]:
    return await desk.follow(
        source_url=radicale.url, kind="caldav", username=USER, password=PASSWORD, **fields
    )


async def test_a_radicale_that_changes_is_followed_within_one_poll(
    desk: Desk, radicale: RadicaleCalendar
) -> None:
    feed = await follow(desk, radicale)
    assert (feed["state"], feed["events"]) == ("ok", 3), feed["error"]
    assert feed["etag"]
    await radicale.put("0104", visit("0104", "0104T16"))
    await radicale.put("0105", visit("0105", "0105T10", more="STATUS:CANCELLED\n"))
    await radicale.delete("0106")
    await radicale.put("0107", visit("0107", "0107T09"))
    feed = await desk.later()
    assert (feed["state"], feed["events"]) == ("ok", 2)
    assert await desk.calls() == ["01-04T16 15550101", "01-07T09 15550101"]
    assert (await desk.later())["last_success"] == (await desk.state())["last_poll"]
    await desk.api.patch(desk.feed, {"password": "wrong"})
    feed = await desk.poll()
    assert (feed["state"], "refuses the login" in feed["error"]) == ("failing", True)


async def test_a_move_is_written_at_the_source_first(
    desk: Desk, radicale: RadicaleCalendar
) -> None:
    await follow(desk, radicale)
    event = (await desk.events())["Visit 0104"]
    asked = {"start": "2027-01-04 12:00", "end": "2027-01-04 12:30"}
    reply = await desk.ordering(desk.api.patch(event["url"], asked))
    assert reply.status == 200, reply.text
    assert reply.body["start"] == "2027-01-04T12:00:00+01:00"
    there = await radicale.get("0104")
    assert "DTSTART;TZID=Europe/Madrid:20270104T120000" in there
    assert "DTEND;TZID=Europe/Madrid:20270104T123000" in there
    assert "ATTENDEE;CN=Ann" in there
    assert (await desk.calls())[0] == "01-04T12 15550101"
    audit = (await desk.api.get("audit/?resource=event&who=manager")).body["results"]
    assert [row["changes"]["start"][1][:16] for row in audit] == ["2027-01-04T11:00"]
    # Our own write is no news.
    before = len((await desk.api.get("audit/?page_size=1000")).body["results"])
    assert (await desk.later())["state"] == "ok"
    assert len((await desk.api.get("audit/?page_size=1000")).body["results"]) == before

    # The source has moved it meanwhile: it refuses, and nothing changes here.
    await radicale.put("0104", visit("0104", "0104T17"))
    reply = await desk.ordering(desk.api.patch(event["url"], {"start": "2027-01-04 09:00"}))
    assert (reply.status, "already" in reply.text) == (409, True)
    assert (await desk.calls())[0] == "01-04T12 15550101"
    assert "T170000" in await radicale.get("0104")
    await desk.later()
    assert (await desk.calls())[0] == "01-04T17 15550101"
    # What is not a move is still the source's.
    for change in ({"title": "x"}, {"title": "x", "start": "2027-01-04 09:00"}):
        assert (await desk.api.patch(event["url"], change)).status == 400
    both = {"start": "2027-01-04 09:00", "description": "ours"}
    assert "description" in (await desk.api.patch(event["url"], both)).body


async def test_without_an_answer_nothing_is_changed(
    desk: Desk, radicale: RadicaleCalendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    await follow(desk, radicale)
    event = (await desk.events())["Visit 0104"]
    monkeypatch.setattr(ordered, "WAIT_SECONDS", 0.3)
    # No loop runs.
    reply = await desk.api.patch(event["url"], {"start": "2027-01-04 09:00"})
    assert (reply.status, "Nothing was changed" in reply.text) == (503, True)
    await desk.poll()
    assert (await desk.calls())[0] == "01-04T10 15550101"
    assert "T100000" in await radicale.get("0104")
    monkeypatch.undo()
    await desk.api.patch(desk.feed, {"source_url": "http://127.0.0.1:9/gone/", "password": "x"})

    def leads_nowhere() -> None:
        CalendarFeedItem.update(href="http://127.0.0.1:9/gone/0104.ics").execute()

    await desk.api.db.write(leads_nowhere)
    reply = await desk.ordering(desk.api.patch(event["url"], {"start": "2027-01-04 09:00"}))
    assert (reply.status, "not reached" in reply.text) == (503, True)
    assert (await desk.calls())[0] == "01-04T10 15550101"


async def test_a_poll_that_began_before_a_move_does_not_undo_it(
    desk: Desk, radicale: RadicaleCalendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    await follow(desk, radicale)
    event = (await desk.events())["Visit 0104"]
    fetched, go_on = asyncio.Event(), asyncio.Event()
    original = polls.mirror

    async def late(*args: Any, **options: Any) -> Any:
        fetched.set()
        await go_on.wait()
        return await original(*args, **options)

    monkeypatch.setattr(polls, "mirror", late)
    await radicale.put("0106", visit("0106", "0106T15"))
    await desk.api.post(f"{desk.feed}refresh/")
    await desk.poller.step()
    async with asyncio.timeout(limit(20)):
        await fetched.wait()
    asked = asyncio.create_task(desk.api.patch(event["url"], {"start": "2027-01-04 10:15"}))
    while not asked.done():
        await desk.poller.step()
        await asyncio.wait([asked], timeout=0.05)
    assert asked.result().status == 200
    go_on.set()
    await desk.poller.settled()
    calls = ["01-04T10 15550101", "01-05T10 15550101", "01-06T15 15550101"]
    assert await desk.calls() == calls
    assert (await desk.api.get(event["url"])).body["start"] == "2027-01-04T10:15:00+01:00"


@pytest.mark.parametrize(
    ("how", "words"),
    [("partstat", "PARTSTAT=ACCEPTED"), ("title", "SUMMARY:\u2713 Visit 0104")],
)
async def test_an_answer_is_written_back_once_and_is_no_news(
    desk: Desk, radicale: RadicaleCalendar, how: str, words: str
) -> None:
    await follow(desk, radicale, answers=how)
    event = (await desk.events())["Visit 0104"]
    (alarm,) = await desk.alarms(event)

    def answer() -> None:
        confirmed = Alarm.update(
            result=AlarmResult.CONFIRMED, status=AlarmStatus.SUCCESS, due=utcnow()
        )
        confirmed.where(Alarm.id == id_of(alarm["url"])).execute()

    await desk.api.db.write(answer)
    await desk.later()
    there = await radicale.get("0104")
    assert words in there
    for _ in range(2):
        await desk.later()
    assert await radicale.get("0104") == there
    assert sorted(await desk.events()) == ["Visit 0104", "Visit 0105", "Visit 0106"]
    assert words not in await radicale.get("0105")

    # The answer was for another time: it is taken back when the source moves the event.
    await radicale.put("0104", event_of(there).replace("T10", "T16"))
    await desk.later()
    there = await radicale.get("0104")
    assert "T160000" in there
    assert words not in there
    assert "SUMMARY:Visit 0104" in there
    assert "PARTSTAT=NEEDS-ACTION" in there
    assert (await desk.calls())[0] == "01-04T16 15550101"


async def test_an_answer_is_told_at_once_and_not_at_the_next_poll(
    desk: Desk, radicale: RadicaleCalendar
) -> None:
    await follow(desk, radicale, answers="partstat")
    before = await desk.state()
    (alarm,) = await desk.alarms((await desk.events())["Visit 0104"])

    def press() -> None:
        row = Alarm.get_by_id(id_of(alarm["url"]))
        answers.answer(row, AlarmResult.CONFIRMED, "by a link", utcnow())

    running = asyncio.create_task(desk.poller.run())
    await desk.api.db.write(press)

    async def told() -> bool:
        return "PARTSTAT=ACCEPTED" in await radicale.get("0104")

    await until(told, 10, "the source is told")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    state = await desk.state()
    assert (state["last_poll"], state["next_poll"]) == (before["last_poll"], before["next_poll"])


async def test_a_preview_shows_what_a_poll_would_do(desk: Desk, radicale: RadicaleCalendar) -> None:
    feed = await follow(desk, radicale, status=0, number="", number_fields=["attendee"])
    assert feed["state"] == "new"
    reply = await desk.ordering(desk.api.post(f"{desk.feed}preview/"))
    assert reply.status == 200, reply.text
    assert (reply.body["count"], reply.body["without_number"]) == (3, 0)
    assert {event["number"] for event in reply.body["events"]} == {"+34600100201"}
    assert await desk.events() == {}
    await desk.api.patch(desk.feed, {"title_pattern": "0105"})
    reply = await desk.ordering(desk.api.post(f"{desk.feed}preview/"))
    assert (reply.body["count"], reply.body["left_out"]) == (1, 2)


async def test_a_server_that_loses_our_write_is_believed(
    desk: Desk, radicale: RadicaleCalendar
) -> None:
    """It answers well to a PUT and does not keep it. All else is passed on to Radicale."""
    front = FeedSource()
    await front.start()

    async def passed_on(request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            return web.Response(status=204)
        headers = {"Depth": request.headers.get("Depth", "0")}
        path = f"http://127.0.0.1:{radicale.port}{request.path}"
        asked = radicale.session.request(
            request.method, path, data=await request.read(), headers=headers
        )
        async with asked as reply:
            kept = {"ETag": reply.headers.get("ETag", "")}
            return web.Response(status=reply.status, body=await reply.read(), headers=kept)

    front.awkward = passed_on
    url = radicale.url.replace(f":{radicale.port}/", f":{front.port}/")
    await desk.follow(
        source_url=url, kind="caldav", username=USER, password=PASSWORD, answers="title"
    )
    event = (await desk.events())["Visit 0104"]
    reply = await desk.ordering(desk.api.patch(event["url"], {"start": "2027-01-04 09:00"}))
    assert (reply.status, "did not keep it" in reply.text) == (409, True)
    assert (await desk.calls())[0] == "01-04T10 15550101"
    await front.stop()
