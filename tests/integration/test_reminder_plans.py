"""Reminder plans: the alarms that events get by every road, and what later changes do to them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import peewee
import pytest
import pytest_asyncio
import time_machine

from telealarm.clock import utcnow
from telealarm.importing.undo import undo
from telealarm.models import Alarm, Event, Message
from telealarm.planning.series import SeriesPlanner
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus, Disposition
from tests.integration.api_client import Api, id_of
from tests.integration.import_book import Book
from tests.integration.stages import Stages

MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=MADRID)
HOUR, DAY = 3600, 86400
PENDING, SUCCESS, CANCELLED = AlarmStatus.PENDING, AlarmStatus.SUCCESS, AlarmStatus.CANCELLED
PHONE = "+34600100200"
MISSING = "person {} has no {}; give the person one, or the alarm"


@dataclass
class Desk:
    """An API and the stages on one database, with the clock at noon."""

    api: Api
    stages: Stages
    series: SeriesPlanner
    sms: str = ""

    async def plan(self, *steps: dict[str, Any], attach: bool = True) -> dict[str, Any]:
        made = await self.api.made("reminder-plan/", {"name": "p", "steps": list(steps)})
        if attach:
            body = {"reminder_plan": made["url"]}
            reply = await self.api.patch(f"calendar/{self.stages.calendar.id}/", body)
            assert reply.status == 200, reply.text
        return made

    async def change(self, plan: dict[str, Any], *steps: dict[str, Any]) -> dict[str, Any]:
        reply = await self.api.patch(plan["url"], {"steps": list(steps)})
        assert reply.status == 200, reply.text
        found: dict[str, Any] = reply.body
        return found

    async def event(self, start: str, **fields: Any) -> dict[str, Any]:
        body = {
            "title": "Visit",
            "calendar": self.stages.calendar.id,
            "start": start,
            "data": {"phone": PHONE, "email": "eva@example.com"},
            **fields,
        }
        return await self.api.made("event/", body)

    async def patch(self, link: str, body: Any) -> dict[str, Any]:
        reply = await self.api.patch(link, body)
        assert reply.status == 200, reply.text
        found: dict[str, Any] = reply.body
        return found

    async def alarms(self, event: str | dict[str, Any]) -> list[dict[str, Any]]:
        link = event if isinstance(event, str) else event["url"]
        found = await self.api.get(f"alarm/?event={id_of(link)}&page_size=100")
        rows: list[dict[str, Any]] = found.body["results"]
        return rows

    async def said(self, event: str | dict[str, Any]) -> list[str]:
        """The alarms of an event: when they are due, their trigger, status and reason."""
        return [
            " ".join(
                part
                for part in (
                    row["date_start_notice"][5:16].replace("T", " "),
                    row["trigger"],
                    AlarmStatus(row["status"]).name,
                    row["status_reason"],
                )
                if part
            )
            for row in sorted(await self.alarms(event), key=lambda row: id_of(row["url"]))
        ]

    async def children(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        await self.ahead()
        found = await self.api.get(f"event/?parent_event={id_of(event['url'])}")
        rows: list[dict[str, Any]] = found.body["results"]
        return sorted(rows, key=lambda row: row["start"])

    async def ahead(self) -> None:
        for _ in range(20):
            due = await self.series.step()
            if due is None or due > utcnow():
                return
        raise AssertionError("the series planner does not come to rest")

    async def texts(self) -> list[str]:
        """The SMS that were written, oldest first."""

        def read() -> list[str]:
            return [row.text for row in Message.select().order_by(Message.id)]

        return await self.stages.db.write(read)

    async def db_count(self) -> int:
        """How many alarms of plans there are."""
        of_plans = Alarm.select().where(Alarm.trigger != "", Alarm.deleted.is_null())
        return await self.stages.db.write(of_plans.count)

    async def ring(self, key: str = "") -> list[str]:
        """Make the calls that are due, and answer them with this key; their numbers."""
        rung = []
        for call in await self.stages.claim():
            rung.append(call.number)
            await self.stages.place(call)
            await self.stages.end(call, Disposition.ANSWER, 16, key=key)
        return rung


@pytest_asyncio.fixture
async def desk(api: Api, db: Database) -> AsyncIterator[Desk]:
    with time_machine.travel(NOON, tick=False):
        made = Desk(api, await Stages.build(db), SeriesPlanner(db))
        text = {"label": "told", "sms_text": "{title}: {start_date} {start_time}"}
        made.sms = (await api.made("sms-template/", text))["url"]
        yield made


def before(hours: float, **fields: Any) -> dict[str, Any]:
    return {"trigger": "before", "offset": int(hours * HOUR), **fields}


def after(hours: float, **fields: Any) -> dict[str, Any]:
    return {"trigger": "after", "offset": int(hours * HOUR), **fields}


async def test_an_event_gets_an_alarm_for_each_step(desk: Desk) -> None:
    follow_up = after(24, method=2, sms_template=desk.sms)
    plan = await desk.plan(before(24, name="call"), before(2, method="sms"), follow_up)
    assert [step["method"] for step in plan["steps"]] == [1, 2, 2]
    event = await desk.event("2026-06-10 09:00")
    assert await desk.said(event) == [
        "06-09 09:00 before PENDING",
        "06-10 07:00 before PENDING",
        "06-11 10:00 after PENDING",
    ]
    rows = await desk.alarms(event)
    assert {row["alarm_phonenumber"] for row in rows} == {PHONE}
    assert {row["reminder_step"] for row in rows} == {step["id"] for step in plan["steps"]}
    # The one after the event is wanted for a day; it moves with the end of the event.
    await desk.patch(event["url"], {"end": "2026-06-10 09:30"})
    assert (await desk.said(event))[2] == "06-11 09:30 after PENDING"
    for moment, number in (("2026-06-11 09:29", 0), ("2026-06-12 09:29", 1)):
        with time_machine.travel(datetime.fromisoformat(moment).replace(tzinfo=MADRID), tick=False):
            await desk.stages.claim()
            last = sorted(await desk.alarms(event), key=lambda row: id_of(row["url"]))[2]
            assert last["num_attempt"] == 0
            assert last["status"] == (AlarmStatus.IN_PROCESS if number else PENDING)


async def test_an_event_without_a_plan_gets_none_and_an_own_plan_goes_first(desk: Desk) -> None:
    assert await desk.said(await desk.event("2026-06-10 09:00")) == []
    await desk.plan(before(24))
    other = await desk.plan(before(3), attach=False)
    event = await desk.event("2026-06-10 09:00", reminder_plan=other["url"])
    assert await desk.said(event) == ["06-10 06:00 before PENDING"]
    await desk.patch(event["url"], {"reminder_plan": None})
    assert await desk.said(event) == ["06-09 09:00 before PENDING"]


async def test_types_and_early_bookings(desk: Desk) -> None:
    await desk.plan(before(1, types=["Surgery"]), before(24, booked_ahead_hours=48), before(3))
    late = await desk.event("2026-06-03 09:00", type="checkup")
    assert await desk.said(late) == [
        "06-02 09:00 before CANCELLED booked_late",
        "06-03 06:00 before PENDING",
    ]
    early = await desk.event("2026-06-10 09:00", type="surgery")
    assert await desk.said(early) == [
        "06-10 08:00 before PENDING",
        "06-09 09:00 before PENDING",
        "06-10 06:00 before PENDING",
    ]
    await desk.patch(early["url"], {"type": ""})
    assert len(await desk.said(early)) == 2


async def test_a_late_booking_gets_one_late_notice(desk: Desk) -> None:
    await desk.plan(before(72), before(24), before(2), before(0.5))
    event = await desk.event("2026-06-01 13:00")
    assert await desk.said(event) == [
        "05-29 13:00 before CANCELLED later_step",
        "05-31 13:00 before CANCELLED later_step",
        "06-01 11:00 before PENDING",
        "06-01 12:30 before PENDING",
    ]
    assert await desk.ring() == [PHONE]


async def test_without_a_number_the_event_is_booked_and_it_is_told(desk: Desk) -> None:
    await desk.plan(before(24, name="call"), before(2, method=3))
    event = await desk.event("2026-06-10 09:00", data={"email": "eva@example.com"})
    assert event["not_planned"] == ["step 'call': the event's data has no 'phone'"]
    row = sorted(await desk.alarms(event), key=lambda row: id_of(row["url"]))[0]
    told = await desk.api.get(row["url"] + "timeline/")
    assert [line["what"] for line in told.body["results"]] == ["created", "wrong"]
    plan = (await desk.api.get("plan/")).body["results"]
    assert [(one["action"], one["why"]) for one in plan] == [
        ("skip", "no_recipient"),
        ("email", ""),
    ]
    await desk.patch(event["url"], {"data": {"phone": "600 100 200"}})
    plan = (await desk.api.get("plan/")).body["results"]
    assert (plan[0]["action"], plan[0]["number"]) == ("call", "600100200")
    # Nobody can be called: the alarm fails when it is due, and is not forgotten.
    nobody = await desk.event("2026-06-01 12:30", data={})
    assert await desk.ring() == []
    assert "FAILURE no_recipient" in " ".join(await desk.said(nobody))


async def test_the_alarms_of_a_plan_follow_the_person(desk: Desk) -> None:
    plan = await desk.plan(before(24), before(2, method=3))
    carer = (await desk.api.made("person/", {"name": "Bo", "numbers": ["+34600100201"]}))["url"]
    body = {"name": "Ann", "numbers": ["+34600100202"], "email": ""}
    ann = (await desk.api.made("person/", body))["url"]
    event = await desk.event("2026-06-10 09:00", person=ann, data=None)
    assert event["not_planned"] == [
        f"step {plan['steps'][1]['id']}: {MISSING.format(id_of(ann), 'mail address')}"
    ]
    await desk.patch(ann, {"numbers": ["+34600100203"], "email": "ann@example.com"})
    rows = await desk.alarms(event)
    reached = {(row["alarm_phonenumber"], row["alarm_email"]) for row in rows}
    assert reached == {("+34600100203", "ann@example.com")}
    # A carer who is told as well gets the same steps, and what the plan does to them.
    await desk.patch(ann, {"carer": carer, "carer_mode": "also"})
    other = await desk.event("2026-06-11 09:00", person=ann, data=None)
    for one in (event, other):
        numbers = [row["alarm_phonenumber"] for row in await desk.alarms(one)]
        assert sorted(numbers) == ["+34600100201", "+34600100203", "+34600100203"]
    await desk.change(plan, {**plan["steps"][0], "offset": 12 * HOUR})
    for one, day in ((event, "09"), (other, "10")):
        assert await desk.said(one) == [f"06-{day} 21:00 before PENDING"] * 2
    # Without a number, nobody is refused: the plan shows that nobody is reached.
    await desk.patch(ann, {"carer": None, "carer_mode": "", "numbers": []})
    shown = (await desk.api.get("plan/")).body["results"]
    assert {(one["action"], one["why"]) for one in shown} == {("skip", "no_recipient")}
    await desk.patch(event["url"], {"person": carer})
    [row] = await desk.alarms(event)
    assert row["alarm_phonenumber"] == "+34600100201"


async def test_a_change_of_the_plan_reaches_what_has_not_begun(desk: Desk) -> None:
    plan = await desk.plan(before(24), before(2))
    first, second = plan["steps"]
    ahead = await desk.event("2026-06-10 09:00")
    rung = await desk.event("2026-06-02 11:00")
    assert await desk.ring(key="7") == [PHONE]
    changed = await desk.change(plan, {**first, "offset": 48 * HOUR, "maxretry": 3}, before(1))
    assert changed["steps"][0]["id"] == first["id"]
    assert await desk.said(ahead) == ["06-08 09:00 before PENDING", "06-10 08:00 before PENDING"]
    assert {row["maxretry"] for row in await desk.alarms(ahead)} == {0, 3}
    # What rang already stays in the log as it was, and is not rung again.
    assert await desk.said(rung) == ["06-01 11:00 before SUCCESS", "06-02 10:00 before PENDING"]
    await desk.change(plan)
    assert await desk.said(ahead) == []
    assert await desk.said(rung) == ["06-01 11:00 before SUCCESS"]
    assert second["id"] != first["id"]


async def test_what_was_changed_by_hand_stays(desk: Desk) -> None:
    plan = await desk.plan(before(24), before(4), before(2))
    event = await desk.event("2026-06-10 09:00")
    edited, deleted, cancelled = sorted(await desk.alarms(event), key=lambda row: row["url"])
    await desk.patch(edited["url"], {"maxretry": 9})
    assert (await desk.api.delete(deleted["url"])).status == 204
    await desk.patch(cancelled["url"], {"status": CANCELLED})
    steps = [{**step, "offset": step["offset"] + HOUR, "maxretry": 1} for step in plan["steps"]]
    await desk.change(plan, *steps)
    hand = ["06-09 09:00 before PENDING", "06-10 07:00 before CANCELLED cancelled"]
    assert await desk.said(event) == hand
    assert {row["maxretry"] for row in await desk.alarms(event)} == {9, 0}
    await desk.change(plan, before(12))
    assert await desk.said(event) == [*hand, "06-09 21:00 before PENDING"]


async def test_attaching_and_detaching(desk: Desk) -> None:
    early = await desk.event("2026-06-10 09:00")
    await desk.event("2026-05-01 09:00")
    plan = await desk.plan(before(24))
    assert await desk.said(early) == ["06-09 09:00 before PENDING"]
    assert await desk.db_count() == 1
    refused = await desk.api.delete(plan["url"])
    assert refused.status == 409
    assert "set the calendar's reminder_plan" in refused.body["detail"]
    await desk.patch(f"calendar/{desk.stages.calendar.id}/", {"reminder_plan": None})
    assert await desk.said(early) == []
    assert (await desk.api.delete(plan["url"])).status == 204


async def test_a_plan_is_detached_and_deleted_while_its_alarm_rings(desk: Desk) -> None:
    plan = await desk.plan(before(1))
    event = await desk.event("2026-06-01 12:30")
    [call] = await desk.stages.claim()
    await desk.stages.place(call)
    await desk.patch(f"calendar/{desk.stages.calendar.id}/", {"reminder_plan": None})
    assert (await desk.api.delete(plan["url"])).status == 204
    await desk.stages.end(call, Disposition.ANSWER, 16, key="1")
    [row] = await desk.alarms(event)
    assert (row["status"], row["result"], row["reminder_step"]) == (SUCCESS, 1, None)


async def test_the_condition_of_a_step_decides_what_an_answer_calls_off(desk: Desk) -> None:
    await desk.plan(before(24), before(4, only_if_unanswered=True), before(2))
    event = await desk.event("2026-06-02 11:00")
    assert await desk.ring(key="1") == [PHONE]
    assert await desk.said(event) == [
        "06-01 11:00 before SUCCESS",
        "06-02 07:00 before CANCELLED settled",
        "06-02 09:00 before PENDING",
    ]
    # An answer belongs to the time that was asked about.
    await desk.patch(event["url"], {"start": "2026-06-09 11:00", "end": "2026-06-09 12:00"})
    assert await desk.said(event) == [
        "06-08 11:00 before SUCCESS",
        "06-09 07:00 before PENDING",
        "06-09 09:00 before PENDING",
        "06-08 11:00 before PENDING",
    ]
    refused = await desk.event("2026-06-02 11:30")
    assert await desk.ring(key="2") == [PHONE]
    assert [line.split()[-1] for line in await desk.said(refused)] == [
        *("SUCCESS", "settled", "settled")
    ]


async def test_booking_moving_and_cancelling_are_told(desk: Desk) -> None:
    told = [
        {"trigger": trigger, "method": 2, "sms_template": desk.sms}
        for trigger in ("booked", "moved", "cancelled")
    ]
    await desk.plan(*told, before(24))
    event = await desk.event("2026-06-10 09:00")
    assert await desk.said(event) == ["06-09 09:00 before PENDING", "06-01 12:00 booked PENDING"]
    await desk.stages.claim()
    await desk.patch(event["url"], {"start": "2026-06-11 09:00", "end": "2026-06-11 10:00"})
    await desk.stages.claim()
    assert await desk.texts() == [
        "Visit: Wednesday, June 10 9:00 AM",
        "Visit: Thursday, June 11 9:00 AM",
    ]
    assert (await desk.api.delete(event["url"])).status == 204
    await desk.stages.claim()
    assert (await desk.texts())[2:] == ["Visit: Thursday, June 11 9:00 AM"]
    # By its status too; and not if it has begun.
    other = await desk.event("2026-06-12 09:00")
    await desk.patch(other["url"], {"status": 2})
    assert await desk.said(other) == [
        "06-11 09:00 before CANCELLED event_completed",
        "06-01 12:00 booked CANCELLED event_completed",
        "06-01 12:00 cancelled PENDING",
    ]
    await desk.patch(other["url"], {"status": 1})
    assert await desk.said(other) == [
        "06-11 09:00 before PENDING",
        "06-01 12:00 booked CANCELLED event_completed",
    ]


async def test_a_series_is_told_once_and_each_occurrence_is_reminded(desk: Desk) -> None:
    booked = {"trigger": "booked", "method": 2, "sms_template": desk.sms}
    off = {"trigger": "cancelled", "method": 2, "sms_template": desk.sms}
    plan = await desk.plan(booked, off, before(72), before(24), before(2))
    rule = (await desk.api.made("rule/", {"name": "r", "rrule": "FREQ=DAILY"}))["url"]
    event = await desk.event("2026-06-02 09:00", rule=rule, end_recurring_period=None)
    first = await desk.said(event)
    assert first[-1] == "06-01 12:00 booked PENDING"
    assert [line.split()[3:] for line in first[:3]] == [
        *(["CANCELLED", "later_step"], ["PENDING"], ["PENDING"])
    ]
    children = await desk.children(event)
    # Tomorrow's has passed its first step only; nobody gets three reminders at once.
    assert await desk.said(children[0]) == [
        "05-31 09:00 before PENDING",
        "06-02 09:00 before PENDING",
        "06-03 07:00 before PENDING",
    ]
    # A change of the plan reaches the occurrences once.
    kept = plan["steps"][:2]
    await desk.change(plan, *kept, before(5))
    children = await desk.children(event)
    assert {tuple(await desk.said(child)) for child in children} == {
        (f"06-0{3 + day} 04:00 before PENDING",) for day in range(len(children))
    }
    assert {len(await desk.said(child)) for child in children} == {1}
    # Cancelling one occurrence tells of that one, also if it has no event yet.
    for start in (children[0]["start"], "2026-06-20T09:00"):
        reply = await desk.api.post(f"{event['url']}cancel_occurrence/", {"start": start})
        assert reply.status == 200, reply.text
    await desk.stages.claim()
    assert (await desk.texts())[-2:] == [
        "Visit: Wednesday, June 3 9:00 AM",
        "Visit: Saturday, June 20 9:00 AM",
    ]
    # The end of the series is told once, for what comes next.
    number = len(await desk.texts())
    assert (await desk.api.delete(event["url"])).status == 204
    await desk.stages.claim()
    assert (await desk.texts())[number:] == ["Visit: Tuesday, June 2 9:00 AM"]


async def test_wrong_plans_are_refused_with_the_step(desk: Desk) -> None:
    theirs = await desk.api.made("sms-template/", {"label": "l", "sms_text": "t"}, user="other")
    wrong = [
        [before(1), before(1, sms_template=theirs["url"])],
        [before(1), {"trigger": "after", "method": 2}],
        [before(1), {"trigger": "cancelled"}],
        [before(1), {"trigger": "never"}],
        [before(1), {"offset": -1}],
        [before(1), {"id": 99, "offset": 60}],
        [before(1), {"colour": "red"}],
    ]
    for steps in wrong:
        reply = await desk.api.post("reminder-plan/", {"name": "p", "steps": steps})
        assert reply.status == 400, steps
        assert list(reply.body) == ["steps"]
        assert reply.body["steps"][0].startswith("step 2: "), reply.text
    plan = await desk.plan(before(1), attach=False)
    foreign = await desk.api.patch(plan["url"], {"name": "x"}, user="other")
    assert foreign.status == 404
    reply = await desk.api.patch(f"calendar/{desk.stages.calendar.id}/", {"reminder_plan": 98765})
    assert reply.status == 400


async def test_a_calendar_of_many_events_follows_in_sets(desk: Desk) -> None:
    def write() -> None:
        calendar = desk.stages.calendar
        start = utcnow() + timedelta(days=5)
        rows = [
            {
                "owner": calendar.owner_id,
                "title": "v",
                "start": start + timedelta(minutes=number),
                "end": start + timedelta(minutes=number + 30),
                "creator": calendar.user_id,
                "calendar": calendar.id,
                "data": {"phone": f"+3460010{number:04}"},
            }
            for number in range(600)
        ]
        for row in rows:
            Event.create(**row)

    await desk.stages.write(write)
    plan = await desk.plan(before(24), before(2))
    # The next ones at once, and the others after it: nobody waits for a large calendar.
    assert await desk.db_count() == 1000
    await desk.ahead()
    assert await desk.db_count() == 1200
    await desk.change(plan, {**plan["steps"][0], "offset": 12 * HOUR})
    await desk.ahead()
    assert await desk.db_count() == 600
    rows = (await desk.api.get("alarm/?page_size=1000")).body["results"]
    assert min(row["date_start_notice"] for row in rows).startswith("2026-06-06T00:00")


async def test_imported_events_follow_the_plan_and_not_the_alarms_of_the_file(book: Book) -> None:
    plan = await book.api.made(
        "reminder-plan/", {"name": "p", "steps": [before(24), before(2, types=["x-ray"])]}
    )
    calendar = (await book.api.get("calendar/")).body["results"][0]["url"]
    await book.api.patch(calendar, {"reminder_plan": plan["url"]})
    rows = "title,start,alarm_phonenumber,advance_notice,type,uid\n"
    line = "{},2026-12-0{} 10:00,600100200,600,{},{}\n"
    report = book.text(rows + line.format("A", 3, "", "a") + line.format("B", 4, "X-ray", "b"))
    assert (report.counts["made"], report.refused) == (2, [])
    expected = [
        "2026-12-02T10:00 600100200",
        "2026-12-03T10:00 600100200",
        "2026-12-04T08:00 600100200",
    ]
    assert await book.calls() == expected
    again = book.text(rows + line.format("A", 3, "", "a") + line.format("B", 4, "X-ray", "b"))
    assert again.counts == {"unchanged": 2}
    moved = book.text(rows + line.format("A", 5, "", "a") + line.format("B", 4, "", "b"))
    assert moved.counts == {"changed": 2}
    assert await book.calls() == ["2026-12-03T10:00 600100200", "2026-12-04T10:00 600100200"]


async def test_a_file_moves_and_cancels_what_its_plan_tells_once(book: Book) -> None:
    sms = await book.api.made("sms-template/", {"label": "l", "sms_text": "{title}"})
    told = [
        {"trigger": trigger, "method": 2, "sms_template": sms["url"]}
        for trigger in ("booked", "moved", "cancelled")
    ]
    body = {"name": "p", "steps": [before(24), *told]}
    plan = await book.api.made("reminder-plan/", body)
    calendar = (await book.api.get("calendar/")).body["results"][0]["url"]
    await book.api.patch(calendar, {"reminder_plan": plan["url"]})

    async def alarms() -> list[str]:
        rows = (await book.api.get("alarm/?page_size=100")).body["results"]
        own = [row for row in rows if row["trigger"] not in ("", "booked") and row["status"] == 1]
        return sorted(f"{row['trigger']} {row['date_start_notice'][:16]}" for row in own)

    one = "UID:one\nSUMMARY:A\nDTSTART:2026120{}T100000Z"
    series = "UID:all\nSUMMARY:S\nRRULE:FREQ=DAILY;COUNT=3\nDTSTART:20261201T100000Z"
    book.ics(one.format(3), series)
    await book.calls()
    now = "2026-11-29T13:00"
    assert await alarms() == [f"before 2026-1{day}T11:00" for day in ("1-30", "2-01", "2-02")]
    # One is moved, and the second occurrence of the series is excluded.
    excluding = series + "\nEXDATE:20261202T100000Z"
    book.ics(one.format(5), excluding)
    await book.calls()
    left = [f"before 2026-1{day}T11:00" for day in ("1-30", "2-02", "2-04")]
    assert await alarms() == [*left, f"cancelled {now}", f"moved {now}"]
    report = book.ics(one.format(5) + "\nSTATUS:CANCELLED", excluding)
    assert report.counts["cancelled"] == 1
    assert await alarms() == [*left[:2], f"cancelled {now}", f"cancelled {now}"]
    # It is in the file again: nobody is told any more that it is cancelled.
    book.ics(one.format(5), excluding)
    assert await alarms() == [*left, f"cancelled {now}", f"moved {now}"]


async def test_an_import_into_a_calendar_with_a_plan_is_taken_back(book: Book) -> None:
    body = {"name": "p", "steps": [before(24), before(2)]}
    plan = await book.api.made("reminder-plan/", body)
    calendar = (await book.api.get("calendar/")).body["results"][0]["url"]
    await book.api.patch(calendar, {"reminder_plan": plan["url"]})
    rows = "title,start,alarm_phonenumber,uid\nA,2026-12-0{} 10:00,600100200,a\n"
    first = book.text(rows.format(3))
    second = book.text(rows.format(5))
    assert first.run_id is not None and second.run_id is not None
    assert undo(book.api.db, second.run_id).left == []
    assert await book.calls() == ["2026-12-02T10:00 600100200", "2026-12-03T08:00 600100200"]
    assert undo(book.api.db, first.run_id).left == []
    assert await book.calls() == []


async def test_a_plan_that_comes_after_the_import_takes_the_alarms_of_the_file_over(
    book: Book,
) -> None:
    """Of one event, or of the calendar: nobody is called by the file and by the plan."""
    rows = "title,start,alarm_phonenumber,advance_notice,uid\n" + "".join(
        f"{day},2026-12-0{day} 10:00,600100200,600,{day}\n" for day in range(1, 6)
    )
    book.text(rows)
    alone = [f"2026-12-0{day}T09:50 600100200" for day in range(1, 6)]
    assert await book.calls() == alone
    plan = await book.api.made("reminder-plan/", {"name": "p", "steps": [before(2)]})
    (first, *_) = sorted(await book.events(), key=lambda event: str(event["start"]))
    calendar = (await book.api.get("calendar/")).body["results"][0]["url"]
    for place in (first["url"], calendar):
        planned = [f"2026-12-0{day}T08:00 600100200" for day in range(1, 6)]
        expected = [planned[0], *alone[1:]] if place == first["url"] else planned
        await book.api.patch(place, {"reminder_plan": plan["url"]})
        for _ in range(2):
            assert await book.calls() == expected
            assert book.text(rows).refused == []
        await book.api.patch(place, {"reminder_plan": None})
        book.text(rows)
        assert await book.calls() == alone
    # Events that are new while the calendar has the plan.
    await book.api.patch(calendar, {"reminder_plan": plan["url"]})
    new = rows.replace("2026-12-0", "2026-12-1").replace("600,", "600,new")
    book.text(rows + new.split("\n", 1)[1])
    both = [*planned, *(one.replace("2026-12-0", "2026-12-1") for one in planned)]
    assert await book.calls() == both


async def test_an_event_without_a_plan_asks_for_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    execute = peewee.Database.execute_sql

    def counted(self: Any, sql: str, *args: Any, **options: Any) -> Any:
        asked.append(sql)
        return execute(self, sql, *args, **options)

    monkeypatch.setattr(peewee.Database, "execute_sql", counted)
    await desk.event("2026-06-10 09:00")
    tables = ('FROM "reminder_plan"', 'FROM "reminder_step"', 'FROM "alarm"')
    assert [sql for sql in asked if any(table in sql for table in tables)] == []
    assert any('INSERT INTO "event"' in sql for sql in asked)
