"""`?search=` of events, alarms and calls: what is found, by whom, and that an index finds it."""

import importlib
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from peewee import SqliteDatabase

from telealarm.api.app import RESOURCES
from telealarm.api.core.links import Links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.rest import filters, search
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CallRequest,
    Event,
    Gateway,
    SearchTerm,
    Survey,
    User,
)
from telealarm.planning.series import SeriesPlanner
from telealarm.rules import search_terms
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.access import visibility
from telealarm.store.engine import search_index
from telealarm.store.engine.database import Database
from telealarm.store.retention import deletion
from telealarm.store.survey.audio_files import AudioFolder
from telealarm.store.survey.voice_messages import VoiceMessages
from tests.integration.api_client import Api, Clinic, clinic, id_of
from tests.integration.import_book import Book

START = "2030-01-01 10:00"


async def appointment(
    api: Api, made: Clinic, title: str, number: str, user: str = "manager", **event: Any
) -> tuple[str, str]:
    """An event with an alarm, and their links."""
    body = {"title": title, "calendar": made.calendar, "start": START, **event}
    link = (await api.made("event/", body, user=user))["url"]
    alarm = {"event": link, "alarm_phonenumber": number}
    return link, (await api.made("alarm/", alarm, user=user))["url"]


async def found(api: Api, resource: str, text: str, user: str = "manager", more: str = "") -> Any:
    reply = await api.get(f"{resource}/?search={quote(text)}{more}", user=user)
    assert reply.status == 200, reply.text
    assert reply.body["count"] == len(reply.body["results"])
    return [row["url"] for row in reply.body["results"]]


async def test_events_alarms_and_calls_are_found_by_words_and_numbers(api: Api) -> None:
    made = await clinic(api)
    data = {"name": "Zoë Müller", "phone": "+34 611 22 33 44"}
    ana, ana_alarm = await appointment(api, made, "Ana García", "+34600123456", data=data)
    eva, eva_alarm = await appointment(
        api, made, "Eva García", "+34600999888", description="Bring the X-ray"
    )
    ana_call = await api.db.write(call_of, id_of(ana_alarm))
    eva_call = await api.db.write(call_of, id_of(eva_alarm))

    for text, first, second in (
        ("gar", True, True),
        ("GARCÍA", True, True),
        ("garcia an", True, False),
        ("zoe mul", True, False),
        ("ray", False, True),
        ("+34 600 123 456", True, False),
        ("0034600999888", False, True),
        ("600999888", False, True),
        ("123456", True, False),
        ("611223344", True, False),
        ("garcia 999888", False, True),
        ("ana 999888", False, False),
        ("rcia", False, False),
    ):
        for resource, links in (
            ("event", (ana, eva)),
            ("alarm", (ana_alarm, eva_alarm)),
            ("callrequest", (ana_call, eva_call)),
        ):
            expected = [
                link for link, is_found in zip(links, (first, second), strict=True) if is_found
            ]
            got = await found(api, resource, text)
            assert [id_of(link) for link in got] == [id_of(link) for link in expected], (
                resource,
                text,
            )


def call_of(alarm_id: int) -> str:
    """A call of an alarm, as the call log keeps it."""
    alarm = Alarm.get_by_id(alarm_id)
    request = AlarmRequest.create(owner=alarm.owner, alarm=alarm, date=datetime.now(UTC))
    call = CallRequest.create(
        owner=alarm.owner,
        request=request,
        alarm=alarm,
        aleg_uuid=f"call-{alarm_id}",
        phone_number=alarm.alarm_phonenumber,
        endpoint="PJSIP/x",
        gateway=Gateway.get(),
        survey=Survey.get(Survey.owner == alarm.owner),
    )
    return f"/{call.id}/"


async def test_a_search_follows_every_write(api: Api) -> None:
    made = await clinic(api)
    event, alarm = await appointment(api, made, "Ana", "+34600123456")
    other, _ = await appointment(api, made, "Eva", "+34600000111")

    await api.patch(event, {"title": "Berta", "data": {"name": "Carla"}})
    assert await found(api, "event", "ana") == []
    assert await found(api, "event", "berta carla") == [event]
    await api.patch(event, {"start": "2030-02-01 10:00"})
    assert await found(api, "event", "berta carla") == [event]

    await api.patch(alarm, {"alarm_phonenumber": "+34600777666"})
    assert await found(api, "alarm", "123456") == []
    assert await found(api, "alarm", "777666") == [alarm]
    await api.patch(alarm, {"event": other})
    assert await found(api, "event", "777666") == [other]
    assert await found(api, "alarm", "berta") == []
    assert alarm in await found(api, "alarm", "eva")
    await api.delete(alarm)
    assert await found(api, "alarm", "777666") == []
    await api.delete(event)
    assert await found(api, "event", "berta") == []
    assert await api.db.read(stale) == (set(), set())


