"""The rights of a calendar user, as set in the profile and kept when an alarm is written."""

from typing import Any

import pytest

from tests.integration.api_client import Api, Reply, clinic

NUMBER = "600100200"


class Desk:
    """A clinic's book, and alarms written into it."""

    def __init__(self, api: Api, calendar: str, profile: str) -> None:
        self.api, self.calendar, self.profile = api, calendar, profile

    async def allow(self, **rights: Any) -> None:
        reply = await self.api.patch(self.profile, {"permissions": rights})
        assert reply.status == 200, reply.text

    async def event(self, start: str, **fields: Any) -> str:
        body = {"title": "t", "calendar": self.calendar, "start": start, **fields}
        link: str = (await self.api.made("event/", body))["url"]
        return link

    async def write(self, event: str, **fields: Any) -> Reply:
        return await self.api.post(
            "alarm/", {"event": event, "alarm_phonenumber": NUMBER, **fields}
        )

    async def written(self, event: str, **fields: Any) -> str:
        reply = await self.write(event, **fields)
        assert reply.status == 201, reply.text
        link: str = reply.body["url"]
        return link

    async def count(self) -> int:
        found: int = (await self.api.get("alarm/")).body["count"]
        return found


@pytest.fixture
async def desk(api: Api) -> Desk:
    made = await clinic(api)
    return Desk(api, made.calendar, made.user.replace("calendar-user", "calendar-user-profile"))


async def test_a_method_that_is_not_allowed_is_refused(desk: Desk) -> None:
    event = await desk.event("2030-06-03 10:00")
    await desk.allow(methods=[2, 3])
    reply = await desk.write(event)
    assert reply.status == 400
    assert reply.body == {
        "method": [
            "the calendar user doctor of manager may not have this one; allowed: 2 (SMS), 3 (email)"
        ]
    }
    assert await desk.count() == 0
    await desk.allow(methods=[1])
    assert (await desk.write(event)).status == 201


async def test_numbers_start_with_an_allowed_prefix(desk: Desk) -> None:
    event = await desk.event("2030-06-03 10:00")
    await desk.allow(prefixes=["+34", "600"])
    link = await desk.written(event, phonenumber_transfer="+34 972 000 000")
    reply = await desk.write(event, alarm_phonenumber="906", phonenumber_transfer="+19005550100")
    assert reply.status == 400
    assert sorted(reply.body) == ["alarm_phonenumber", "phonenumber_transfer"]
    assert "+34, 600 alone" in reply.body["alarm_phonenumber"][0]
    for method, body in (
        ("PATCH", {"alarm_phonenumber": "34600"}),
        ("PUT", {"event": event, "alarm_phonenumber": "906"}),
    ):
        reply = await desk.api.send(method, link, body)
        assert (reply.status, list(reply.body)) == (400, ["alarm_phonenumber"])
    assert (await desk.api.get(link)).body["alarm_phonenumber"] == NUMBER


async def test_wrong_method_and_wrong_number_are_said_at_once(desk: Desk) -> None:
    event = await desk.event("2030-06-03 10:00")
    await desk.allow(methods=[], prefixes=["7"], max_alarms_per_day=0)
    reply = await desk.write(event)
    assert sorted(reply.body) == ["alarm_phonenumber", "date_start_notice", "method"]
    assert "allowed: none" in reply.body["method"][0]


async def test_what_was_written_before_can_still_be_cancelled_and_written_back(desk: Desk) -> None:
    link = await desk.written(await desk.event("2030-06-03 10:00"))
    await desk.allow(methods=[2], prefixes=["7"], max_alarms_per_day=0)
    before = (await desk.api.get(link)).body
    assert (await desk.api.put(link, before)).status == 200
    assert (await desk.api.patch(link, {"maxretry": 2})).status == 200
    reply = await desk.api.patch(link, {"alarm_phonenumber": "600100201"})
    assert list(reply.body) == ["alarm_phonenumber"]
    assert (await desk.api.patch(link, {"status": 7})).status == 200
    # Taken up again it is one more alarm of its day.
    reply = await desk.api.patch(link, {"status": 1})
    assert (reply.status, list(reply.body)) == (400, ["date_start_notice"])
    assert (await desk.api.get(link)).body["status"] == 7


