"""The eight calls of the reference, as its readers send them, key by key."""

import re
from typing import Any

from tests.integration.api_client import Api, gateways, sealed_survey

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LIST_ALLOW = "GET, POST, HEAD, OPTIONS"
ROW_ALLOW = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"
ELSEWHERE = "http://127.0.0.1:8000/rest-api"


def same(shown: dict[str, Any], expected: dict[str, Any]) -> None:
    """The reply begins with the reference's keys, in its order; `STAMP` stands for any date."""
    assert list(shown)[: len(expected)] == list(expected)
    for key, value in expected.items():
        if value is STAMP:
            assert STAMP.fullmatch(shown[key]), key
        else:
            assert shown[key] == value, key
            assert type(shown[key]) is type(value), key


async def test_the_work_flow_of_the_reference(api: Api) -> None:
    await gateways(api)
    await sealed_survey(api)
    base = f"{api.origin}/rest-api"

    # 1) Create Calendar Setting
    reply = await api.post(
        "calendar-setting/",
        {
            "label": "cal_setting",
            "callerid": "123456",
            "caller_name": "xyz",
            "user": f"{ELSEWHERE}/user/2/",
            "survey": f"{ELSEWHERE}/sealed-survey/1/",
            "aleg_gateway": f"{ELSEWHERE}/gateway/1/",
            "sms_gateway": f"{ELSEWHERE}/sms-gateway/1/",
        },
    )
    assert reply.status == 201, reply.text
    assert reply.headers["Location"] == f"{base}/calendar-setting/1/"
    assert reply.headers["Allow"] == LIST_ALLOW
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    setting = {
        "user": "manager",
        "sms_gateway": f"{base}/sms-gateway/1/",
        "url": f"{base}/calendar-setting/1/",
        "label": "cal_setting",
        "callerid": "123456",
        "caller_name": "xyz",
        "call_timeout": 60,
        "survey": f"{base}/sealed-survey/1/",
        "aleg_gateway": f"{base}/gateway/1/",
        "voicemail": False,
        "amd_behavior": 1,
        "voicemail_audiofile": None,
        "created_date": STAMP,
        "updated_date": STAMP,
    }
    same(reply.body, setting)

    # 2) Create Calendar User. No password comes back, hashed or not.
    reply = await api.post(
        "calendar-user/",
        {"username": "caluser3", "password": "caluser3", "email": "caluser3@gmail.com"},
    )
    assert reply.status == 201, reply.text
    assert reply.headers["Location"] == f"{base}/calendar-user/1/"
    assert reply.headers["Allow"] == LIST_ALLOW
    assert reply.body == {
        "url": f"{base}/calendar-user/1/",
        "username": "caluser3",
        "last_name": "",
        "first_name": "",
        "email": "caluser3@gmail.com",
        "groups": [],
    }

    # 3) Update Calendar User Profile
    reply = await api.patch(
        "calendar-user-profile/1/", {"accountcode": "35365532", "calendar_setting": "1"}
    )
    assert reply.status == 200, reply.text
    assert reply.headers["Allow"] == ROW_ALLOW
    nothing = dict.fromkeys(
        ("zip_code", "phone_no", "fax", "company_name", "company_website", "language", "note")
    )
    profile = {
        "manager": "manager",
        "id": 1,
        "user": 1,
        "address": None,
        "city": None,
        "state": None,
        "country": "",
        **nothing,
        "accountcode": 35365532,
        "created_date": STAMP,
        "updated_date": STAMP,
        "calendar_setting": 1,
    }
    same(reply.body, profile)

    # 4) Create a new Calendar
    reply = await api.post(
        "calendar/",
        {"name": "mynewcalendar", "max_concurrent": "1", "user": f"{ELSEWHERE}/calendar-user/1/"},
    )
    assert reply.status == 201, reply.text
    assert reply.headers["Location"] == f"{base}/calendar/1/"
    calendar = {
        "url": f"{base}/calendar/1/",
        "name": "mynewcalendar",
        "user": f"{base}/calendar-user/1/",
        "max_concurrent": 1,
        "created_date": STAMP,
    }
    same(reply.body, calendar)

    # 5) Create a new Event. Naive times are local, and come back with their offset.
    reply = await api.post(
        "event/",
        {
            "title": "event_with_new_title",
            "start": "2013-12-10 12:34:43",
            "end": "2013-12-15 14:43:32",
            "creator": f"{ELSEWHERE}/calendar-user/1/",
            "end_recurring_period": "2013-12-27 12:23:34",
            "calendar": f"{ELSEWHERE}/calendar/1/",
            "status": "1",
        },
    )
    assert reply.status == 201, reply.text
    assert reply.headers["Location"] == f"{base}/event/1/"
    assert reply.headers["Allow"] == LIST_ALLOW
    event = {
        "url": f"{base}/event/1/",
        "title": "event_with_new_title",
        "description": None,
        "start": "2013-12-10T12:34:43+01:00",
        "end": "2013-12-15T14:43:32+01:00",
        "creator": f"{base}/calendar-user/1/",
        "created_on": STAMP,
        "end_recurring_period": "2013-12-27T12:23:34+01:00",
        "rule": None,
        "calendar": f"{base}/calendar/1/",
        "notify_count": 0,
        "status": 1,
        "data": None,
        "parent_event": None,
        "occ_count": 0,
    }
    same(reply.body, event)

    # 6) Get list of child events from a main event
    reply = await api.get("event/1/get_list_child/", headers={"Accept": "application/json"})
    assert (reply.status, reply.body) == (200, {"note": "no child event found"})
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"

    # 7) Update the last child event status to Paused
    reply = await api.patch("event/1/update_last_child_status/", {"status": "3"})
    assert (reply.status, reply.body) == (200, {"status": "event status has been updated"})
    assert reply.headers["Allow"] == "PATCH, OPTIONS"
    assert (await api.get("event/1/")).body["status"] == 3

    # 8) Get detailed log from alarm request for an event
    reply = await api.get("alarm-request/1/get_nested_alarm_request/")
    assert (reply.status, reply.body) == (200, {"event-url": f"{base}/event/1/", "event-1": {}})
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"