async def test_a_search_finds_the_occurrences_of_a_series(api: Api) -> None:
    made = await clinic(api)
    rule = next(
        row["url"] for row in (await api.get("rule/")).body["results"] if row["name"] == "Daily"
    )
    event, _ = await appointment(api, made, "Dialysis", "+34600123456", rule=rule)
    await SeriesPlanner(api.db).step()
    children = await found(api, "event", "dialysis 123456")
    assert children[0] == event and len(children) == 2
    await api.patch(event, {"title": "Therapy"})
    await SeriesPlanner(api.db).step()
    assert await found(api, "event", "dialysis") == []
    assert await found(api, "event", "therapy 123456") == children
    assert await api.db.read(stale) == (set(), set())


async def test_a_search_finds_what_was_imported(book: Book) -> None:
    line = "title,start,alarm_phonenumber,uid\n{},2030-01-01 10:00,+34600123456,one\n"
    book.text(line.format("Ana García"))
    assert len(await found(book.api, "event", "garcia 123456")) == 1
    book.text(line.format("Eva López"))
    assert await found(book.api, "event", "garcia") == []
    assert len(await found(book.api, "alarm", "lopez")) == 1
    book.ics(
        "UID:two\nSUMMARY:Ünal\nDTSTART:20300105T100000Z\nDTEND:20300105T110000Z\n"
        "RRULE:FREQ=DAILY;COUNT=5"
    )
    await SeriesPlanner(book.api.db).step()
    assert len(await found(book.api, "event", "unal")) == 2
    assert await book.api.db.read(stale) == (set(), set())


async def test_tenants_find_only_their_own_and_a_superuser_all(api: Api) -> None:
    mine, theirs = await clinic(api), await clinic(api, "other")
    event, alarm = await appointment(api, mine, "Ana", "+34600123456")
    foreign, _ = await appointment(api, theirs, "Ana", "+34600123456", "other")
    assert await found(api, "event", "ana 123456") == [event]
    assert await found(api, "alarm", "ana") == [alarm]
    assert await found(api, "event", "ana 123456", user="other") == [foreign]
    assert await found(api, "event", "ana 123456", user="root") == [event, foreign]


async def test_a_search_goes_with_filters_orders_and_pages(api: Api) -> None:
    made = await clinic(api)
    links = [
        (await appointment(api, made, "Ana", "1", start=f"2030-01-0{day} 10:00"))[0]
        for day in (3, 1, 2)
    ]
    assert await found(api, "event", "ana", more="&ordering=start") == [
        links[1],
        links[2],
        links[0],
    ]
    assert await found(api, "event", "ana", more="&start__lt=2030-01-02 00:00") == [links[1]]
    page = (await api.get("event/?search=ana&page_size=2")).body
    assert page["count"] == 3 and len(page["results"]) == 2
    rest = (await api.get(page["next"])).body
    assert [row["url"] for row in rest["results"]] == links[2:]