async def test_so_many_alarms_a_day_of_the_events_zone(desk: Desk) -> None:
    await desk.allow(max_alarms_per_day=2)
    # 23:30 and 00:30 in Madrid are one day in UTC, and two days there.
    late, early = await desk.event("2030-06-03 23:30"), await desk.event("2030-06-04 00:30")
    await desk.written(early)
    await desk.written(early)
    await desk.written(late)
    reply = await desk.write(early)
    assert reply.status == 400
    assert reply.body == {
        "date_start_notice": [
            "the calendar user doctor of manager may have 2 alarms a day, and has them on"
            " 2030-06-04 already"
        ]
    }
    # The notice counts, not the event: an hour before, it is due the day before.
    last = await desk.written(early, advance_notice=3600)
    assert (await desk.write(late)).status == 400
    # The one that fills the day can be edited, and moved within it, but not into a full day.
    assert (await desk.api.patch(last, {"advance_notice": 3700})).status == 200
    reply = await desk.api.patch(last, {"advance_notice": 0})
    assert (reply.status, list(reply.body)) == (400, ["date_start_notice"])
    # Elsewhere, the same moment is another day.
    tokyo = await desk.event("2030-06-03T22:00:00Z", timezone="Asia/Tokyo")
    assert (await desk.write(tokyo)).status == 400
    tokyo = await desk.event("2030-06-03T14:00:00Z", timezone="Asia/Tokyo")
    assert (await desk.write(tokyo)).status == 201


async def test_cancelled_and_deleted_alarms_make_room_and_held_ones_do_not(desk: Desk) -> None:
    await desk.allow(max_alarms_per_day=1)
    event, other = await desk.event("2030-06-03 10:00"), await desk.event("2030-06-03 12:00")
    first = await desk.written(event)
    assert (await desk.write(other)).status == 400
    await desk.api.patch(first, {"status": 7})
    second = await desk.written(other)
    assert (await desk.write(event)).status == 400
    await desk.api.patch(other, {"status": 3})
    assert (await desk.write(event)).status == 400
    await desk.api.delete(second)
    await desk.written(event)


async def test_the_rights_are_those_of_the_calendars_user(desk: Desk) -> None:
    api = desk.api
    free = await api.made("calendar-user/", {"username": "free", "password": "x"})
    book = await api.made("calendar/", {"name": "free", "user": free["url"]})
    await desk.allow(max_alarms_per_day=1, prefixes=["600"])
    mine = await desk.event("2030-06-03 10:00")
    await desk.written(mine)
    theirs = await desk.event("2030-06-03 10:00", calendar=book["url"])
    await desk.written(theirs)
    link = await desk.written(theirs, alarm_phonenumber="906")
    # Moved to the other calendar it has to keep that user's rights.
    reply = await api.patch(link, {"event": mine})
    assert sorted(reply.body) == ["alarm_phonenumber", "date_start_notice"]
    # A second calendar of the same user has no count of its own.
    user = (await api.get(desk.calendar)).body["user"]
    second = await api.made("calendar/", {"name": "second", "user": user})
    event = await desk.event("2030-06-03 15:00", calendar=second["url"])
    assert list((await desk.write(event)).body) == ["date_start_notice"]


async def test_an_alarm_that_is_over_already_takes_no_place(desk: Desk) -> None:
    await desk.allow(max_alarms_per_day=0)
    assert (await desk.write(await desk.event("2020-06-03 10:00"))).status == 201


async def test_the_last_day_of_the_calendar(desk: Desk) -> None:
    await desk.allow(max_alarms_per_day=1)
    event = await desk.event("2199-11-29 22:00")
    last = {"date_start_notice": "2199-12-31 23:30"}
    assert (await desk.write(event, **last)).status == 201
    assert list((await desk.write(event, **last)).body) == ["date_start_notice"]


async def test_an_event_moved_to_another_users_calendar_has_to_keep_that_users_rights(
    desk: Desk,
) -> None:
    api = desk.api
    free = await api.made("calendar-user/", {"username": "free", "password": "x"})
    book = await api.made("calendar/", {"name": "free", "user": free["url"]})
    await desk.allow(max_alarms_per_day=1, prefixes=["600"])
    await desk.written(await desk.event("2030-06-03 10:00"))
    theirs = await desk.event("2030-06-03 12:00", calendar=book["url"])
    link = await desk.written(theirs, alarm_phonenumber="906")
    reply = await api.patch(theirs, {"calendar": desk.calendar})
    assert (reply.status, list(reply.body)) == (400, ["calendar"])
    assert [said.split(": ")[0] for said in reply.body["calendar"]] == [
        f"alarm {link.rstrip('/').rsplit('/', 1)[1]}"
    ] * 2
    assert (await api.get(theirs)).body["calendar"] == book["url"]
    # A calendar with such alarms is not handed over either.
    user = (await api.get(desk.calendar)).body["user"]
    reply = await api.patch(book["url"], {"user": user})
    assert (reply.status, "unfinished alarms" in reply.body["detail"]) == (409, True)
    # What is called off is nobody's concern, and on another day there is room.
    await api.patch(link, {"status": 7})
    assert (await api.patch(book["url"], {"user": user})).status == 200
    assert (await api.patch(book["url"], {"user": free["url"]})).status == 200
    await desk.written(theirs)
    moved = {"calendar": desk.calendar}
    assert (await api.patch(theirs, moved)).status == 400
    moved |= {"start": "2030-06-04 12:00", "end": None}
    assert (await api.patch(theirs, moved)).status == 200
