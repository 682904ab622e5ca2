"""Do-not-call lists: written by a manager, obeyed when a call is about to be placed."""

from datetime import timedelta
from typing import Any

import pytest

from telealarm.clock import utcnow
from telealarm.models import Alarm
from telealarm.store.alarms import attempts
from telealarm.store.dialing import workers
from telealarm.store.dialing.admission import Admission
from tests.integration.api_client import Api, clinic, gateways

SOON = timedelta(seconds=60)


async def listed(api: Api, *numbers: str, user: str = "manager") -> dict[str, Any]:
    """A new list with these numbers."""
    made = await api.made("dnc-list/", {"name": "opted out"}, user=user)
    for number in numbers:
        await api.made("dnc-contact/", {"dnc": made["url"], "phone_number": number}, user=user)
    return made


async def test_a_list_and_its_contacts(api: Api) -> None:
    made = await api.made("dnc-list/", {"name": "opted out", "description": "by law"})
    assert (made["name"], made["description"]) == ("opted out", "by law")
    contact = await api.made(
        "dnc-contact/", {"dnc": made["url"], "phone_number": "+34 (600) 10-02.00"}
    )
    assert contact["phone_number"] == "+34600100200"
    assert contact["dnc"] == made["url"]
    assert (await api.get("dnc-contact/?phone_number=%2B34 600 100 200")).body["count"] == 1
    assert (await api.get("dnc-contact/?dnc=1&phone_number=600")).body["count"] == 0
    reply = await api.put(contact["url"], {**contact, "phone_number": "600"})
    assert (reply.status, reply.body["phone_number"]) == (200, "600")
    assert (await api.delete(made["url"])).status == 204
    assert (await api.get(contact["url"])).status == 404


async def test_a_number_is_on_a_list_once_and_is_a_number(api: Api) -> None:
    made = await listed(api, "600100200", "600100201")
    for number, said in (
        ("600 100 200", "the list has 600100200 already"),
        ("", "must not be empty"),
        ("call me", "must be a phone number: digits with an optional leading +"),
        ("600;rm", "must be a phone number: digits with an optional leading +"),
    ):
        reply = await api.post("dnc-contact/", {"dnc": made["url"], "phone_number": number})
        assert (reply.status, reply.body) == (400, {"phone_number": [said]})
        contact = (await api.get("dnc-contact/?phone_number=600100201")).body["results"][0]
        reply = await api.patch(contact["url"], {"phone_number": number})
        assert (reply.status, reply.body) == (400, {"phone_number": [said]})
    another = await api.made("dnc-list/", {"name": "second"})
    await api.made("dnc-contact/", {"dnc": another["url"], "phone_number": "600100200"})


async def ring(api: Api, user: str, number: str, **alarm: Any) -> str:
    """An alarm of `user` that is due, as the planner has enqueued it; its link."""
    made = await clinic(api, user) if not (await _calendars(api, user)) else None
    calendar = made.calendar if made else (await _calendars(api, user))[0]["url"]
    event = await api.made("event/", {"title": "t", "calendar": calendar}, user=user)
    body = {"event": event["url"], "alarm_phonenumber": number, "maxretry": 3, **alarm}
    made_alarm = await api.made("alarm/", body, user=user)
    row_id = int(made_alarm["url"].rstrip("/").rsplit("/", 1)[1])
    now = utcnow()
    await api.db.write(lambda: attempts.enqueue(Alarm.get_by_id(row_id), now, now))
    link: str = made_alarm["url"]
    return link


async def _calendars(api: Api, user: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get("calendar/", user=user)).body["results"]
    return found


async def admitted(api: Api) -> list[str]:
    """The numbers that would be dialled now."""
    now = utcnow()

    def work() -> list[str]:
        admission = Admission(workers.enter("w", now, SOON))
        return [call.number for call in admission.claim(now + SOON, 50).calls]

    return await api.db.write(work)


async def test_a_listed_number_is_never_dialled(api: Api) -> None:
    await gateways(api)
    await listed(api, "+34 600 100 200")
    forbidden = await ring(api, "manager", "+34600100200", phonenumber_sms_failure="600999999")
    allowed = await ring(api, "manager", "600100300")
    assert await admitted(api) == ["600100300"]
    alarm = (await api.get(forbidden)).body
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, "do_not_call", 0)
    told = (await api.get(forbidden + "timeline/")).body["results"]
    assert ("failure", "do_not_call") in [(row["what"], row["why"]) for row in told]
    (attempt,) = (await api.get("alarm-request/?status=3")).body["results"]
    assert (attempt["alarm"], attempt["status_reason"]) == (forbidden, "do_not_call")
    assert (await api.get("callrequest/?phone_number=%2B34600100200")).body["count"] == 0
    assert (await api.get(allowed)).body["status"] == 2
    assert await admitted(api) == []


@pytest.mark.parametrize(
    ("listed_as", "dialled"),
    [("0034 600-100-200", "+34600100200"), ("+34600100200", "0034600100200")],
)
async def test_a_listed_number_is_forbidden_however_it_is_written(
    api: Api, listed_as: str, dialled: str
) -> None:
    await gateways(api)
    made = await listed(api, listed_as)
    link = await ring(api, "manager", dialled)
    assert await admitted(api) == []
    assert (await api.get(link)).body["status_reason"] == "do_not_call"
    reply = await api.post("dnc-contact/", {"dnc": made["url"], "phone_number": dialled})
    assert (reply.status, reply.body) == (
        400,
        {"phone_number": [f"the list has {dialled} already"]},
    )


async def test_another_managers_list_forbids_nothing(api: Api) -> None:
    await gateways(api)
    await listed(api, "600100200", user="other")
    await ring(api, "manager", "600100200")
    assert await admitted(api) == ["600100200"]


async def test_a_number_that_is_listed_while_its_call_waits_is_not_dialled(api: Api) -> None:
    await gateways(api)
    hours = {"daily_start": "00:00", "daily_stop": "00:00:01", "max_lateness": 200_000}
    link = await ring(api, "manager", "600100200", **hours)
    assert await admitted(api) == []
    assert (await api.get(link)).body["status"] == 2
    await listed(api, "600100200")
    await api.patch(f"{api.origin}/rest-api/alarm-request/1/", {"date": "2020-01-01 00:00"})
    assert await admitted(api) == []
    assert (await api.get(link)).body["status_reason"] == "do_not_call"
