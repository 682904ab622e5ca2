"""An alarm keeps its distance from its event on the wall clock; `advance_notice` is elapsed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from telealarm.models import Alarm
from telealarm.planning.series import SeriesPlanner
from telealarm.store.alarms import distance
from tests.integration.api_client import Api, Clinic, clinic

# The clock of Madrid is put on on 28 March 2027, 02:00, and back on 31 October 2027, 03:00.
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def made(api: Api) -> AsyncIterator[Clinic]:
    with time_machine.travel(NOW, tick=False):
        yield await clinic(api, timezone="Europe/Madrid")


async def event(api: Api, made: Clinic, start: str, **fields: Any) -> dict[str, Any]:
    body = {"title": "Visit", "start": start, "calendar": made.calendar, "end": None, **fields}
    return await api.made("event/", body)


async def alarm(api: Api, of: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await api.made("alarm/", {"alarm_phonenumber": "100", "event": of["url"], **fields})


async def notices(api: Api) -> list[str]:
    """date_start_notice of all alarms."""
    rows = (await api.get("alarm/?page_size=1000")).body["results"]
    return sorted(row["date_start_notice"] for row in rows)


async def calls(api: Api) -> list[str]:
    await SeriesPlanner(api.db).step()
    rows = (await api.get("plan/?page_size=1000&before=2027-12-31T00:00:00Z")).body["results"]
    return sorted(row["at"] for row in rows)


async def series(api: Api, made: Clinic, start: str, rrule: str) -> dict[str, Any]:
    rule = await api.made("rule/", {"name": rrule, "rrule": rrule})
    return await event(api, made, start, rule=rule["url"], end_recurring_period=None)


@pytest.mark.parametrize(
    ("start", "notice", "moved_to", "shown"),
    [
        # The day before at nine, over a day on which the clock is put on.
        ("2027-03-20 10:00", "2027-03-19 09:00", "2027-03-28 10:00", "2027-03-27T09:00:00+01:00"),
        ("2027-03-28 10:00", "2027-03-27 09:00", "2027-03-20 10:00", "2027-03-19T09:00:00+01:00"),
        # And put back.
        ("2027-10-20 10:00", "2027-10-19 09:00", "2027-10-31 10:00", "2027-10-30T09:00:00+02:00"),
        # The wall time of the notice is skipped, or comes twice: later by the gap, the first.
        ("2027-03-20 10:00", "2027-03-20 02:30", "2027-03-28 10:00", "2027-03-28T03:30:00+02:00"),
        ("2027-10-20 10:00", "2027-10-20 02:30", "2027-10-31 10:00", "2027-10-31T02:30:00+02:00"),
        # What was before the event stays before it, and what was after it, after it.
        ("2027-03-20 03:15", "2027-03-20 02:45", "2027-03-28 03:15", "2027-03-28T01:45:00+01:00"),
        ("2027-10-20 03:00", "2027-10-20 02:30", "2027-10-31 03:00", "2027-10-31T02:30:00+02:00"),
        # The event itself is skipped by the clock: its wanted time counts.
        ("2027-03-20 02:30", "2027-03-20 01:30", "2027-03-28 02:30", "2027-03-28T01:30:00+01:00"),
        # At the start itself.
        ("2027-03-20 02:30", "2027-03-20 02:30", "2027-03-28 02:30", "2027-03-28T03:30:00+02:00"),
    ],
)
async def test_a_moved_event_takes_its_notice_along(
    api: Api, made: Clinic, start: str, notice: str, moved_to: str, shown: str
) -> None:
    visit = await event(api, made, start)
    await alarm(api, visit, date_start_notice=notice)
    changed = await api.patch(visit["url"], {"start": moved_to, "end": None})
    assert changed.status == 200, changed.text
    assert await notices(api) == [shown]
    assert await calls(api) == [shown]


@pytest.mark.parametrize(
    "notice",
    [
        *("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00", "2027-10-30T23:00:00+02:00"),
        *("2027-10-31T02:10:00+01:00", "2027-10-31T03:30:00+01:00", "2027-10-31T02:59:59+02:00"),
    ],
)
@pytest.mark.parametrize(
    "start",
    ["2027-10-31T02:15:00+02:00", "2027-10-31T02:15:00+01:00", "2027-10-31T10:00:00+01:00"],
)
async def test_a_notice_is_read_as_it_was_written(
    api: Api, made: Clinic, start: str, notice: str
) -> None:
    visit = await event(api, made, start)
    written = await alarm(api, visit, date_start_notice=notice)
    assert written["date_start_notice"] == notice
    again = await api.patch(written["url"], {"date_start_notice": written["date_start_notice"]})
    assert again.body["date_start_notice"] == notice
    # As an older version kept it: the distance in elapsed seconds.
    moment = datetime.fromisoformat(notice) - datetime.fromisoformat(start)

    def read() -> None:
        Alarm.update(offset=moment.total_seconds(), offset_elapsed=True, offset_fold=0).execute()
        distance.read_elapsed()

    await api.db.write(read)
    assert await notices(api) == [notice]


async def test_a_series_keeps_the_hour_of_its_notice(api: Api, made: Clinic) -> None:
    visit = await series(api, made, "2027-03-26 10:00", "FREQ=DAILY;COUNT=4")
    await alarm(api, visit, date_start_notice="2027-03-25 09:00")
    days = ("25T09:00:00+01:00", "26T09:00:00+01:00", "27T09:00:00+01:00", "28T09:00:00+02:00")
    expected = [f"2027-03-{day}" for day in days]
    assert await calls(api) == expected
    with time_machine.travel(datetime(2027, 3, 24, 12, tzinfo=UTC), tick=False):
        await SeriesPlanner(api.db).step()
        assert await calls(api) == expected
    (first, *_) = (await api.get("alarm/?ordering=id")).body["results"]
    await api.patch(first["url"], {"date_start_notice": "2027-03-25 08:00"})
    with time_machine.travel(datetime(2027, 3, 24, 12, tzinfo=UTC), tick=False):
        await SeriesPlanner(api.db).step()
        assert await calls(api) == [at.replace("T09", "T08") for at in expected]


async def test_advance_notice_is_elapsed(api: Api, made: Clinic) -> None:
    visit = await series(api, made, "2027-03-27 10:00", "FREQ=DAILY;COUNT=2")
    await alarm(api, visit, advance_notice=24 * 3600)
    assert await calls(api) == ["2027-03-26T10:00:00+01:00", "2027-03-27T09:00:00+01:00"]


async def test_a_series_in_the_gap_has_its_notice_an_hour_before(api: Api, made: Clinic) -> None:
    visit = await series(api, made, "2027-03-27 02:30", "FREQ=DAILY;COUNT=3")
    await alarm(api, visit, date_start_notice="2027-03-27 01:30")
    expected = [f"2027-03-{day}" for day in ("27T01:30:00+01:00", "28T01:30:00+01:00")]
    expected.append("2027-03-29T01:30:00+02:00")
    assert await calls(api) == expected
    with time_machine.travel(datetime(2027, 3, 26, 12, tzinfo=UTC), tick=False):
        await SeriesPlanner(api.db).step()
        assert await calls(api) == expected


async def test_another_zone_has_another_nine_o_clock(api: Api, made: Clinic) -> None:
    """New York has put its clock on on 14 March: no change lies between there."""
    visit = await event(api, made, "2027-03-28T10:00:00+02:00")
    await alarm(api, visit, date_start_notice="2027-03-27T10:00:00+01:00")
    assert await calls(api) == ["2027-03-27T10:00:00+01:00"]
    await api.patch(visit["url"], {"timezone": "America/New_York"})
    assert await calls(api) == ["2027-03-27T04:00:00-04:00"]
    await api.patch(visit["url"], {"timezone": None})
    assert await calls(api) == ["2027-03-27T10:00:00+01:00"]
    await api.patch(made.calendar, {"timezone": "America/New_York"})
    assert await calls(api) == ["2027-03-27T04:00:00-04:00"]
