"""The dry run says what admission then does: what is rung, put off or left out, and why."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telealarm.cli import plan_text
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.models import Alarm, AlarmRequest
from telealarm.planning.planner import Planner
from telealarm.planning.series import SeriesPlanner
from telealarm.store.dialing import workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.dry_run import dry_run as dry_run_dry_run
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus
from tests.integration.api_client import Api, Clinic, clinic, id_of
from tests.integration.test_api_events import alarm, event

DAY = {"after": "2030-06-03 00:00", "before": "2030-06-04 00:00"}
KEYS = {"at", "alarm", "event", "number", "method", "action", "why", "until"}


async def planned(api: Api, *, user: str = "manager", **query: str) -> list[dict[str, Any]]:
    words = "&".join(f"{name}={value}" for name, value in (query or DAY).items())
    reply = await api.get(f"plan/?{words}", user=user)
    assert reply.status == 200, reply.text
    assert reply.body["count"] == len(reply.body["results"])
    found: list[dict[str, Any]] = reply.body["results"]
    return found


async def set_days(api: Api, **fields: Any) -> None:
    setting = (await api.get("calendar-setting/")).body["results"][0]["url"]
    assert (await api.patch(setting, fields)).status == 200


async def test_it_says_what_is_rung_put_off_and_left_out_and_why(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]  # 2030-06-03, a Monday, at 10:00 in Madrid
    fine = await alarm(api, link)
    waits = await alarm(api, link, daily_start="10:30")
    late = await alarm(api, link, daily_start="12:00", advance_notice=1800)
    listed = await api.made("dnc-list/", {"name": "out"})
    await api.made("dnc-contact/", {"dnc": listed["url"], "phone_number": "0034600111222"})
    out = await alarm(api, link, alarm_phonenumber="+34 600 111 222")
    wrong = await alarm(api, link, alarm_phonenumber="*99")
    paused = (await event(api, made, title="paused"))["url"]
    held = await alarm(api, paused)
    await api.patch(paused, {"status": 3})
    ten, half = "2030-06-03T10:00:00+02:00", "2030-06-03T10:30:00+02:00"

    rows = {row["alarm"]: row for row in await planned(api)}
    assert all(set(row) == KEYS for row in rows.values())
    assert rows[fine["url"]] == {
        "at": ten,
        "alarm": fine["url"],
        "event": link,
        "number": "+34600100200",
        "method": 1,
        "action": "call",
        "why": "",
        "until": None,
    }

    def told(row: dict[str, Any]) -> tuple[str, str, str, str | None]:
        found = rows[row["url"]]
        return found["at"], found["action"], found["why"], found["until"]

    assert told(waits) == (ten, "defer", "calling_hours", half)
    noon = "2030-06-03T12:00:00+02:00"
    assert told(late) == ("2030-06-03T09:30:00+02:00", "skip", "calling_hours", noon)
    assert told(out) == (ten, "skip", "do_not_call", None)
    assert told(wrong) == (ten, "skip", "wrong_number", None)
    assert told(held) == (ten, "skip", "event_paused", None)
    assert [row["at"] for row in await planned(api)] == sorted(row["at"] for row in rows.values())

    await set_days(api, holidays=["2030-06-03"])
    rows = {row["alarm"]: row for row in await planned(api)}
    tomorrow = "2030-06-04T00:00:00+02:00"
    assert told(fine) == (ten, "skip", "calling_hours", tomorrow)


async def test_it_is_what_admission_does(api: Api) -> None:
    made = await clinic(api)
    start = utcnow() - timedelta(seconds=1)
    times = {"start": start.isoformat(), "end": (start + timedelta(days=3)).isoformat()}
    link = (await event(api, made, **times))["url"]
    closed = start.astimezone(ZoneInfo("Europe/Madrid")) + timedelta(hours=3)
    for number, fields in enumerate(
        ({}, {"daily_start": f"{closed:%H:%M}", "daily_stop": f"{closed:%H:%M}:59"})
    ):
        await alarm(api, link, alarm_phonenumber=f"60000{number}", **fields)
    rows = await planned(api, page="1")
    assert [(row["number"], row["action"]) for row in rows] == [
        ("600000", "call"),
        ("600001", "defer"),
    ]
    await Planner(api.db).step()

    def claim() -> list[str]:
        holder = workers.enter("w", utcnow(), timedelta(seconds=60))
        admission = Admission(holder)
        return [call.number for call in admission.claim(utcnow(), 50).calls]

    assert await api.db.write(claim) == ["600000"]
    waits = await api.db.read(
        lambda: AlarmRequest.get(AlarmRequest.status == AlarmStatus.PENDING).date
    )
    assert waits == datetime.fromisoformat(rows[1]["until"])
    # What was put off is planned for the time that it was put off to.
    (row,) = await planned(api, page="1")
    assert (row["number"], row["action"]) == ("600001", "call")
    assert datetime.fromisoformat(row["at"]) == waits


async def test_nobody_sees_anothers_plan(api: Api) -> None:
    made = await clinic(api)
    await alarm(api, (await event(api, made))["url"])
    assert len(await planned(api)) == 1
    assert await planned(api, user="other") == []
    assert len(await planned(api, user="root")) == 1
    assert (await api.get("plan/", user=None)).status == 401


async def test_it_comes_in_pages_of_the_time_that_was_asked_for(api: Api) -> None:
    made = await clinic(api)
    for hour in (8, 9, 10):
        times = {"start": f"2030-06-03 {hour:02}:00", "end": "2030-06-03 20:00"}
        await alarm(api, (await event(api, made, **times))["url"])
    address = "plan/?after=2030-06-03 00:00&before=2030-06-03 10:00&page_size=1"
    first = (await api.get(address)).body
    assert (first["count"], first["previous"]) == (2, None)
    second = (await api.get(first["next"])).body
    assert (second["results"][0]["at"], second["next"]) == ("2030-06-03T09:00:00+02:00", None)
    assert (await api.get(address + "&page=3")).status == 404
    # Half a year ahead is beyond the thirty days that are said without `before`.
    assert (await api.get("plan/")).body["results"] == []


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("after=soon", "after"),
        ("before=2030-06-03 00:00&after=2030-06-04 00:00", "before"),
        ("after=2030-06-03 00:00&before=2032-06-04 00:00", "before"),
        ("page_size=0", "page_size"),
        ("days=3", "days"),
    ],
)
async def test_what_is_asked_wrongly_is_named(api: Api, query: str, wrong: str) -> None:
    reply = await api.get(f"plan/?{query}")
    assert (reply.status, list(reply.body)) == (400, [wrong])


async def test_the_load_counts_the_calls_of_each_trunk_by_the_hour(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    # The second is for the same moment as the first: it makes no call of its own.
    for fields in ({}, {}, {"daily_start": "10:30"}, {"daily_start": "12:00"}):
        await alarm(api, link, **fields)
    await alarm(api, link, advance_notice=3600)
    words = "&".join(f"{name}={value}" for name, value in DAY.items())
    reply = await api.get(f"plan/load/?{words}")
    assert reply.status == 200
    gateway = reply.body["results"][0]["gateway"]
    assert reply.body["results"] == [
        {"hour": "2030-06-03T07:00:00.000Z", "gateway": gateway, "calls": 1},
        {"hour": "2030-06-03T08:00:00.000Z", "gateway": gateway, "calls": 2},
    ]


async def test_a_call_is_planned_by_the_failover_of_a_gateway_that_is_inactive(api: Api) -> None:
    made = await clinic(api)
    await alarm(api, (await event(api, made))["url"])
    second = await api.made(
        "gateway/", {"name": "second", "gateways": "PJSIP/{number}@second"}, user="root"
    )
    await api.patch(made.gateway, {"status": "inactive"}, user="root")
    assert [(row["action"], row["why"]) for row in await planned(api)] == [
        ("defer", "gateway_inactive")
    ]
    await api.patch(made.gateway, {"failover": second["url"]}, user="root")
    assert [row["action"] for row in await planned(api)] == ["call"]
    words = "&".join(f"{name}={value}" for name, value in DAY.items())
    (load,) = (await api.get(f"plan/load/?{words}")).body["results"]
    assert load["gateway"] == "second"


async def recurring(api: Api, made: Clinic, start: str, **fields: Any) -> dict[str, Any]:
    """An event that recurs daily, for a month."""
    (daily,) = [row for row in (await api.get("rule/")).body["results"] if row["name"] == "Daily"]
    fields |= {"start": start, "end": start[:11] + "23:00", "rule": daily["url"]}
    return await event(api, made, **fields)


async def test_occurrences_that_are_not_made_yet_are_planned_and_so_are_clock_changes(
    api: Api,
) -> None:
    made = await clinic(api)
    link = (await recurring(api, made, "2030-03-29 02:30"))["url"]
    mine = await alarm(api, link, advance_notice=600)
    rows = await planned(api, after="2030-03-29 00:00", before="2030-04-02 00:00")
    assert [(row["at"], row["alarm"], row["action"], row["why"]) for row in rows] == [
        ("2030-03-29T02:20:00+01:00", mine["url"], "call", ""),
        ("2030-03-30T02:20:00+01:00", mine["url"], "call", ""),
        ("2030-03-31T03:20:00+02:00", mine["url"], "call", "clock_gap"),
        ("2030-04-01T02:20:00+02:00", mine["url"], "call", ""),
    ]
    rows = await planned(api, after="2030-04-27 00:00", before="2030-05-02 00:00")
    assert [row["at"][:10] for row in rows] == ["2030-04-27", "2030-04-28", "2030-04-29"]


async def test_a_child_that_is_made_already_is_planned_once_and_its_clock_change_is_told(
    api: Api,
) -> None:
    made = await clinic(api)
    link = (await recurring(api, made, "2030-03-30 02:30"))["url"]
    await alarm(api, link)
    planner = SeriesPlanner(api.db)
    await planner.step()
    (child,) = (await api.get(f"event/?parent_event={id_of(link)}")).body["results"]
    rows = await planned(api, after="2030-03-30 00:00", before="2030-04-02 00:00")
    assert [(row["at"], row["event"], row["why"]) for row in rows] == [
        ("2030-03-30T02:30:00+01:00", link, ""),
        ("2030-03-31T03:30:00+02:00", child["url"], "clock_gap"),
        ("2030-04-01T02:30:00+02:00", link, ""),
    ]


async def test_a_plan_of_many_is_cut_to_the_first_of_them(api: Api) -> None:
    made = await clinic(api)
    link = (await recurring(api, made, "2030-03-04 10:00"))["url"]
    await alarm(api, link)
    other = (await event(api, made, start="2030-03-06 09:00", end="2030-03-06 20:00"))["url"]
    await alarm(api, other)
    after = datetime(2030, 3, 1, tzinfo=UTC)

    def look() -> list[str]:
        login = Alarm.get().owner
        ask = partial(dry_run_dry_run.entries, login, utcnow(), after, after + timedelta(days=60))
        assert ask(1000)[:4] == ask(4)
        return [f"{entry.at:%d %H}" for entry in ask(4)]

    assert await api.db.read(look) == ["04 09", "05 09", "06 08", "06 09"]


async def test_the_command_prints_the_plan_the_load_and_the_clock_changes(
    api: Api, db: Database, config: Config
) -> None:
    made = await clinic(api)
    link = (await recurring(api, made, "2030-03-29 02:30", title="Pill"))["url"]
    await alarm(api, link)
    lines: list[str] = []
    now = datetime(2030, 3, 28, tzinfo=UTC)
    await db.read(plan_text.show, 5, now, lines.append)
    text = "\n".join(lines)
    assert "2030-03-31 03:30:00+02:00\tcall\t+34600100200\t" in text
    assert "2030-03-31 03:00 CEST\t" in text
    touched = text.split("clock changes\n")[1].splitlines()
    assert len(touched) == 1
    assert touched[0].startswith("2030-03-31 03:30:00+02:00\talarm ")
