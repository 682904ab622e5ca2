"""Bad input: 400 with every wrong field, and never a 500."""

import asyncio
import time
import zlib
from typing import Any

import pytest

from telealarm.api.app import RESOURCES, TASKS
from telealarm.api.fields import form as fields_form
from telealarm.api.rest.resource import Resource
from tests.integration.api_client import Api, clinic, id_of, sealed_survey

HOSTILE: list[Any] = [
    None,
    "",
    " ",
    "\u0000",
    "a\u0007b",
    "\ud800",
    "x" * 20_000,
    "99999999999999999999",
    -1,
    0,
    3,
    2**31,
    2**63,
    10**40,
    1.5,
    1e308,
    True,
    "true",
    [],
    [None],
    [[]],
    {},
    {"a": {"b": "\u0000"}},
    {"success": {"status": "x", "json": []}, "url": "http://[", "headers": [1]},
    {"busy": {"delay": -1, "count": {}}},
    {"methods": [{}], "prefixes": ["${SHELL}"]},
    "2013-13-45 99:99:99",
    "0001-01-01 00:00:00",
    "9999-12-31T23:59:59-14:00",
    "2199-12-31T23:30:00Z",
    "٣",
    "http://[::1",
    "http://example.com/rest-api/event/1/",
    "http://example.com/rest-api/calendar/99999999999/",
    "../../etc/passwd",
    "${SHELL(rm -rf)}",
    "PJSIP/{number}@a&PJSIP/1@b",
    "(" * 90,
    "a{99999999}",
    "1' OR '1'='1",
]


async def bodies(api: Api) -> dict[str, dict[str, Any]]:
    """A body for each resource that is right but for what a test puts into it."""
    made = await clinic(api, "root", timezone="Europe/Madrid")
    template = await api.made("survey-template/", {"name": "draft"}, user="root")
    section = await api.made(
        "section-template/", {"survey": template["url"], "type": 1}, user="root"
    )
    event = await api.made("event/", {"title": "e", "calendar": made.calendar}, user="root")
    alarm = await api.made(
        "alarm/", {"event": event["url"], "alarm_phonenumber": "600100200"}, user="root"
    )
    dnc = await api.made("dnc-list/", {"name": "l"}, user="root")
    return {
        "users": {"username": "someone", "password": "long enough"},
        "gateway": {"name": "g", "gateways": "PJSIP/{number}@g"},
        "sms-gateway": {"name": "s", "settings": {"url": "http://127.0.0.1/"}},
        "survey-template": {"name": "s"},
        "section-template": {"survey": template["url"], "type": 1},
        "branching-template": {"section": section["url"], "keys": "0"},
        "calendar-setting": {"label": "l", "survey": made.survey, "aleg_gateway": made.gateway},
        "calendar-user": {"username": "u", "password": "x"},
        "calendar-user-profile": {},
        "calendar": {"name": "c", "user": made.user},
        "event": {"title": "t", "calendar": made.calendar, "start": "2030-01-01 10:00"},
        "alarm": {"event": event["url"], "alarm_phonenumber": "600100200"},
        "alarm-request": {"alarm": alarm["url"]},
        "rule": {"name": "r", "frequency": "DAILY"},
        "mail-template": {"label": "l", "subject": "s", "message_plaintext": "t"},
        "sms-template": {"label": "l", "sms_text": "t"},
        "dnc-list": {"name": "l"},
        "dnc-contact": {"dnc": dnc["url"], "phone_number": "600100200"},
        "webhook": {"target_url": "https://example.com/told"},
        "person": {"name": "p"},
        "reminder-plan": {"name": "p", "steps": [{"offset": 60}]},
        "calendar-feed": {
            **{"name": "f", "calendar": made.calendar},
            "source_url": "https://example.com/a.ics",
        },
    }


def mistakes(resource: Resource, body: dict[str, Any]) -> dict[str, list[str]]:
    """What the form says of a body, without the relations' existence."""
    assert resource.form is not None
    sent = fields_form.read(resource.form, body, read_only=resource.read_only, partial=False)
    return sent.errors


@pytest.mark.long
async def test_no_value_in_any_field_makes_the_service_fail(api: Api) -> None:
    right = await bodies(api)
    for resource in RESOURCES:
        if resource.form is None or resource.upload:  # uploads: test_api_audio.py
            continue
        method, path = "POST", f"{resource.name}/"
        if resource.create is None:
            method, path = "PATCH", path + "1/"
        for field in resource.form.model_fields:
            tries = [{**right[resource.name], field: value} for value in HOSTILE]
            # What the form refuses goes no further than this; one of them tries the road there.
            refused = [body for body in tries if mistakes(resource, body)]
            tries = [body for body in tries if body not in refused] + refused[-1:]
            replies = await asyncio.gather(
                *(api.send(method, path, body, user="root") for body in tries)
            )
            for body, reply in zip(tries, replies, strict=True):
                assert reply.status in (200, 201, 400, 409), (resource.name, body, reply.text)
                assert reply.body


