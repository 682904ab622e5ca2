"""Events: their times, and how their alarms follow them."""

from datetime import timedelta
from typing import Any

import pytest

from telealarm.clock import utcnow
from telealarm.models import Alarm, AlarmRequest, Event, Timeline
from telealarm.words import AlarmStatus
from tests.integration.api_client import Api, Clinic, clinic, id_of
from tests.lab.speed import limit

PENDING, IN_PROCESS, RETRY, CANCELLED = (
    AlarmStatus.PENDING,
    AlarmStatus.IN_PROCESS,
    AlarmStatus.RETRY,
    AlarmStatus.CANCELLED,
)


async def event(api: Api, made: Clinic, **fields: Any) -> dict[str, Any]:
    start = {"start": "2030-06-03 10:00", "end": "2030-06-03 11:00"}
    return await api.made("event/", {"title": "t", "calendar": made.calendar, **start, **fields})


async def alarm(api: Api, link: str, **fields: Any) -> dict[str, Any]:
    return await api.made(
        "alarm/", {"event": link, "alarm_phonenumber": "+34 600-100-200", **fields}
    )


async def due(api: Api, link: str) -> str | None:
    row = await api.db.read(lambda: Alarm.get_by_id(id_of(link)))
    return row.due and f"{row.due:%Y-%m-%d %H:%M}"


async def told(api: Api, link: str) -> list[tuple[str, str]]:
    """The alarm's timeline, as what and why."""
    entries = (await api.get(link + "timeline/")).body["results"]
    return [(entry["what"], entry["why"]) for entry in entries]


async def put_status(api: Api, link: str, status: int) -> None:
    """As the stages would: an attempt with this status, and the alarm in process with it."""

    def write() -> None:
        row = Alarm.get_by_id(id_of(link))
        AlarmRequest.create(owner=row.owner_id, alarm=row, date=utcnow(), status=status)
        Alarm.update(status=IN_PROCESS, num_attempt=1).where(Alarm.id == row.id).execute()

    await api.db.write(write)


DATES = [
    ("2030-06-03 10:00:00", "2030-06-03T10:00:00+02:00"),
    ("2030-06-03T10:00:00", "2030-06-03T10:00:00+02:00"),
    ("2030-06-03 10:00", "2030-06-03T10:00:00+02:00"),
    ("2030-12-03 10:00:00", "2030-12-03T10:00:00+01:00"),
    ("2030-06-03T10:00:00Z", "2030-06-03T12:00:00+02:00"),
    ("2030-06-03 10:00:00+00:00", "2030-06-03T12:00:00+02:00"),
    ("2030-06-03T10:00:00.5-04:00", "2030-06-03T16:00:00.500000+02:00"),
    # A time in the gap of the clock moves forward by the gap; one that comes twice is the
    # first.
    ("2030-03-31 02:30:00", "2030-03-31T03:30:00+02:00"),
    ("2030-10-27 02:30:00", "2030-10-27T02:30:00+02:00"),
]


async def test_dates_in_all_their_forms(api: Api) -> None:
    made = await clinic(api)
    for sent, shown in DATES:
        found = await event(api, made, start=sent, end=None)
        assert found["start"] == shown


async def test_the_zone_of_an_event_comes_from_the_nearest_that_has_one(api: Api) -> None:
    made = await clinic(api)
    profile = made.user.replace("calendar-user", "calendar-user-profile")
    offsets = []

    async def note() -> None:
        offsets.append((await event(api, made))["start"][-6:])

    await note()
    await api.patch(profile, {"timezone": "America/New_York"})
    await note()
    await api.patch(made.calendar, {"timezone": "Asia/Tokyo"})
    await note()
    assert offsets == ["+02:00", "-04:00", "+09:00"]
    found = await event(api, made, timezone="Asia/Kolkata")
    assert found["start"] == "2030-06-03T10:00:00+05:30"
    listed = (await api.get("event/?page_size=1&page=4")).body["results"]
    assert listed == [found]


async def test_times_that_were_left_out(api: Api) -> None:
    made = await clinic(api)
    found = await api.made("event/", {"title": "t", "calendar": made.calendar})
    row = await api.db.read(lambda: Event.get_by_id(id_of(found["url"])))
    assert abs((utcnow() - row.start).total_seconds()) < limit(10)
    assert row.start.microsecond == 0
    assert (row.end - row.start).total_seconds() == 3600
    assert found["creator"] == made.user
    found = await event(api, made, start="2030-01-31 10:00", end=None)
    assert found["end"] == "2030-01-31T11:00:00+01:00"
    assert found["end_recurring_period"] == "2030-02-28T10:00:00+01:00"


