"""The sweep across tenants, written from openapi.json: a new route is covered unasked."""

import re
from collections.abc import Iterator
from typing import Any

from telealarm.models import (
    Alarm,
    AlarmRequest,
    CallRequest,
    Event,
    Message,
    Section,
    Survey,
    SurveyResult,
    Transfer,
)
from tests.integration.api_client import Api, id_of
from tests.integration.test_api_tenants import MISSING, all_of_it

VERBS = ("get", "post", "put", "patch", "delete")
# What has no owner: written by superusers alone; a manager sees a gateway that is active.
UNOWNED = {"gateway", "sms-gateway", "users", "dialing"}


async def described(api: Api) -> dict[str, Any]:
    document: dict[str, Any] = (await api.get("openapi.json", user=None)).body
    return document


async def everything(api: Api, user: str) -> dict[str, str]:
    """One row of each resource: owned by `user`, or a gateway that is switched off."""
    mine = await all_of_it(api, user)
    found = (await api.get("gateway/", user="root")).body["results"]
    mine["gateway"] = found[0]["url"]

    def call() -> dict[str, int]:
        request = AlarmRequest.get_by_id(id_of(mine["alarm-request"]))
        alarm = Alarm.get_by_id(request.alarm_id)
        made: CallRequest = CallRequest.create(
            owner=Event.get_by_id(alarm.event_id).owner_id,
            request=request,
            alarm=alarm,
            aleg_uuid=f"ta-{request.id}",
            endpoint="PJSIP/1@trunk",
            phone_number="600100200",
            gateway=id_of(mine["gateway"]),
            survey=Survey.get_by_id(id_of(mine["sealed-survey"])),
        )
        section = Section.get(Section.survey == made.survey_id)
        result = SurveyResult.create(call=made, section=section, response="1")
        transfer = Transfer.create(
            owner=made.owner_id,
            call=made,
            section=section,
            gateway=made.gateway_id,
            aleg_uuid=f"ta-{request.id}-agent-1",
            phone_number="600100201",
            endpoint="PJSIP/2@trunk",
        )
        message = Message.create(
            owner=made.owner_id, alarm=alarm, recipient="600", text="t", date=made.call_time
        )
        return {
            "callrequest": made.id,
            "result": result.id,
            "transfer": transfer.id,
            "message": message.id,
        }

    for name, key in (await api.db.write(call)).items():
        mine[name] = f"{api.origin}/rest-api/{name}/{key}/"
    mine["users"] = (await api.get(f"users/?username={user}", user="root")).body["results"][0][
        "url"
    ]
    erased = {"number": "+34600100999", "confirm": True}
    mine["erasure"] = (await api.post("person/erase/", erased, user=user)).body["url"]
    mine["audit"] = (await api.get(f"audit/?who={user}", user="root")).body["results"][0]["url"]
    body = {"name": f"off {user}", "gateways": "PJSIP/{number}@off", "status": 0}
    mine["gateway"] = (await api.made("gateway/", body, user="root"))["url"]
    body = {"name": f"off {user}", "settings": {"url": "http://127.0.0.1:9/"}, "status": 0}
    mine["sms-gateway"] = (await api.made("sms-gateway/", body, user="root"))["url"]
    return mine


def rows(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every method of every path that names a row: path, method, whose id it is."""
    for path, item in document["paths"].items():
        if "{id}" in path:
            for method in VERBS:
                if method in item:
                    yield path, method, item["parameters"][0]["x-relation"]


def relations(document: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Every field of every body that names a row: path, method, field, whose id it is."""
    for path, item in document["paths"].items():
        for method in VERBS:
            body = item.get(method, {}).get("requestBody")
            if body is None:
                continue
            if "application/json" not in body["content"]:
                continue
            name = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
            for field, schema in document["components"]["schemas"][name]["properties"].items():
                if "x-relation" in schema:
                    yield path, method, field, schema["x-relation"]


async def test_a_foreign_id_is_404_on_every_path_by_every_method(api: Api) -> None:
    mine = await everything(api, "manager")
    swept = 0
    for path, method, of in rows(await described(api)):
        assert of in mine, f"tell this test how to make a {of}, so that it sweeps {path}"
        real = path.replace("{id}", str(id_of(mine[of])))
        body = None if method in ("get", "delete") else {}
        reply = await api.send(method.upper(), real, body, user="other")
        if of in UNOWNED and (of == "users" or method != "get"):
            assert reply.status == 403, (method, path, reply.text)
        else:
            said = (reply.status, reply.body)
            assert said == (404, {"detail": "Not found."}), (method, path, said)
        missing = await api.send(method.upper(), path.replace("{id}", "987654"), body, user="other")
        assert (missing.status, missing.body) == (reply.status, reply.body), (method, path)
        swept += 1
    assert swept > 50


async def test_a_foreign_id_in_a_relation_is_400_in_the_words_for_a_missing_one(api: Api) -> None:
    mine = await everything(api, "manager")
    theirs = await everything(api, "other")
    swept = 0
    for path, method, field, to in relations(await described(api)):
        of = path.split("/")[2]
        if of in UNOWNED:
            continue
        real = path.replace("{id}", str(id_of(theirs[of])))
        said = []
        for value in (id_of(mine[to]), MISSING):
            for sent in (value, str(value), f"http://elsewhere/rest-api/{to}/{value}/"):
                reply = await api.send(method.upper(), real, {field: sent}, user="other")
                assert reply.status == 400, (method, path, field, reply.text)
                assert field in reply.body, (method, path, field, reply.text)
                said.append(re.sub(rf"\b{value}\b", "N", str(reply.body[field])))
        # A link is repeated as it came; everything else is word by word the same.
        assert len({text.replace("N", "") for text in said}) == 1, (method, path, field, said)
        swept += 1
    assert swept > 20


async def test_a_foreign_id_in_a_filter_finds_nothing_as_a_missing_one_does(api: Api) -> None:
    mine = await everything(api, "manager")
    document = await described(api)
    swept = 0
    for path, item in document["paths"].items():
        for parameter in item.get("get", {}).get("parameters", ()):
            to = parameter["schema"].get("x-relation")
            if to is None:
                continue
            for value in (id_of(mine[to]), MISSING):
                reply = await api.get(f"{path}?{parameter['name']}={value}", user="other")
                assert (reply.status, reply.body["count"]) == (200, 0), (path, parameter["name"])
                swept += 1
    assert swept > 10
