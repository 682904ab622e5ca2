"""Each manager sees and touches what is theirs alone."""

import re
from typing import Any

from telealarm.api.app import RESOURCES
from telealarm.api.fields.form import marked
from telealarm.api.fields.relation import Relation
from telealarm.models import CalendarUser
from tests.integration.api_client import Api, clinic, id_of
from tests.integration.test_api_bad_input import bodies

SHARED = {"gateway", "sms-gateway", "users"}
MISSING = 987654
PREDEFINED_RULES = 6


async def all_of_it(api: Api, user: str) -> dict[str, str]:
    """One row of each resource, owned by `user`; their links."""
    made = await clinic(api, user)
    template = await api.made("survey-template/", {"name": "draft"}, user=user)
    section = await api.made("section-template/", {"survey": template["url"], "type": 1}, user=user)
    branching = await api.made(
        "branching-template/", {"section": section["url"], "keys": "0"}, user=user
    )
    event = await api.made(
        "event/",
        {"title": "t", "calendar": made.calendar, "start": "2030-01-01 10:00"},
        user=user,
    )
    alarm = await api.made(
        "alarm/", {"event": event["url"], "alarm_phonenumber": "600100200"}, user=user
    )
    attempt = await api.made("alarm-request/", {"alarm": alarm["url"]}, user=user)
    webhook = await api.made("webhook/", {"target_url": "https://example.com/told"}, user=user)
    dnc = await api.made("dnc-list/", {"name": "opted out"}, user=user)
    contact = await api.made(
        "dnc-contact/", {"dnc": dnc["url"], "phone_number": "600100201"}, user=user
    )
    # The contact was told to the webhook.
    told = await api.get(f"webhook-delivery/?webhook={id_of(webhook['url'])}", user=user)
    recording = await api.recorded(user=user)
    rule = await api.made("rule/", {"name": "r", "frequency": "DAILY"}, user=user)
    mail = await api.made(
        "mail-template/", {"label": "l", "subject": "s", "message_html": "h"}, user=user
    )
    sms = await api.made("sms-template/", {"label": "l", "sms_text": "t"}, user=user)
    feed = await api.made(
        "calendar-feed/",
        {"name": "f", "calendar": made.calendar, "source_url": "https://example.com/a.ics"},
        user=user,
    )
    person = await api.made("person/", {"name": "Ann Example"}, user=user)
    plan = await api.made("reminder-plan/", {"name": "p", "steps": [{"offset": 60}]}, user=user)
    return {
        "calendar-feed": feed["url"],
        "person": person["url"],
        "rule": rule["url"],
        "reminder-plan": plan["url"],
        "mail-template": mail["url"],
        "sms-template": sms["url"],
        "audio-files": recording["url"],
        "survey-template": template["url"],
        "section-template": section["url"],
        "branching-template": branching["url"],
        "sealed-survey": made.survey,
        "surveyaggregate": made.survey.replace("sealed-survey", "surveyaggregate"),
        "calendar-setting": made.setting,
        "calendar-user": made.user,
        "calendar-user-profile": made.user.replace("calendar-user", "calendar-user-profile"),
        "calendar": made.calendar,
        "event": event["url"],
        "alarm": alarm["url"],
        "alarm-request": attempt["url"],
        "dnc-list": dnc["url"],
        "dnc-contact": contact["url"],
        "webhook": webhook["url"],
        "webhook-delivery": told.body["results"][0]["url"],
    }


async def test_foreign_rows_do_not_exist(api: Api) -> None:
    mine = await all_of_it(api, "manager")
    missing = {"detail": "Not found."}
    for resource in RESOURCES:
        if resource.name in SHARED or resource.name not in mine:
            continue
        link = mine[resource.name]
        assert (await api.get(link)).status == 200
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            if method in resource.row_methods:
                reply = await api.send(method, link, {} if method != "GET" else None, user="other")
                assert (reply.status, reply.body) == (404, missing), (method, link)
        for action in resource.actions:
            owner = mine["event"] if action.of else link
            path = f"{resource.name}/{id_of(owner)}/{action.name}/"
            body = {"status": 3} if action.method == "PATCH" else None
            reply = await api.send(action.method, path, body, user="other")
            assert (reply.status, reply.body) == (404, missing), path
        if resource.listed:
            found = (await api.get(f"{resource.name}/", user="other")).body
            assert [row["url"] for row in found["results"] if row["url"] == link] == []
            assert found["count"] == (PREDEFINED_RULES if resource.name == "rule" else 0)


