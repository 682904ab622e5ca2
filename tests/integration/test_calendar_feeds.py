"""A calendar feed: what its source has is called within one poll, and a fault calls nothing off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import peewee
import pytest
import pytest_asyncio
import time_machine

from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.openapi import document
from telealarm.config.model import Config, FeedsConfig, WebhooksConfig
from telealarm.models import AuditEntry, CalendarFeed
from telealarm.store.engine.loop import POLL_SECONDS
from telealarm.transports import feed as feed_transport
from tests.integration.api_client import Api, clinic, id_of
from tests.integration.feed_desk import Desk, poller, visit
from tests.lab import feed_source
from tests.lab.feed_source import Awkward, FeedSource, replies
from tests.lab.speed import limit
from tests.lab.waiting import until

FOUR = [visit(day, f"{day}T10") for day in ("0104", "0105", "0106", "0107")]


def at(*moments: str, number: str = "15550101") -> list[str]:
    return [f"{moment[:2]}-{moment[2:]} {number}" for moment in moments]


@pytest.fixture
def config(config: Config) -> Config:
    return config.model_copy(
        update={
            "webhooks": WebhooksConfig(allow=["127.0.0.0/8"]),  # type: ignore[list-item]
            "feeds": FeedsConfig(per_manager=2, max_megabytes=1),
        }
    )


@pytest_asyncio.fixture
async def source() -> AsyncIterator[FeedSource]:
    server = FeedSource()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def desk(
    clock: time_machine.Traveller, api: Api, config: Config, source: FeedSource
) -> AsyncIterator[Desk]:
    made = await clinic(api, timezone="Europe/Madrid")
    loop = await poller(config, api.db)
    desk = Desk(api, config, source, clock, made.calendar, loop)
    desk.has(*FOUR)
    yield desk
    await loop.settled()
    await loop.close()


async def test_what_is_new_moved_cancelled_and_gone_follows_within_one_poll(desk: Desk) -> None:
    feed = await desk.follow()
    assert (feed["state"], feed["events"], feed["error"]) == ("ok", 4, "")
    assert await desk.calls() == at("0104T10", "0105T10", "0106T10", "0107T10")

    moved = visit("0105", "0105T16")
    off = visit("0106", "0106T10", more="STATUS:CANCELLED\n")
    desk.has(FOUR[0], moved, off, visit("0108", "0108T09"))
    feed = await desk.later()
    assert await desk.calls() == at("0104T10", "0105T16", "0108T09")
    assert (feed["state"], feed["asked"], feed["events"]) == ("ok", None, 3)

    desk.has(*FOUR)
    await desk.later()
    assert await desk.calls() == at("0104T10", "0105T10", "0106T10", "0107T10")


async def test_a_source_that_has_not_changed_is_not_read(desk: Desk) -> None:
    await desk.follow()
    before = await desk.api.db.read(lambda: AuditEntry.select().count())
    feed = await desk.later()
    assert desk.source.asked[-1]["if-none-match"] == feed["etag"]
    desk.source.has_etag = False
    for _ in range(2):
        feed = await desk.later()
        assert feed["state"] == "ok"
    assert len(desk.source.asked) == 4
    assert await desk.api.db.read(lambda: AuditEntry.select().count()) == before


GONE: list[tuple[list[str], str]] = [
    ([], "all 4 events"),
    ([FOUR[0]], "3 of 4 events"),
    ([*FOUR[:3]], ""),
]


@pytest.mark.parametrize(("left", "doubt"), GONE, ids=["all", "most", "one"])
async def test_many_events_that_are_gone_are_asked_about_first(
    desk: Desk, left: list[str], doubt: str
) -> None:
    await desk.follow()
    desk.has(*left)
    feed = await desk.later()
    if not doubt:
        assert (feed["state"], feed["asked"]) == ("ok", None)
        assert await desk.calls() == at("0104T10", "0105T10", "0106T10")
        assert (await desk.api.post(f"{desk.feed}confirm/")).status == 409
        return
    assert (feed["state"], feed["error"]) == ("asks", "")
    assert doubt in feed["asked"]["doubt"]
    assert feed["asked"]["count"] == 4 - len(left) == len(feed["asked"]["events"])
    assert len(await desk.calls()) == 4

    # It stays so, until somebody confirms it.
    assert (await desk.later())["state"] == "asks"
    assert (await desk.api.post(f"{desk.feed}confirm/")).status == 200
    # What is back meanwhile goes out.
    desk.has(*left, FOUR[3])
    feed = await desk.poll()
    assert (feed["state"], feed["asked"]) == ("ok", None)
    expected = at("0104T10", "0107T10") if left else at("0107T10")
    assert await desk.calls() == expected


async def test_what_was_not_confirmed_is_asked_about_again(desk: Desk) -> None:
    await desk.follow()
    desk.has(FOUR[0])
    await desk.later()
    await desk.api.post(f"{desk.feed}confirm/")
    desk.has()
    feed = await desk.poll()
    assert (feed["state"], feed["asked"]["count"]) == ("asks", 4)
    assert len(await desk.calls()) == 4


BROKEN: dict[str, tuple[Awkward, str]] = {
    "html": (replies(200, "<!DOCTYPE html><html>Log in</html>"), "is a web page"),
    "text": (replies(200, "BEGIN:VCARD"), "no iCalendar file"),
    "cut": (replies(200, "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n"), "its end is missing"),
    "500": (replies(500), "HTTP 500"),
    "401": (replies(401), "refuses the login"),
    "404": (replies(404), "has nothing at this address"),
    "drip": (feed_source.drips, "did not answer within"),
    "flood": (feed_source.floods, "more than 1 MB"),
    "long": (replies(200, "x" * 1_000_001), "more than 1 MB"),
    "zip": (replies(200, "x", Content_Encoding="gzip"), "compresses"),
    "inside": (replies(302, Location="http://10.1.2.3/admin"), "not permitted: 10.1.2.3"),
    "name": (replies(302, Location="http://localhost.:8/"), "not permitted"),
    "scheme": (replies(302, Location="file:///etc/passwd"), "not permitted"),
}


async def test_a_source_that_fails_calls_nothing_off_and_is_asked_less_often(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.follow()
    monkeypatch.setattr(feed_transport, "TIMEOUT_SECONDS", limit(0.5))
    for awkward, words in BROKEN.values():
        desk.source.awkward = awkward
        await desk.api.post(f"{desk.feed}refresh/")
        feed = await desk.poll()
        assert feed["state"] == "failing", words
        assert words in feed["error"], feed["error"]
    assert len(await desk.calls()) == 4
    asked = len(desk.source.asked)
    await desk.later(60)
    assert len(desk.source.asked) == asked
    desk.source.awkward = None
    assert (await desk.later(310))["state"] == "ok"


async def test_a_redirect_is_followed_without_the_login_and_not_to_loopback(
    desk: Desk, source: FeedSource
) -> None:
    """Allowed is 127.0.0.1 alone: 127.0.0.2 stands for the inside of a network."""
    desk.poller = await poller(desk.config, desk.api.db, "two", ["127.0.0.1/32"])
    other = FeedSource()
    await other.start()
    other.text = source.text
    source.awkward = replies(302, Location=other.url)
    feed = await desk.follow(username="practice", password="s3cret")
    assert (feed["state"], feed["events"]) == ("ok", 4)
    assert source.asked[0]["authorization"] == aiohttp.encode_basic_auth("practice", "s3cret")
    assert "authorization" not in other.asked[0]
    source.awkward = replies(302, Location=other.url.replace("127.0.0.1", "127.0.0.2"))
    feed = await desk.later()
    assert "127.0.0.2 is not public (loopback)" in feed["error"]
    await other.stop()
    await desk.poller.close()


async def test_secrets_are_never_shown_and_stay_if_they_are_left_out(desk: Desk) -> None:
    login = aiohttp.encode_basic_auth("practice", "s3cret")
    desk.source.login = login
    feed = await desk.follow(username="practice", password="s3cret")
    assert feed["state"] == "ok"
    assert feed["host"] == desk.source.url.split("/secret")[0]
    put = {name: feed[name] for name in ("name", "calendar", "username", "number")}
    reply = await desk.api.put(desk.feed, put)
    assert reply.status == 200, reply.text
    assert (await desk.poll())["state"] == "ok"
    audit = (await desk.api.get("audit/?resource=calendar-feed")).text
    for text in (str(feed), reply.text, audit, (await desk.api.get("calendar-feed/")).text):
        assert "s3cret" not in text
        assert "secret-token" not in text

    def raw() -> str:
        rows = CalendarFeed._meta.database.execute_sql("SELECT * FROM calendar_feed")
        return str(rows.fetchall())

    assert "s3cret" not in await desk.api.db.read(raw)
    # Another host does not get the password.
    elsewhere = FeedSource()
    await elsewhere.start()
    await desk.api.patch(desk.feed, {"source_url": elsewhere.url})
    await desk.poll()
    assert elsewhere.asked
    assert elsewhere.asked[0].get("authorization") != login
    await elsewhere.stop()


async def test_what_the_source_owns_is_read_only_here_and_the_rest_is_ours(desk: Desk) -> None:
    series = visit("series", "0111T10", more="RRULE:FREQ=WEEKLY;COUNT=3\n")
    desk.has(visit("a", "0104T10", more="LOCATION:Room 1\n"), series)
    await desk.follow()
    events = await desk.events()
    event, recurring = events["Visit a"], events["Visit series"]
    for change in (
        *({"title": "x"}, {"start": "2027-01-04 11:00"}, {"end": None, "start": "2027-01-03 9:00"}),
        *({"status": 3}, {"timezone": "UTC"}, {"data": {"location": "Room 2"}}),
    ):
        reply = await desk.api.patch(event["url"], change)
        assert reply.status == 400, (change, reply.text)
        assert desk.feed.split("/rest-api/")[1] in reply.text or "must be" in reply.text
    for action in ("cancel_occurrence", "move_occurrence", "update_last_child_status"):
        body = {"start": "2027-01-18 10:00", "to": "2027-01-19 10:00", "status": 3}
        names = {"cancel_occurrence": ["start"], "move_occurrence": ["start", "to"]}
        sent = {name: body[name] for name in names.get(action, ["status"])}
        method = "POST" if "occurrence" in action else "PATCH"
        reply = await desk.api.send(method, f"{recurring['url']}{action}/", sent)
        assert reply.status == 400, reply.text
        assert "belongs to the source of the calendar feed 'Practice'" in reply.text

    # What a client got it may send back; what is ours it may change.
    ours = {**event, "data": {"location": "Room 1", "doctor": "Smith"}}
    reply = await desk.api.put(event["url"], ours)
    assert reply.status == 200, reply.text
    await desk.api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "15550102"})
    desk.has(visit("a", "0104T16", more="LOCATION:Room 3\n"), series)
    await desk.later()
    event = (await desk.events())["Visit a"]
    assert event["data"] == {"location": "Room 3", "doctor": "Smith"}
    numbers = [alarm["alarm_phonenumber"] for alarm in await desk.alarms(event)]
    assert numbers == ["15550101", "15550102"]

    # Without the feed they are ours.
    assert (await desk.api.delete(desk.feed)).status == 204
    assert (await desk.api.patch(event["url"], {"title": "x"})).status == 200


async def test_numbers_and_filters(desk: Desk) -> None:
    desk.has(
        visit("a", "0104T10", "Dentist", "DESCRIPTION:Call +34 600 100 201\\nor so\n"),
        visit("b", "0105T10", "Dentist", "LOCATION:Room 5\nATTENDEE;CN=Ann:tel:+34600100202\n"),
        visit("c", "0106T10", "DENTIST again", "CATEGORIES:Other,Patients\n"),
        visit("d", "0107T10", "Holiday", "CATEGORIES:Patients\n"),
    )
    await desk.follow(
        number="15550109",
        number_fields=["description", "location", "attendee"],
        title_pattern="dentist",
        advance_notice=3600,
    )
    assert await desk.calls() == [
        "01-04T09 +34600100201",
        "01-05T09 +34600100202",
        "01-06T09 15550109",
    ]
    # A wrong filter calls off no day either.
    await desk.api.patch(desk.feed, {"categories": ["nobody"]})
    assert (await desk.poll())["state"] == "asks"
    assert len(await desk.calls()) == 3
    await desk.api.patch(desk.feed, {"title_pattern": "", "categories": ["patients"]})
    assert (await desk.poll())["state"] == "ok"
    assert await desk.calls() == ["01-06T09 15550109", "01-07T09 15550109"]
    for wrong in ("(a+)+", "a*b*", "(", "a?" * 7):
        reply = await desk.api.patch(desk.feed, {"number_pattern": wrong})
        assert "number_pattern" in reply.body, wrong


async def test_a_feed_is_bounded(desk: Desk) -> None:
    await desk.follow()
    body = {"name": "n", "calendar": desk.calendar, "source_url": desk.source.url}
    assert "calendar" in (await desk.api.post("calendar-feed/", body)).body
    missing = await desk.api.post("calendar-feed/", {"name": "n", "calendar": desk.calendar})
    assert missing.body == {"source_url": ["this field is required"]}
    for url in ("http://10.0.0.1/a.ics", "https://user:pw@example.com/", "ftp://x/"):
        reply = await desk.api.patch(desk.feed, {"source_url": url})
        assert "source_url" in reply.body, url
    assert "poll_seconds" in (await desk.api.patch(desk.feed, {"poll_seconds": 299})).body
    user = (await desk.api.get(desk.calendar)).body["user"]
    others = [await desk.api.made("calendar/", {"name": f"c{n}", "user": user}) for n in range(2)]
    moved = await desk.api.patch(desk.feed, {"calendar": others[0]["url"]})
    assert "calendar" in moved.body
    await desk.api.made("calendar-feed/", {**body, "calendar": others[0]["url"]})
    reply = await desk.api.post("calendar-feed/", {**body, "calendar": others[1]["url"]})
    assert (reply.status, "2 calendar feeds" in reply.text) == (409, True)
    # Its calendar is deleted, and with it the feed.
    assert (await desk.api.delete(desk.calendar)).status == 204
    assert (await desk.api.get(desk.feed)).status == 404


async def test_a_feed_that_is_switched_off_is_not_polled(desk: Desk) -> None:
    await desk.follow()
    feed = (await desk.api.patch(desk.feed, {"status": 0})).body
    assert feed["next_poll"] is None
    await desk.later(60)
    assert len(desk.source.asked) == 1
    assert (await desk.api.post(f"{desk.feed}refresh/")).status == 409
    await desk.api.patch(desk.feed, {"status": 1})
    await desk.poll()
    assert len(desk.source.asked) == 2


async def test_the_loop_sleeps_until_a_feed_is_made(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    original = desk.poller.step

    async def counted() -> Any:
        nonlocal steps
        steps += 1
        return await original()

    monkeypatch.setattr(desk.poller, "step", counted)
    running = asyncio.create_task(desk.poller.run())
    await until(lambda: steps == 1, 10, "the loop has looked once")
    await asyncio.sleep(POLL_SECONDS + 0.5)  # the tick of other stages
    assert steps == 1
    body = {"name": "n", "calendar": desk.calendar, "source_url": desk.source.url}
    desk.feed = (await desk.api.made("calendar-feed/", body))["url"]

    async def read() -> bool:
        return bool((await desk.state())["state"] == "ok")

    await until(read, 30, "the feed is read")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_two_workers_never_poll_one_feed_at_once(desk: Desk) -> None:
    second = await poller(desk.config, desk.api.db, "two")
    desk.source.open.clear()
    await desk.api.made(
        "calendar-feed/", {"name": "n", "calendar": desk.calendar, "source_url": desk.source.url}
    )
    await asyncio.gather(desk.poller.step(), second.step())
    await asyncio.gather(desk.poller.step(), second.step())
    desk.source.open.set()
    await asyncio.gather(desk.poller.settled(), second.settled())
    assert len(desk.source.asked) == 1
    assert sorted(await desk.events()) == ["Visit 0104", "Visit 0105", "Visit 0106", "Visit 0107"]
    await second.close()


async def test_a_feed_that_is_edited_during_its_poll_is_polled_again(desk: Desk) -> None:
    desk.source.open.clear()
    body = {"name": "n", "calendar": desk.calendar, "source_url": desk.source.url}
    desk.feed = (await desk.api.made("calendar-feed/", body))["url"]
    await desk.poller.step()
    await desk.api.patch(desk.feed, {"title_pattern": "0104"})
    desk.source.open.set()
    await desk.poller.settled()
    assert await desk.events() == {}
    assert (await desk.poll())["state"] == "ok"
    assert list(await desk.events()) == ["Visit 0104"]


async def test_a_feed_is_its_managers_and_its_writes_are_in_the_audit_log(desk: Desk) -> None:
    await desk.follow()
    for method in ("GET", "PATCH", "DELETE"):
        body = {} if method == "PATCH" else None
        assert (await desk.api.send(method, desk.feed, body, user="other")).status == 404
    for action in ("refresh", "confirm"):
        assert (await desk.api.post(f"{desk.feed}{action}/", user="other")).status == 404
    rows: list[dict[str, Any]] = (await desk.api.get("audit/?resource=event")).body["results"]
    assert {(row["who"], row["road"]) for row in rows} == {
        (f"calendar-feed {id_of(desk.feed)}", "feed")
    }


async def test_a_person_in_two_feeds_and_a_plan_that_takes_the_alarms_over(desk: Desk) -> None:
    """The same appointment is in two calendars: each has its event of the one person."""
    person = await desk.api.made("person/", {"name": "Ann", "numbers": ["+34600100201"]})
    for name in ("Bob", "Cleo"):
        await desk.api.made("person/", {"name": name, "numbers": ["+34600100202"]})
    desk.has(
        visit("a", "0104T10", "Ann", "LOCATION:+34 600 100 201\n"),
        visit("b", "0105T10", "Family", "LOCATION:+34 600 100 202\n"),
    )
    await desk.follow(number="", number_fields=["location"])
    user = (await desk.api.get(desk.calendar)).body["user"]
    second = await desk.api.made("calendar/", {"name": "second", "user": user})
    body = {"name": "n", "calendar": second["url"], "source_url": desk.source.url}
    await desk.api.made("calendar-feed/", {**body, "number_fields": ["location"]})
    await desk.poll()
    found = (await desk.api.get("event/")).body["results"]
    assert sorted((event["title"], event["person"]) for event in found) == [
        *[("Ann", person["url"])] * 2,
        *[("Family", None)] * 2,
    ]
    both = sorted(["01-04T10 +34600100201", "01-05T10 +34600100202"] * 2)
    assert await desk.calls() == both

    step = {"name": "before", "method": 1, "trigger": "before", "offset": 3600}
    plan = await desk.api.made("reminder-plan/", {"name": "p", "steps": [step]})
    await desk.api.patch(desk.calendar, {"reminder_plan": plan["url"]})
    await desk.poll()
    # Nobody is called twice: the alarms of the feed are gone, also that of the family.
    assert await desk.calls() == [
        "01-04T09 +34600100201",
        "01-04T10 +34600100201",
        "01-05T09 +34600100202",
        "01-05T10 +34600100202",
    ]


HOUR_BEFORE = {"name": "before", "method": 1, "trigger": "before", "offset": 3600}


async def test_a_plan_of_one_event_takes_its_alarms_over_and_gives_them_back(desk: Desk) -> None:
    series = visit("series", "0111T10", more="RRULE:FREQ=WEEKLY;COUNT=3\n")
    desk.has(visit("a", "0104T10"), visit("b", "0105T10"), series)
    await desk.follow()
    weekly = at("0111T10", "0118T10", "0125T10")
    assert await desk.calls() == [*at("0104T10", "0105T10"), *weekly]
    plan = await desk.api.made("reminder-plan/", {"name": "p", "steps": [HOUR_BEFORE]})
    events = await desk.events()
    (by_hand,) = await desk.alarms(events["Visit b"])
    await desk.api.patch(by_hand["url"], {"maxretry": 5})

    async def choose(title: str, chosen: str | None) -> None:
        for event in (await desk.api.get("event/?page_size=1000")).body["results"]:
            if event["title"] == title and event["start"][5:10] in ("01-04", "01-05", "01-18"):
                reply = await desk.api.patch(event["url"], {"reminder_plan": chosen})
                assert reply.status == 200, reply.text

    # At once, and not when the source is read.
    for title in ("Visit a", "Visit b", "Visit series"):
        await choose(title, plan["url"])
    planned = [*at("0104T09", "0105T09", "0105T10", "0111T10", "0118T09", "0125T10")]
    assert await desk.calls() == planned
    # The source changes the event, and its alarms do not come back.
    desk.has(visit("a", "0104T16"), visit("b", "0105T10", "Visit b"), series)
    await desk.later()
    assert await desk.calls() == [*at("0104T15"), *planned[1:]]
    # Without the plan, it follows the source again.
    for title in ("Visit a", "Visit b", "Visit series"):
        await choose(title, None)
    await desk.poll()
    assert await desk.calls() == [*at("0104T16", "0105T10"), *weekly]


async def test_a_plan_of_a_series_takes_the_alarms_of_all_its_occurrences_over(desk: Desk) -> None:
    series = visit("series", "0111T10", more="RRULE:FREQ=WEEKLY;COUNT=3\n")
    moved = visit(
        "series", "0119T10", "Visit series", "RECURRENCE-ID;TZID=Europe/Madrid:20270118T100000\n"
    )
    desk.has(series, moved)
    await desk.follow()
    source = at("0111T10", "0119T10", "0125T10")
    assert await desk.calls() == source
    plan = await desk.api.made("reminder-plan/", {"name": "p", "steps": [HOUR_BEFORE]})
    found = (await desk.api.get("event/")).body["results"]
    (parent,) = [event for event in found if event["parent_event"] is None]
    await desk.api.patch(parent["url"], {"reminder_plan": plan["url"]})
    await desk.poll()
    for _ in range(2):
        assert await desk.calls() == at("0111T09", "0119T09", "0125T09")
        await desk.later()
    await desk.api.patch(parent["url"], {"reminder_plan": None})
    await desk.poll()
    assert await desk.calls() == source


async def test_the_examples_of_the_document_work_with_a_source(desk: Desk) -> None:
    """Those that test_api_examples leaves out, because no feed is read there."""
    paths = document.written(RESOURCES, TASKS)["paths"]

    def example(path: str) -> dict[str, Any]:
        asked = paths[f"/rest-api/calendar-feed/{path}"]["post"].get("requestBody", {})
        found: dict[str, Any] = asked.get("content", {}).get("application/json", {})
        return {**found.get("example", {})}

    body = example("")
    feed = await desk.follow(**{**body, "calendar": desk.calendar, "source_url": desk.source.url})
    assert (feed["state"], feed["events"]) == ("ok", 4)
    preview = desk.api.post(f"{desk.feed}preview/", example("{id}/preview/"))
    reply = await desk.ordering(preview)
    assert (reply.status, reply.body["count"]) == (200, 4), reply.text
    assert (reply.body["left_out"], reply.body["without_number"]) == (0, 0)
    desk.has(FOUR[0])
    assert (await desk.later())["state"] == "asks"
    reply = await desk.api.post(f"{desk.feed}confirm/", example("{id}/confirm/"))
    assert reply.status == 200, reply.text
    feed = await desk.poll()
    assert (feed["state"], feed["events"]) == ("ok", 1)


async def test_a_change_in_a_large_source_costs_no_statement_for_each_other_event(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [visit(f"{day:02d}-{hour}", f"01{day:02d}T{hour}") for day in (4, 5) for hour in HOURS]
    desk.has(*many)
    assert (await desk.follow())["events"] == len(many)
    desk.has(visit("04-10", "0104T10", "Other title"), *many[1:])
    asked: list[str] = []
    execute = peewee.Database.execute_sql

    def counted(self: Any, sql: str, *args: Any, **options: Any) -> Any:
        asked.append(sql)
        return execute(self, sql, *args, **options)

    monkeypatch.setattr(peewee.Database, "execute_sql", counted)
    await desk.later()
    assert "Other title" in await desk.events()
    of_events = [sql for sql in asked if 'FROM "event"' in sql]
    assert len(of_events) < len(many), len(of_events)


HOURS = range(10, 24)