async def test_a_word_that_very_many_rows_have(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a list is walked in its order. It finds the same."""
    made = await clinic(api)
    pairs = [await appointment(api, made, f"Ana {n}", "+34600123456") for n in range(4)]
    calls = [await api.db.write(call_of, id_of(alarm)) for _, alarm in pairs]
    hidden, _ = await appointment(api, made, "Eva", "+34600123457")
    monkeypatch.setattr(search_index, "FEW", 2)
    monkeypatch.setattr(search_index, "COUNTED", 3)
    for text in ("an", "an 1", "ana 123456"):
        expected = pairs if text != "an 1" else pairs[1:2]
        for place, resource in enumerate(("event", "alarm")):
            assert await found(api, resource, text) == [pair[place] for pair in expected]
    assert [id_of(link) for link in await found(api, "callrequest", "an")] == list(
        map(id_of, calls)
    )
    # A longer result is not counted.
    page = (await api.get("event/?search=an&page_size=2")).body
    assert page["count"] == 4 and [row["url"] for row in page["results"]] == [
        pairs[0][0],
        pairs[1][0],
    ]
    assert hidden not in await found(api, "event", "an")


@pytest.mark.parametrize("few, walk", [(10_000, 2000), (-1, 2000), (-1, 16), (5, 40)])
async def test_every_page_is_that_of_a_plain_scan(
    api: Api, few: int, walk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the rows are walked, taken from the index, or first the one and then the other."""
    await clinic(api)
    for name, value in (("FEW", few), ("MOST", 50), ("WALK_FIRST", walk), ("COUNTED", 20)):
        monkeypatch.setattr(search_index, name, value)
    chance = random.Random(walk + few)
    titles, ids = await api.db.write(crowd_of_names, chance)
    questions = [
        " ".join(chance.choice(NAMES)[: chance.randint(1, 7)] for _ in range(chance.randint(1, 3)))
        for _ in range(25)
    ]
    for question in [*questions, *(f"{one} 123400" for one in questions[:5])]:
        wanted = [
            number
            for number, title in enumerate(titles)
            if all(
                any(part.startswith(word) for part in title.split()) for word in question.split()
            )
        ]
        for model, of_model in zip((Event, Alarm, CallRequest), ids, strict=True):
            for ordering in (1, -1):
                got, count = await api.db.read(every_page, model, question, ordering)
                assert got == [of_model[number] for number in wanted[::ordering]], question
                assert count is None or count == min(len(wanted), 21)


NAMES = ("ana", "anabel", "berta", "bert", "carla", "carl", "dora")


def crowd_of_names(chance: random.Random) -> tuple[list[str], list[list[int]]]:
    """Events with an alarm and a call each: their words and number, and the ids of all three."""
    like = {"owner": User.get(User.username == "manager"), "calendar": Calendar.get()}
    like |= {"creator": Calendar.get().user, "start": datetime(2030, 1, 1, tzinfo=UTC)}
    titles: list[str] = []
    ids: list[list[int]] = []
    for n in range(120):
        # The last are rarer: a walk does not find them soon.
        names = chance.choices(NAMES[: 3 + n // 30], k=chance.randint(1, 3))
        event = Event.create(title=" ".join(names), end=like["start"], **like)
        number = f"+346{n % 3}0123400"
        alarm = Alarm.create(owner=like["owner"], event=event, alarm_phonenumber=number)
        search_index.add(event, alarm)
        titles.append(" ".join([*names, "123400"]))
        ids.append([event.id, alarm.id, int(call_of(alarm.id).strip("/"))])
    return titles, [list(column) for column in zip(*ids, strict=True)]


def every_page(model: Any, question: str, ordering: int) -> tuple[list[int], int | None]:
    """All pages of seven rows, and the count that the first one is shown with."""
    login = User.get(User.username == "manager")
    found = search_index.narrowed(
        login, visibility.ids(login, model), search_terms.sought(question)
    )

    def order(query: Any) -> Any:
        return query.order_by(query.model.id if ordering > 0 else query.model.id.desc())

    got: list[int] = []
    first, count = 0, None
    while ids := (page := found.page(order, first, 7))[0]:
        count = count or page[1] or (found.count() if len(ids) == 7 else None)
        got += ids
        first += 7
    return got, count


@pytest.mark.parametrize(
    "text", ["%", "_", "%%%", "\\", "'", '"', "* OR 1", "ana%", "a_a", "+", "..."]
)
async def test_signs_mean_nothing(api: Api, text: str) -> None:
    made = await clinic(api)
    event, _ = await appointment(api, made, "ana OR 1", "+34600123456")
    expected = [event] if any(sign.isalnum() for sign in text) else []
    assert await found(api, "event", text) == expected


async def test_blank_and_hostile_questions(api: Api) -> None:
    made = await clinic(api)
    event, _ = await appointment(api, made, "Ana", "+34600123456")
    assert await found(api, "event", "   ") == [event]
    for text, words in (
        ("a" * 5000, "at most 200 characters"),
        ("a\x00na", "control characters"),
        ("a b c d e f g h i", "at most 8 words"),
    ):
        reply = await api.get(f"event/?search={quote(text)}")
        assert reply.status == 400 and words in reply.body["search"][0]
    assert (await api.get(f"event/?search={'a' * 10_000}")).status == 400
    # Half of a pair of surrogates is no text.
    assert (await api.get("event/?search=%ED%A0%80")).status in (200, 400)
    reply = await api.get("calendar/?search=ana")
    assert reply.status == 400 and "no such filter" in reply.body["search"][0]


async def test_words_can_be_forgotten(api: Api) -> None:
    made = await clinic(api)
    event, _ = await appointment(api, made, "Ana", "+34600123456")
    other, second = await appointment(api, made, "Ana", "+34600123456")
    await api.db.write(search_index.forget, id_of(event))
    await api.db.write(search_index.forget, id_of(other), [id_of(second)])
    assert await found(api, "event", "ana") == [other]
    assert await found(api, "alarm", "123456") == []
    assert await found(api, "alarm", "ana") == [second]


async def test_words_go_with_the_rows_that_retention_deletes(api: Api) -> None:
    made = await clinic(api)
    event, alarm = await appointment(api, made, "Ana", "+34600123456")
    await appointment(api, made, "Eva", "+34600123457")

    def delete() -> set[Any]:
        deletion.alarms([id_of(alarm)])
        left = every_term()
        deletion.events([id_of(event)])
        return left

    left = await api.db.write(delete)
    assert {term for _, term, event_id, _ in left if event_id == id_of(event)} == {b"ana"}
    assert await api.db.read(stale) == (set(), set())
    assert len(await found(api, "event", "eva 123457")) == 1


async def test_the_migration_builds_the_index_of_the_rows_that_are_there(api: Api) -> None:
    made = await clinic(api)
    await appointment(api, made, "Ana García", "600 123 456", data={"name": "Zoë"})
    await appointment(api, made, "Eva", "+34600000111", description="Bring the X-ray")

    def again() -> set[tuple[Any, ...]]:
        database = Event._meta.database
        terms = every_term()
        database.execute_sql("DROP TABLE search_term")
        importlib.import_module("telealarm.migrations.0014_search_terms").up(None, database)
        return terms

    before = await api.db.write(again)
    assert await api.db.read(every_term) == before
    assert await api.db.read(stale) == (set(), set())


def every_term() -> set[tuple[Any, ...]]:
    columns = (SearchTerm.owner, SearchTerm.term, SearchTerm.event, SearchTerm.alarm)
    rows = SearchTerm.select(*columns).tuples()
    return {(owner, bytes(term), event, alarm) for owner, term, event, alarm in rows}


def stale() -> tuple[set[Any], set[Any]]:
    """The terms that the index lacks, and those that it has too much."""
    rows = [*Event.select(), *Alarm.select()]
    wanted = {term for row in rows for term in search_index.terms(row)}
    there = every_term()
    return wanted - there, there - wanted


@pytest.mark.fresh
@pytest.mark.parametrize("few", [20_000, -1])
@pytest.mark.parametrize("text", ["ana", "ana +34600123456"])
@pytest.mark.parametrize("resource", ["event", "alarm", "callrequest"])
async def test_an_index_finds_the_rows(
    db: Database, resource: str, text: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No table is read as a whole, whether the rows are taken from the index or looked up in it."""
    monkeypatch.setattr(search_index, "FEW", few)
    monkeypatch.setattr(search_index, "_some", lambda login, one: 1)
    listed = next(one for one in RESOURCES if one.name == resource)

    def plan() -> list[str]:
        login = User.get(User.username == "manager")
        context = RequestContext(
            login=login,
            links=Links("http://here"),
            path="/",
            query={"search": text},
            now=datetime(2030, 1, 1, tzinfo=UTC),
            recordings=AudioFolder(Path()),
            voice_messages=VoiceMessages(Path()),
            guard=UrlGuard(()),
        )
        ids = visibility.ids(login, listed.model)
        query = filters.ordered(context, search.narrowed(context, ids).query, listed.orders)
        sql, values = query.limit(101).sql()
        database = listed.model._meta.database
        if isinstance(database, SqliteDatabase):
            return [step[3] for step in database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
        # The tables are empty: what could be done is asked for, not what is cheapest now.
        for dear in ("seqscan", "bitmapscan"):
            database.execute_sql(f"SET LOCAL enable_{dear} = off")
        return [step[0] for step in database.execute_sql(f"EXPLAIN {sql}", values)]

    steps = await db.read(plan)
    scans = [step for step in steps if step.startswith("SCAN") or "Seq Scan" in step]
    assert not [step for step in scans if "SUBQUERY" not in step], steps
    assert any("search" in step.lower() and "term" in step for step in steps), steps
