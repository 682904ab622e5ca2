"""A rule may count its days and hours on another clock than that of its event."""

from typing import Any

from tests.integration.api_client import Api, clinic

WEEKLY = {"name": "Mondays of UTC", "rrule": "FREQ=WEEKLY;BYDAY=MO;COUNT=4", "timezone": "UTC"}


async def series(api: Api, start: str, **fields: Any) -> tuple[str, str]:
    made = await clinic(api, timezone="Europe/Madrid")
    rule = (await api.made("rule/", WEEKLY))["url"]
    body = {"title": "Visit", "calendar": made.calendar, "rule": rule, "start": start}
    event = await api.made("event/", {**body, "end_recurring_period": None, **fields})
    return event["url"], rule


async def starts(api: Api, event: str) -> list[str]:
    return [one["start"] for one in (await api.get(f"{event}occurrences/")).body["results"]]


async def test_its_days_are_those_of_its_own_zone_and_are_shown_in_that_of_the_event(
    api: Api,
) -> None:
    event, rule = await series(api, "2027-03-16T00:30:00")
    # 23:30 UTC on Mondays; Madrid's clock changes on 28 March, that of UTC does not.
    assert await starts(api, event) == [
        "2027-03-16T00:30:00+01:00",
        "2027-03-23T00:30:00+01:00",
        "2027-03-30T01:30:00+02:00",
        "2027-04-06T01:30:00+02:00",
    ]
    changed = await api.patch(rule, {"timezone": None})
    assert (changed.status, changed.body["timezone"]) == (200, None)
    assert (await starts(api, event))[:2] == [
        "2027-03-16T00:30:00+01:00",
        "2027-03-22T00:30:00+01:00",
    ]


async def test_an_exdate_and_a_move_without_an_offset_are_on_the_clock_of_the_event(
    api: Api,
) -> None:
    event, _ = await series(api, "2027-03-16T00:30:00", exdate=["2027-03-23T00:30:00"])
    assert len(await starts(api, event)) == 3
    sent = {"start": "2027-03-30T01:30:00", "to": "2027-03-30T10:00:00"}
    moved = await api.send("POST", f"{event}move_occurrence/", sent)
    assert (moved.status, moved.body["start"]) == (200, "2027-03-30T10:00:00+02:00")
    gone = await api.send("POST", f"{event}cancel_occurrence/", {"start": "2027-04-06T01:30:00"})
    assert gone.status == 200
    assert await starts(api, event) == ["2027-03-16T00:30:00+01:00", "2027-03-30T10:00:00+02:00"]
    assert (await api.get(event)).body["exdate"][-1] == "2027-04-06T01:30:00"


async def test_a_zone_that_is_none_is_refused(api: Api) -> None:
    await clinic(api)
    reply = await api.send("POST", "rule/", {**WEEKLY, "timezone": "Europe/Nowhere"})
    assert (reply.status, list(reply.body)) == (400, ["timezone"])