@pytest.mark.long
async def test_no_value_in_what_an_action_or_a_task_takes_makes_the_service_fail(api: Api) -> None:
    await bodies(api)
    taken = [
        (action.method, f"{resource.name}/1/{action.name}/", action.form)
        for resource in RESOURCES
        for action in resource.actions
        if action.form is not None
    ] + [(task.method, task.path, task.form) for task in TASKS]
    sample = {"phonenumber": "600100200", "status": 3}
    tried = 0
    for method, path, form in taken:
        for field in form.model_fields:
            for value in HOSTILE:
                body = {name: sample[name] for name in form.model_fields if name in sample}
                reply = await api.send(method, path, {**body, field: value}, user="root")
                assert reply.status in (200, 201, 400, 404, 409), (path, value, reply.text)
                assert reply.body
                tried += 1
    assert tried > 4 * len(HOSTILE)


NO_OBJECTS = [
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"name": ' + b"9" * 5000 + b"}",
]


async def test_what_is_no_json_object_is_refused(api: Api) -> None:
    for body in NO_OBJECTS:
        headers = {"Content-Type": "application/json"}
        reply = await api.post("calendar/", raw=body, headers=headers)
        assert reply.status == 400, reply.text
        assert set(reply.body) == {"detail"}


OTHER_KINDS = [
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/json; charset=latin-1",
]


async def test_only_json_is_taken(api: Api) -> None:
    for kind in OTHER_KINDS:
        reply = await api.post("calendar/", raw=b"name=x", headers={"Content-Type": kind})
        assert reply.status == 415
        assert kind in reply.body["detail"]


async def test_a_packed_body_is_refused_and_never_unpacked(api: Api) -> None:
    bomb = zlib.compress(bytes(200 * 2**20))
    for user in ("manager", None):
        for path, kind in (
            ("calendar/", "application/json"),
            ("audio-files/", "multipart/form-data; boundary=b"),
        ):
            for encoding in ("deflate", "gzip", "br", "zstd"):
                headers = {"Content-Type": kind, "Content-Encoding": encoding}
                before = time.process_time()
                reply = await api.post(path, raw=bomb, headers=headers, user=user)
                assert reply.status == (415 if user else 401)
                # It takes half a second and more to unpack it.
                assert time.process_time() - before < 0.2
                assert not user or "without Content-Encoding" in reply.body["detail"]


async def test_a_body_over_a_mebibyte_is_refused(api: Api) -> None:
    reply = await api.post("calendar/", {"name": "x" * 2**20})
    assert (reply.status, reply.body) == (
        413,
        {"detail": "The body is too large; 1 MiB is the most."},
    )


async def test_all_mistakes_are_told_at_once(api: Api) -> None:
    await clinic(api)
    reply = await api.post(
        "alarm/",
        {
            "event": 999,
            "alarm_phonenumber": "call me",
            "maxretry": 101,
            "retry_delay": "-1",
            "method": 4,
            "daily_start": "25:00",
            "mail_template": 1,
            "survey": "http://x/rest-api/survey-template/1/",
            "retry_policy": {"busy": {"delay": 1}},
            "on_unknown": "pray",
            "url_cancel": "ftp://example.com/",
            "timezone": "Europe/Atlantis",
            "language": "English",
            "colour": "red",
        },
    )
    assert reply.status == 400
    assert reply.body.pop("colour")[0].startswith("there is no such field; it may be one of ")
    assert reply.body == {
        "event": ["event 999 does not exist"],
        "alarm_phonenumber": ["must be a phone number: digits with an optional leading +"],
        "maxretry": ["must lie between 0 and 100"],
        "retry_delay": ["must lie between 0 and 604800"],
        "method": ["must be one of 1 (call), 2 (sms), 3 (email)"],
        "daily_start": ["must be a time of day from 00:00:00 to 23:59:59"],
        "mail_template": ["mail-template 1 does not exist"],
        "survey": [
            "this survey is not sealed; POST to its seal/ and take the sealed-survey that it"
            " answers with"
        ],
        "retry_policy": ["busy: must have a delay (seconds) and a count"],
        "on_unknown": ["must be one of redial, miss"],
        "url_cancel": ["must be an address like https://example.com/path"],
        "timezone": ["must be an IANA time zone, like Europe/Madrid"],
        "language": ["must be a language like en or en-GB"],
    }


async def test_what_is_missing_is_told(api: Api) -> None:
    required = ["this field is required"]
    expected = {
        "calendar-setting": {"label", "survey", "aleg_gateway"},
        "calendar-user": {"username", "password"},
        "calendar": {"name", "user"},
        "event": {"title", "calendar"},
        "alarm": {"event"},  # its person may have the number
        "alarm-request": {"alarm"},
    }
    for resource, fields in expected.items():
        reply = await api.post(f"{resource}/", {})
        assert (reply.status, reply.body) == (400, dict.fromkeys(fields, required))