async def test_foreign_relations_are_refused_in_the_words_for_missing_ones(api: Api) -> None:
    mine = await all_of_it(api, "manager")
    theirs = await all_of_it(api, "other")
    for resource in RESOURCES:
        if resource.form is None or resource.name not in theirs:
            continue
        for field, kind in marked(resource.form, Relation).items():
            if kind.resource in SHARED:
                continue
            link = mine[kind.resource]
            said = []
            for value in (id_of(link), MISSING):
                reply = await api.patch(theirs[resource.name], {field: value}, user="other")
                assert reply.status == 400, (resource.name, field, reply.text)
                said.append(re.sub(rf"\b{value}\b", "N", reply.body[field][0]))
            assert said[0] == said[1]
            # A superuser sees both, but one row does not mix them.
            reply = await api.patch(theirs[resource.name], {field: link}, user="root")
            if resource.name != "alarm-request":
                assert reply.status == 400, (resource.name, field, reply.text)
                assert list(reply.body) == [field]


async def test_a_filter_by_a_foreign_id_finds_nothing(api: Api) -> None:
    mine = await all_of_it(api, "manager")
    reply = await api.get(f"event/?calendar={id_of(mine['calendar'])}", user="other")
    assert reply.body["count"] == 0


async def test_a_superuser_sees_all_and_rows_stay_with_their_owner(api: Api) -> None:
    mine = await all_of_it(api, "manager")
    event = await api.made(
        "event/", {"title": "by root", "calendar": mine["calendar"]}, user="root"
    )
    assert (await api.get(event["url"])).status == 200
    for name, link in mine.items():
        assert (await api.get(link, user="root")).status == 200, name


async def test_a_superuser_makes_a_setting_for_a_manager(api: Api) -> None:
    mine = await clinic(api)
    body = {"label": "l", "survey": mine.survey, "aleg_gateway": mine.gateway}
    for user in ("http://x/rest-api/user/2/", 2, "manager"):
        setting = await api.made("calendar-setting/", {**body, "user": user}, user="root")
        assert setting["user"] == "manager"
        assert (await api.get(setting["url"])).status == 200
    reply = await api.post("calendar-setting/", {**body, "user": 99}, user="root")
    assert (reply.status, list(reply.body)) == (400, ["user"])
    reply = await api.post("calendar-setting/", body, user="root")
    assert (reply.status, list(reply.body)) == (400, ["survey"])


async def test_users_are_for_superusers(api: Api) -> None:
    for method, path in (("GET", "users/"), ("POST", "users/"), ("GET", "users/1/")):
        reply = await api.send(method, path)
        assert reply.status == 403
        assert reply.body == {"detail": "You do not have permission to perform this action."}
    reply = await api.get("users/?username=manager", user="root")
    assert reply.body["results"][0]["is_superuser"] is False


async def test_a_superuser_does_not_lock_themselves_out(api: Api) -> None:
    own = (await api.get("users/?username=root", user="root")).body["results"][0]["url"]
    for body in ({"is_active": False}, {"is_superuser": False}):
        assert (await api.patch(own, body, user="root")).status == 409
    assert (await api.delete(own, user="root")).status == 409


async def test_gateways_are_written_by_superusers_and_read_by_managers(api: Api) -> None:
    right = await bodies(api)
    for name in ("gateway", "sms-gateway"):
        assert (await api.post(f"{name}/", right[name])).status == 403
        row = await api.made(f"{name}/", right[name], user="root")
        for method in ("PUT", "PATCH", "DELETE"):
            assert (await api.send(method, row["url"], {})).status == 403
        shown = await api.get(row["url"])
        assert shown.status == 200
        assert "settings" not in shown.body
        reply = await api.patch(row["url"], {"status": "inactive"}, user="root")
        assert reply.body["status"] == 0
        assert (await api.get(row["url"])).status == 404
    assert (await api.get("sms-gateway/1/", user="root")).body["settings"] == {
        "url": "http://127.0.0.1:9/"
    }


