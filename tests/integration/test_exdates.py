"""Occurrences that were cancelled: an exdate fits one, and stays with it."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from telealarm.planning.series import SeriesPlanner
from tests.integration.api_client import Api, clinic


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"exdate": ["2027-06-02 10:00"]}, "there is no occurrence at 2027-06-02T10:00:00"),
        ({"exdate": ["2027-06-02 09:00", "2027-06-30 09:00"]}, "at 2027-06-30T09:00:00;"),
        ({"exdate": ["2027-06-02 09:00"], "rule": None}, "the event does not recur"),
    ],
)
async def test_an_exdate_that_fits_no_occurrence_is_refused(
    api: Api, fields: dict[str, Any], said: str
) -> None:
    made = await clinic(api, timezone="Europe/Madrid")
    rule = await api.made("rule/", {"name": "r", "rrule": "FREQ=DAILY;COUNT=5"})
    body = {"title": "t", "calendar": made.calendar, "start": "2027-06-01 09:00"}
    body |= {"rule": rule["url"], "end_recurring_period": None}
    refused = await api.post("event/", {**body, **fields})
    assert refused.status == 400
    assert said in refused.body["exdate"][0]
    right = await api.made("event/", {**body, "exdate": ["2027-06-02 09:00"]})
    again = await api.patch(right["url"], fields)
    assert again.status == (200 if fields.get("rule", 0) is None else 400), again.text
    # What is there already is taken back as it was shown.
    assert (await api.put(right["url"], {**right, "title": "u"})).status == 200


async def test_what_was_cancelled_stays_so_if_the_series_has_another_hour(api: Api) -> None:
    made = await clinic(api, timezone="Europe/Madrid")
    now = datetime(2027, 6, 1, 6, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        rule = await api.made("rule/", {"name": "r", "rrule": "FREQ=DAILY;COUNT=5"})
        body = {"title": "t", "calendar": made.calendar, "start": "2027-06-01 09:00"}
        body |= {"rule": rule["url"], "end_recurring_period": None}
        event = await api.made("event/", body)
        await api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "100"})
        await SeriesPlanner(api.db).step()
        # One by its occurrence, one as a row, one moved.
        listed = (await api.get(f"{event['url']}occurrences/")).body["results"]
        cancelled = await api.post(
            f"{event['url']}cancel_occurrence/", {"start": "2027-06-05 09:00"}
        )
        assert cancelled.status == 200
        assert (await api.delete(listed[1]["event"])).status == 204
        moved = {"start": "2027-06-03 09:00", "to": "2027-06-03 15:00"}
        assert (await api.post(f"{event['url']}move_occurrence/", moved)).status == 200
        reply = await api.patch(
            event["url"], {"start": "2027-06-01 11:00", "end": "2027-06-01 12:00"}
        )
        assert reply.status == 200, reply.text
        await SeriesPlanner(api.db).step()
        calls = (await api.get("plan/")).body["results"]
    assert [call["at"][8:16] for call in calls if call["action"] == "call"] == [
        "01T11:00",
        "03T15:00",
        "04T11:00",
    ]