MISTAKES: list[tuple[str, dict[str, Any], str, str]] = [
    ("gateway", {"gateways": "SIP/{number}"}, "gateways", "must look like PJSIP/{number}"),
    ("gateway", {"number_pattern": "("}, "number_pattern", "must be a quick regular expression"),
    ("gateway", {"addprefix": "00${X}"}, "addprefix", "may hold digits, +, * and # alone"),
    ("gateway", {"status": "broken"}, "status", "must be one of 1 (active), 0 (inactive)"),
    ("sms-gateway", {"kind": "pigeon"}, "kind", "must be one of asterisk, http"),
    ("sms-gateway", {"kind": "asterisk"}, "settings", "url is unknown; it may hold"),
    ("sms-gateway", {"settings": {}}, "settings", "url: must be the gateway's address"),
    (
        "sms-gateway",
        {"settings": {"url": "http://x/", "headers": {"X": "a\r\nY: b"}}},
        "settings",
        "headers: must be a JSON object of texts of one line",
    ),
    (
        "sms-gateway",
        {"settings": {"url": "http://x/", "token": "x"}},
        "settings",
        "token is unknown",
    ),
    ("calendar-setting", {"calling_days": "MO,XX"}, "calling_days", "must be days like MO,TU"),
    ("calendar-setting", {"holidays": ["Easter"]}, "holidays", "must be a list of dates"),
    ("event", {"rule": 987654}, "rule", "rule 987654 does not exist"),
    ("event", {"exdate": ["soon"]}, "exdate", "must be a date and time like"),
    ("event", {"data": "x"}, "data", "must be a JSON object"),
    ("event", {"start": "tomorrow"}, "start", "must be a date and time like 2013-12-10"),
    ("event", {"start": "2030-02-30 10:00"}, "start", "of a day that exists"),
    ("event", {"start": "1599-01-01 10:00"}, "start", "the year must lie between 1600"),
    ("event", {"end": "2030-01-01 10:00"}, "end", "must be later than start"),
    ("alarm", {"alarm_phonenumber": ""}, "alarm_phonenumber", "must not be empty"),
    ("alarm", {"status": 7}, "status", "a new alarm is 1 (pending)"),
    ("branching-template", {"keys": "x"}, "keys", "must be a key value like 1"),
]


async def test_each_mistake_says_what_would_be_right(api: Api) -> None:
    right = await bodies(api)
    for resource, changes, field, said in MISTAKES:
        reply = await api.post(f"{resource}/", {**right[resource], **changes}, user="root")
        assert reply.status == 400, reply.text
        assert list(reply.body) == [field]
        assert said in reply.body[field][0]


IMPOSSIBLE = ["0", "-1", "1.0", "abc", "99999999999999999999", "2147483648", "%00", "٣", "1'"]


async def test_an_impossible_id_is_not_found(api: Api) -> None:
    for row_id in IMPOSSIBLE:
        for resource in RESOURCES:
            reply = await api.get(f"{resource.name}/{row_id}/", user="root")
            assert reply.status == 404, (resource.name, reply.text)
            for action in resource.actions:
                path = f"{resource.name}/{row_id}/{action.name}/"
                reply = await api.send(action.method, path, {"status": 3}, user="root")
                assert reply.status == 404, reply.text


WRONG_QUERIES = [
    "page=0",
    "page=x",
    "page_size=1001",
    "page_size=0",
    "calender=1",
    "status=%00",
    "status=x",
]


async def test_a_wrong_query_is_told(api: Api) -> None:
    for query in WRONG_QUERIES:
        reply = await api.get(f"event/?{query}")
        assert reply.status == 400
        assert list(reply.body) == [query.split("=")[0]]


async def test_relations_are_taken_as_links_and_as_ids(api: Api) -> None:
    made = await clinic(api)
    number = id_of(made.calendar)
    for calendar in (
        made.calendar,
        number,
        str(number),
        f"/rest-api/calendar/{number}/",
        f"https://elsewhere.example/rest-api/calendar/{number}",
    ):
        event = await api.made("event/", {"title": "t", "calendar": calendar})
        assert event["calendar"] == made.calendar


async def test_an_alarm_without_anything_to_call_by_is_refused(api: Api) -> None:
    made = await clinic(api)
    await api.patch(f"calendar-user-profile/{id_of(made.user)}/", {"calendar_setting": None})
    event = await api.made("event/", {"title": "t", "calendar": made.calendar})
    survey = await sealed_survey(api)
    body = {"event": event["url"], "alarm_phonenumber": "600100200", "survey": survey}
    reply = await api.post("alarm/", body)
    assert reply.status == 400
    assert "has no calendar setting" in reply.body["event"][0]
    assert "calendar-user-profile/" in reply.body["event"][0]