async def test_an_edit_of_the_times_is_checked_against_the_rest(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    for body in ({"start": "2030-06-03 11:00"}, {"end": "2030-06-03 10:00"}):
        reply = await api.patch(link, body)
        assert (reply.status, reply.body) == (400, {"end": ["must be later than start"]})
    assert (await api.get(link)).body["start"] == "2030-06-03T10:00:00+02:00"
    reply = await api.patch(link, {"end": "2030-06-03 10:30"})
    assert reply.body["end"] == "2030-06-03T10:30:00+02:00"


async def test_alarms_follow_their_event(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    one = await alarm(api, link, advance_notice=3600)
    two = await alarm(api, link, date_start_notice="2030-06-02 10:00")
    assert one["alarm_phonenumber"] == "+34600100200"
    assert one["date_start_notice"] == "2030-06-03T10:00:00+02:00"
    assert two["date_start_notice"] == "2030-06-02T10:00:00+02:00"
    assert await due(api, one["url"]) == "2030-06-03 07:00"
    assert await due(api, two["url"]) == "2030-06-02 08:00"
    await api.patch(link, {"start": "2030-06-04 12:00", "end": "2030-06-04 13:00"})
    assert await due(api, one["url"]) == "2030-06-04 09:00"
    assert await due(api, two["url"]) == "2030-06-03 10:00"
    shown = (await api.get(two["url"])).body
    assert shown["date_start_notice"] == "2030-06-03T12:00:00+02:00"


async def test_an_event_that_moves_takes_back_what_waits(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    one = (await alarm(api, link))["url"]
    await put_status(api, one, PENDING)
    await api.patch(link, {"start": "2030-06-04 12:00", "end": "2030-06-04 13:00"})
    assert (await api.get(one)).body["status"] == PENDING
    attempts = (await api.get(f"alarm-request/?alarm={one}")).body["results"]
    assert [(row["status"], row["status_reason"]) for row in attempts] == [
        (CANCELLED, "rescheduled")
    ]


async def test_a_paused_event_rings_nobody(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    waits, rings, fresh = [(await alarm(api, link))["url"] for _ in range(3)]
    await put_status(api, waits, PENDING)
    await put_status(api, rings, IN_PROCESS)

    reply = await api.patch(link, {"status": "paused"})
    assert (reply.status, reply.body["status"]) == (200, 3)
    assert [await due(api, one) for one in (waits, rings, fresh)] == [None, None, None]
    assert [(await api.get(one)).body["status"] for one in (waits, rings, fresh)] == [
        PENDING,
        IN_PROCESS,
        PENDING,
    ]
    assert (await api.get(waits)).body["num_attempt"] == 1
    (attempt,) = (await api.get(f"alarm-request/?alarm={waits}")).body["results"]
    assert (attempt["status"], attempt["status_reason"]) == (CANCELLED, "event_paused")
    (attempt,) = (await api.get(f"alarm-request/?alarm={rings}")).body["results"]
    assert attempt["status"] == IN_PROCESS
    assert (await told(api, waits))[-1] == ("paused", "event_paused")
    reply = await api.post("alarm-request/", {"alarm": fresh})
    assert reply.status == 409

    # What is written while it is paused waits, too.
    late = (await alarm(api, link))["url"]
    assert await due(api, late) is None

    reply = await api.patch(link, {"status": 1})
    assert reply.body["status"] == 1
    assert await due(api, late) == await due(api, waits) == "2030-06-03 08:00"
    assert (await told(api, late))[-1][0] == "resumed"


async def test_what_was_over_while_its_event_was_paused_is_not_owed(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    one = (await alarm(api, link))["url"]
    past = {"start": "2020-01-01 10:00", "end": "2020-01-01 11:00"}
    assert (await api.patch(link, {"status": 3, **past})).status == 200
    assert (await api.patch(link, {"status": 1})).status == 200
    shown = (await api.get(one)).body
    assert (shown["status"], shown["status_reason"]) == (AlarmStatus.MISSED, "event_paused")
    assert await due(api, one) is None


async def test_an_event_completed_by_hand_calls_its_alarms_off(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    one = (await alarm(api, link))["url"]
    assert (await api.patch(link, {"status": 2})).status == 200
    shown = (await api.get(one)).body
    assert (shown["status"], shown["status_reason"]) == (CANCELLED, "event_completed")
    reply = await api.patch(link, {"status": 3})
    assert (reply.status, list(reply.body)) == (400, ["status"])
    reply = await api.post("alarm/", {"event": link, "alarm_phonenumber": "600100200"})
    assert (reply.status, list(reply.body)) == (400, ["event"])


async def test_an_event_that_has_ended_lives_again_when_it_is_moved(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made, start="2020-01-01 10:00", end="2020-01-01 11:00"))["url"]
    await api.patch(link, {"status": 2})
    reply = await api.patch(link, {"status": 1})
    assert (reply.status, list(reply.body)) == (400, ["status"])
    reply = await api.patch(link, {"start": "2031-01-01 10:00", "end": "2031-01-01 11:00"})
    assert (reply.status, reply.body["status"]) == (200, 1)


async def test_the_series_is_paused_as_far_as_it_has_not_begun(api: Api) -> None:
    made = await clinic(api)
    parent = (await event(api, made, start="2020-01-01 10:00", end="2020-01-01 11:00"))["url"]
    began = (await event(api, made, start="2020-01-02 10:00", end="2020-01-02 11:00"))["url"]
    ahead = (await event(api, made))["url"]

    def link_them() -> None:
        children = [id_of(began), id_of(ahead)]
        Event.update(parent_event=id_of(parent)).where(Event.id.in_(children)).execute()

    await api.db.write(link_them)
    children = (await api.get(parent + "get_list_child/")).body
    assert children == [
        {
            "url": began,
            "start": "2020-01-02 09:00:00+00:00",
            "end": "2020-01-02 10:00:00+00:00",
            "description": "",
            "title": "t",
        },
        {
            "url": ahead,
            "start": "2030-06-03 08:00:00+00:00",
            "end": "2030-06-03 09:00:00+00:00",
            "description": "",
            "title": "t",
        },
    ]
    reply = await api.patch(parent + "update_last_child_status/", {"status": 3})
    assert reply.body == {"status": "event status has been updated"}
    states = [(await api.get(link)).body["status"] for link in (parent, began, ahead)]
    assert states == [1, 1, 3]
    assert (await api.get(f"event/?parent_event={parent}")).body["count"] == 2
    await api.delete(ahead)
    (only,) = [(await api.get(parent + "get_list_child/")).body]
    assert only["url"] == began


async def test_to_pause_what_has_ended_changes_nothing(api: Api) -> None:
    made = await clinic(api)
    ended = (await event(api, made, start="2020-01-02 10:00", end="2020-01-02 11:00"))["url"]
    await api.patch(ended, {"status": 2})
    for path in (ended, ended + "update_last_child_status/"):
        assert (await api.patch(path, {"status": 3})).status == 200
        assert (await api.get(ended)).body["status"] == 2
    # What was completed before its time is not over.
    early = (await event(api, made))["url"]
    await api.patch(early, {"status": 2})
    reply = await api.patch(early, {"status": 3})
    assert (reply.status, "set its status to 1 first" in reply.body["status"][0]) == (400, True)


async def test_deleting_hides_and_calls_off_but_keeps_the_log(api: Api) -> None:
    made = await clinic(api)
    link = (await event(api, made))["url"]
    waits, rings, over = [(await alarm(api, link))["url"] for _ in range(3)]
    await put_status(api, waits, PENDING)
    await put_status(api, rings, IN_PROCESS)
    await api.patch(over, {"status": 7})
    assert (await api.delete(made.calendar)).status == 204
    for gone in (made.calendar, link, waits, rings, over):
        assert (await api.get(gone)).status == 404
    assert (await api.get("alarm/")).body["count"] == 0
    attempts = (await api.get("alarm-request/")).body["results"]
    assert [(row["status"], row["status_reason"]) for row in attempts] == [
        (CANCELLED, "deleted"),
        (IN_PROCESS, ""),
    ]

    def rows() -> list[tuple[int, Any, str]]:
        return [
            (row.status, row.due, row.status_reason) for row in Alarm.select().order_by(Alarm.id)
        ]

    assert await api.db.read(rows) == [
        (CANCELLED, None, "deleted"),
        (IN_PROCESS, None, "deleted"),
        (CANCELLED, None, "cancelled"),
    ]
    whats = await api.db.read(lambda: [row.what for row in Timeline.select()])
    assert "deleted" in whats
    reply = await api.post("event/", {"title": "t", "calendar": made.calendar})
    assert reply.body == {"calendar": [f"calendar {id_of(made.calendar)} does not exist"]}


@pytest.mark.parametrize("start", ["1944-05-03 10:00", "1969-12-31 10:00", "1604-05-03 10:00"])
async def test_a_birthday_may_be_older_than_1970(api: Api, start: str) -> None:
    made = await clinic(api, timezone="Europe/Madrid")
    rule = await api.made("rule/", {"name": "yearly", "rrule": "FREQ=YEARLY"})
    body = {"title": "Birthday", "start": start, "calendar": made.calendar, "rule": rule["url"]}
    event = await api.made("event/", {**body, "end_recurring_period": None})
    assert event["start"].startswith(start.replace(" ", "T"))
    again = await api.patch(event["url"], {"start": event["start"], "end": event["end"]})
    assert (again.status, again.body["start"]) == (200, event["start"])
    await api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "100"})
    page = (await api.get(f"{event['url']}occurrences/?after=2031-01-01T00:00:00Z&limit=1")).body
    day = start[5:].replace(" ", "T")
    assert page["results"][0]["start"].startswith(f"2031-{day}:00+0")
    last = (utcnow() + timedelta(days=366)).isoformat().replace("+00:00", "Z")
    calls = (await api.get(f"plan/?before={last}")).body["results"]
    assert [call["at"][4:16] for call in calls if call["action"] == "call"] == [f"-{day}"]
