"""Recurrence rules: the predefined ones are everybody's and fixed, the others their manager's."""

from typing import Any

import pytest

from telealarm.config.model import Config
from telealarm.models import Rule
from telealarm.store.open import open_database
from tests.integration.api_client import Api, clinic

FIELDS = ("url", "name", "description", "frequency", "params", "rrule")
NAMES = {
    "Monthly",
    "Weekly (Monday-Friday) repeated 10 times",
    "Weekly (Monday-Friday)",
    "Yearly",
    "Daily",
    "Weekly",
}


async def test_the_predefined_rules_are_read_by_all_and_changed_by_nobody(api: Api) -> None:
    for user in ("manager", "other", "root"):
        found = (await api.get("rule/", user=user)).body["results"]
        assert {rule["name"] for rule in found} == NAMES
        for rule in found:
            for method in ("PUT", "PATCH", "DELETE"):
                body = None if method == "DELETE" else {**rule, "name": "mine"}
                reply = await api.send(method, rule["url"], body, user=user)
                assert reply.status == 409
                assert "predefined" in reply.body["detail"]
            assert (await api.get(rule["url"], user=user)).body == rule
    ten = (await api.get("rule/?name=Weekly (Monday-Friday) repeated 10 times")).body["results"][0]
    assert (ten["frequency"], ten["params"]) == ("WEEKLY", "count:10;byweekday:0,1,2,3,4")


def test_a_database_that_is_opened_again_has_them_once(config: Config) -> None:
    for _ in range(2):
        open_database(config)
    database = open_database(config)
    assert database.run(lambda: Rule.select().count()) == len(NAMES)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"frequency": "weekly", "params": ""}, ("WEEKLY", "", None)),
        (
            {"frequency": "WEEKLY", "params": " byweekday: TU,WE ; count:3;"},
            ("WEEKLY", "byweekday:TU,WE;count:3", None),
        ),
        (
            {"frequency": "MONTHLY", "params": "byweekday:+1MO,-1FR;interval:2"},
            ("MONTHLY", "byweekday:+1MO,-1FR;interval:2", None),
        ),
        (
            {"frequency": "YEARLY", "params": "bymonth:1,12;bymonthday:-1;byhour:9"},
            ("YEARLY", "bymonth:1,12;bymonthday:-1;byhour:9", None),
        ),
        ({"rrule": "RRULE:FREQ=WEEKLY;BYDAY=TU"}, ("WEEKLY", "", "FREQ=WEEKLY;BYDAY=TU")),
        ({"rrule": "BYDAY=TU;FREQ=WEEKLY"}, ("WEEKLY", "", "BYDAY=TU;FREQ=WEEKLY")),
        (
            {"frequency": "DAILY", "rrule": "freq=daily;until=20301231T000000Z"},
            ("DAILY", "", "FREQ=DAILY;UNTIL=20301231T000000Z"),
        ),
    ],
)
async def test_a_rule_of_ones_own(api: Api, sent: dict[str, Any], kept: tuple[Any, ...]) -> None:
    made = await api.made("rule/", {"name": "mine", "description": "x\ny", **sent})
    assert set(made) == {*FIELDS, "timezone"}
    assert (made["frequency"], made["params"], made["rrule"]) == kept
    assert (await api.get(made["url"], user="other")).status == 404
    reply = await api.put(made["url"], {**made, "name": "new"})
    assert (reply.status, reply.body) == (200, {**made, "name": "new"})
    assert (await api.delete(made["url"])).status == 204


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({}, "frequency", "this field is required if there is no rrule"),
        ({"frequency": "SECONDLY"}, "frequency", "must be one of YEARLY, MONTHLY"),
        ({"frequency": "DAILY", "params": "count"}, "params", "must look like count:10"),
        ({"frequency": "DAILY", "params": "until:1"}, "params", "must look like count:10"),
        ({"frequency": "DAILY", "params": "count:0"}, "params", "count: must be a number above 0"),
        ({"frequency": "DAILY", "params": "count:1,2"}, "params", "count: must be a number above"),
        ({"frequency": "DAILY", "params": "count:1;count:2"}, "params", "each option once"),
        ({"frequency": "DAILY", "params": "byweekday:7"}, "params", "byweekday: must be days like"),
        ({"frequency": "DAILY", "params": "byhour:x"}, "params", "byhour: must be numbers"),
        ({"frequency": "DAILY", "params": "byhour:__import__('os')"}, "params", "must be numbers"),
        ({"rrule": "every day"}, "rrule", "must be a recurrence of RFC 5545"),
        ({"rrule": "FREQ=SECONDLY"}, "rrule", "FREQ must be one of"),
        ({"rrule": "FREQ=DAILY;FREQ=WEEKLY"}, "rrule", "each part once"),
        ({"rrule": "FREQ=DAILY;" + "X" * 500}, "rrule", "must have at most 500 characters"),
        ({"rrule": "FREQ=DAILY", "frequency": "WEEKLY"}, "frequency", "must be DAILY"),
        ({"rrule": "FREQ=DAILY", "params": "count:2"}, "params", "must be empty if"),
    ],
)
async def test_what_is_no_rule_is_refused(
    api: Api, sent: dict[str, Any], field: str, said: str
) -> None:
    reply = await api.post("rule/", {"name": "r", **sent})
    assert (reply.status, list(reply.body)) == (400, [field])
    assert said in reply.body[field][0]


async def test_a_change_is_checked_with_what_stays(api: Api) -> None:
    made = await api.made("rule/", {"name": "r", "frequency": "DAILY", "params": "count:3"})
    reply = await api.patch(made["url"], {"rrule": "FREQ=WEEKLY"})
    assert (reply.status, list(reply.body)) == (400, ["params"])
    reply = await api.patch(made["url"], {"rrule": "FREQ=WEEKLY", "params": ""})
    assert (reply.status, reply.body["frequency"]) == (200, "WEEKLY")
    reply = await api.patch(made["url"], {"frequency": "DAILY"})
    assert (reply.status, list(reply.body)) == (400, ["frequency"])
    reply = await api.patch(made["url"], {"rrule": None})
    assert (reply.status, reply.body["frequency"], reply.body["rrule"]) == (200, "WEEKLY", None)


async def test_a_rule_that_an_event_uses_stays(api: Api) -> None:
    book = await clinic(api)
    event = await api.made("event/", {"title": "t", "calendar": book.calendar})
    made = await api.made("rule/", {"name": "r", "frequency": "DAILY"})
    await api.patch(event["url"], {"rule": made["url"]})
    assert (await api.get(event["url"])).body["rule"] == made["url"]
    reply = await api.delete(made["url"])
    assert reply.status == 409
    assert "event" in reply.body["detail"]