async def test_a_setting_with_a_gateway_that_was_switched_off_can_still_be_edited(
    api: Api,
) -> None:
    made = await clinic(api)
    await api.patch(made.gateway, {"status": 0}, user="root")
    before: dict[str, Any] = (await api.get(made.setting)).body
    reply = await api.put(made.setting, {**before, "label": "new"})
    assert (reply.status, reply.body["label"]) == (200, "new")


async def test_what_is_in_use_is_not_deleted(api: Api) -> None:
    made = await clinic(api)
    for link, user, why in (
        (made.setting, "manager", "calendar user profile"),
        (made.user, "manager", "calendar"),
        (made.gateway, "root", "calendar setting"),
        (f"{api.origin}/rest-api/users/2/", "root", "refers to it"),
    ):
        reply = await api.delete(link, user=user)
        assert reply.status == 409, reply.text
        assert why in reply.body["detail"]


async def test_a_profile_is_emptied_not_lost(api: Api) -> None:
    made = await clinic(api)
    profile = made.user.replace("calendar-user", "calendar-user-profile")
    await api.patch(profile, {"city": "Girona", "timezone": "Asia/Tokyo"})
    assert (await api.delete(profile)).status == 204
    shown = (await api.get(profile)).body
    assert (shown["city"], shown["timezone"], shown["calendar_setting"]) == (None, None, None)
    assert (await api.delete(made.setting)).status == 204


async def test_names_that_are_taken(api: Api) -> None:
    await clinic(api)
    for user, path, body in (
        ("root", "users/", {"username": "manager", "password": "long enough"}),
        ("root", "gateway/", {"name": "trunk", "gateways": "PJSIP/{number}@x"}),
        ("manager", "calendar-user/", {"username": "doctor of manager", "password": "x"}),
    ):
        reply = await api.post(path, body, user=user)
        assert reply.status == 400
        assert "already" in next(iter(reply.body.values()))[0]


async def test_calendar_users_of_two_managers_may_have_one_name(api: Api) -> None:
    body = {"username": "reception", "password": "x"}
    mine = await api.made("calendar-user/", body)
    theirs = await api.made("calendar-user/", body, user="other")
    assert mine["url"] != theirs["url"]
    # Within one's own it is taken, also by an edit; what was read can be written back.
    second = await api.made("calendar-user/", {**body, "username": "second"})
    reply = await api.patch(second["url"], {"username": "reception"})
    assert reply.status == 400
    assert reply.body == {"username": ["another calendar user has this username already"]}
    assert (await api.put(mine["url"], mine)).status == 200


async def test_a_calendar_user_whose_calendars_are_gone_can_be_deleted(api: Api) -> None:
    mine = await all_of_it(api, "manager")
    user = mine["calendar-user"]
    reply = await api.delete(user)
    assert (reply.status, "calendar" in reply.body["detail"]) == (409, True)
    assert (await api.delete(mine["calendar"])).status == 204
    name = (await api.get(user)).body["username"]
    assert (await api.delete(user)).status == 204
    for link in (user, mine["calendar-user-profile"]):
        assert (await api.get(link)).status == 404
    assert (await api.get("calendar-user/")).body["count"] == 0
    reply = await api.post("calendar/", {"name": "c", "user": user})
    assert (reply.status, list(reply.body)) == (400, ["user"])
    # Its attempts stay in the log, its setting is free, and so is its name.
    assert (await api.get(mine["alarm-request"])).status == 200
    assert (await api.delete(mine["calendar-setting"])).status == 204
    again = await api.made("calendar-user/", {"username": name, "password": "x"})
    assert again["url"] != user
    # One that nothing refers to leaves nothing behind.
    assert (await api.delete(again["url"])).status == 204
    assert await api.db.read(lambda: CalendarUser.select().count()) == 1
