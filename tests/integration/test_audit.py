"""The audit log: each write by a login, a token, a command or an import has an entry."""

from collections.abc import Sequence
from typing import Any

import pytest

from telealarm.api.app import RESOURCES, TASKS
from telealarm.config.model import Config
from telealarm.models import AuditEntry, CalendarFeed, User
from telealarm.store import audit
from telealarm.store.access import tokens
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from telealarm.words import FeedState
from tests.integration.api_client import Api, clinic, id_of, tone
from tests.integration.import_book import Book
from tests.integration.test_api_sweep import everything
from tests.integration.test_cli_users import command as command

# What a client may change of each resource, before the order in which they can be deleted.
CHANGES: dict[str, dict[str, Any]] = {
    "reminder-plan": {"name": "changed", "steps": []},
    "person": {"name": "changed"},
    "calendar-feed": {"name": "changed", "password": "another secret"},
    "webhook": {"events": ["alarm.result"]},
    "dnc-contact": {"phone_number": "600100209"},
    "dnc-list": {"name": "changed"},
    "alarm-request": {"status": 7},
    "alarm": {"daily_start": "08:00:00"},
    "event": {"title": "changed", "data": {"name": "Zoë"}},
    "calendar": {"name": "changed"},
    "calendar-user-profile": {"city": "changed"},
    "calendar-user": {"first_name": "changed", "password": "another secret"},
    "calendar-setting": {"label": "changed"},
    "branching-template": {"keys": "timeout"},
    "section-template": {"question": "changed"},
    "survey-template": {"name": "changed"},
    "rule": {"name": "changed"},
    "mail-template": {"subject": "changed"},
    "sms-template": {"sms_text": "changed"},
    "gateway": {"addprefix": "00"},
    "sms-gateway": {"settings": {"url": "http://127.0.0.1:9/?token=s3cr3t"}},
    "users": {"region": "ES", "password": "another secret"},
    "audio-files": {"name": "changed"},
}
SECRETS = ("another secret", "s3cr3t", "argon2", "whsec_")
SUPERUSERS = {"gateway", "sms-gateway", "users"}


async def entries(api: Api, query: str = "", user: str = "root") -> list[dict[str, Any]]:
    reply = await api.get(f"audit/?page_size=1000&{query}", user=user)
    assert reply.status == 200, reply.text
    found: list[dict[str, Any]] = reply.body["results"]
    return found


async def last(api: Api) -> dict[str, Any]:
    return (await entries(api, "ordering=-id"))[0]


async def test_every_write_of_every_resource_has_its_entry(api: Api) -> None:
    mine = await everything(api, "manager")
    await api.made("users/", {"username": "extra", "password": "another secret"}, user="root")
    mine["users"] = (await api.get("users/?username=extra", user="root")).body["results"][0]["url"]
    for resource in RESOURCES:
        key = id_of(mine.get(resource.name, "0"))
        who = "root" if resource.name in SUPERUSERS else "manager"
        about = f"resource={resource.name}&object_id={key}"
        if resource.create is not None:
            (made,) = await entries(api, f"{about}&action=create")
            assert made["who"] == who, resource.name
            assert made["changes"] or resource.name == "alarm-request", resource.name
        if resource.change is not None:
            body = CHANGES[resource.name]
            old = (await api.get(mine[resource.name], user="root")).body
            if resource.upload:
                fields = {**body, resource.upload: tone(pitch=300)}
                reply = await api.upload(mine[resource.name], fields, method="PATCH")
            else:
                reply = await api.patch(mine[resource.name], body, user=who)
            assert reply.status == 200, (resource.name, reply.text)
            entry = await last(api)
            said = (entry["resource"], entry["object_id"], entry["action"], entry["who"])
            assert said == (resource.name, key, "change", who)
            assert set(body) <= set(entry["changes"]), (resource.name, entry)
            for field in set(body) - {"password", "settings"}:
                assert entry["changes"][field] == [old[field], reply.body[field]], resource.name
        for action in resource.actions:
            if action.method != "GET" and action.writes:
                await _act(api, mine, resource.name, action.name)
                entry = await last(api)
                assert (entry["resource"], entry["action"]) == (resource.name, action.name)
    for name in CHANGES:
        resource = next(one for one in RESOURCES if one.name == name)
        if resource.delete is not None and name != "gateway":
            who = "root" if name in SUPERUSERS else "manager"
            reply = await api.delete(mine[name], user=who)
            if reply.status == 409:
                assert "in use" in reply.text, (name, reply.text)
                continue
            assert reply.status == 204, (name, reply.text)
            entry = await last(api)
            assert (entry["resource"], entry["action"], entry["who"]) == (name, "delete", who)
    for task in TASKS:
        if task.method == "POST" and task.writes and not task.personal:
            assert (await api.post(task.path, {}, user="root")).status == 200
            entry = await last(api)
            assert f"{entry['resource']}/{entry['action']}/" == task.path
    whole = str(await entries(api))
    assert [one for one in SECRETS if one in whole] == []


async def _act(api: Api, mine: dict[str, str], name: str, action: str) -> None:
    bodies: dict[str, Any] = {
        "call": {"phonenumber": "600100209"},
        "cancel_occurrence": {"start": "2031-01-02 10:00"},
        "move_occurrence": {"start": "2031-01-03 10:00", "to": "2031-01-03 11:00"},
        "update_last_child_status": {"status": 3},
        "erase": {"confirm": True},
    }
    link = mine[name]
    if action in bodies and name == "event":
        rule = await api.made("rule/", {"name": "daily", "frequency": "DAILY"})
        series = {"title": "s", "calendar": mine["calendar"], "start": "2031-01-01 10:00"}
        link = (await api.made("event/", {**series, "rule": rule["url"]}))["url"]
    if action == "seal":
        link = (await api.made("survey-template/", {"name": "ready"}))["url"]
        section = {"survey": link, "type": 1, "script": "Hello."}
        await api.made("section-template/", section)
    if action == "erase":
        link = (await api.made("person/", {"name": "Ann", "numbers": ["600100208"]}))["url"]
    if action == "confirm":
        asked = CalendarFeed.update(state=FeedState.ASKS, asked={"doubt": "all", "ids": []})
        await api.db.write(asked.execute)
    method = "PATCH" if action == "update_last_child_status" else "POST"
    who = "root" if name in SUPERUSERS else "manager"
    reply = await api.send(method, f"{link}{action}/", bodies.get(action), user=who)
    assert reply.status in (200, 201), (name, action, reply.text)


async def test_a_field_without_a_column_of_its_own_is_there_too(api: Api) -> None:
    ready = await clinic(api)
    visit = {"title": "t", "calendar": ready.calendar, "start": "2030-01-01 10:00"}
    event = await api.made("event/", visit)
    alarm = await api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "600100200"})
    notice = "2029-12-31T10:00:00+01:00"
    assert (await api.patch(alarm["url"], {"date_start_notice": notice})).status == 200
    old = "2030-01-01T10:00:00+01:00"
    changes = {"date_start_notice": [old, notice], "by_hand": [False, True]}
    assert (await last(api))["changes"] == changes


async def test_a_write_that_changes_nothing_or_is_refused_leaves_no_entry(api: Api) -> None:
    ready = await clinic(api)
    before = await entries(api)
    assert (await api.patch(ready.calendar, {"name": "book"})).status == 200
    assert (await api.patch(ready.calendar, {"name": ""})).status == 400
    event = {"title": "t", "calendar": ready.calendar, "start": "2030-01-01 10:00", "rule": 987}
    assert (await api.post("event/", event)).status == 400
    mail = await api.made("mail-template/", {"label": "l", "subject": "s", "message_html": "h"})
    visit = await api.made("event/", {**event, "rule": None})
    preview = await api.post(f"{mail['url']}preview/", {"event": visit["url"]})
    assert preview.status == 200, preview.text
    assert len(await entries(api)) == len(before) + 2


async def test_a_manager_sees_own_entries_only_and_nobody_writes_them(api: Api) -> None:
    mine, theirs = await clinic(api), await clinic(api, "other")
    seen = {(one["resource"], one["object_id"]) for one in await entries(api, user="manager")}
    assert ("calendar", id_of(mine.calendar)) in seen
    assert ("calendar", id_of(theirs.calendar)) not in seen
    # A superuser's change of a manager's row is in the manager's log.
    await api.patch(mine.calendar, {"name": "by root"}, user="root")
    entry = (await entries(api, "ordering=-id", user="manager"))[0]
    assert (entry["who"], entry["changes"]) == ("root", {"name": ["book", "by root"]})
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await api.send(method, entry["url"], {}, user="root")).status == 405
    assert (await api.post("audit/", {}, user="root")).status == 405
    assert (await api.get(entry["url"], user="other")).status == 404
    assert len(await entries(api, "who=root&resource=calendar", user="manager")) == 1
    assert await entries(api, "at__lt=2020-01-01T00:00:00Z") == []


async def test_a_token_is_named(api: Api, db: Database) -> None:
    text = await db.write(lambda: tokens.add(User.get(User.username == "manager"), "sync"))
    bearer = {"Authorization": f"Bearer {text}"}
    body = {"name": "by a token"}
    assert (await api.post("dnc-list/", body, user=None, headers=bearer)).status == 201
    entry = await last(api)
    token = (await db.read(lambda: tokens.of(None)))[0].id
    assert (entry["who"], entry["road"], entry["token"]) == ("manager", "token", token)


async def test_an_import_writes_its_entries_in_a_few_statements(
    book: Book, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = []
    insert = audit._INSERT.run

    def counted(entries: Sequence[Any]) -> int:
        statements.append(len(entries))
        return insert(entries=entries)

    monkeypatch.setattr(audit._INSERT, "run", counted)
    rows = "".join(f"T{n},2026-12-0{n + 1} 10:00,1555010{n}\n" for n in range(5))
    bad = "Bad,2026-12-09 10:00,911911911911911911911\n"
    report = book.text("title,start,alarm_phonenumber\n" + rows + bad)
    assert (report.counts["made"], len(report.refused)) == (5, 1)
    assert statements == [10]
    made = await entries(api, "road=import")
    assert sorted({one["resource"] for one in made}) == ["alarm", "event"]
    # What the import writes beside the API is there too: an event that the file has no more.
    book.text("title,start,alarm_phonenumber\n" + rows.split("\n", 1)[1], mirror=True)
    entry = await last(api)
    assert (entry["resource"], entry["action"]) == ("event", "import")
    assert entry["changes"]["status"] == [1, 2]


def test_commands_are_in_the_log(command: Any, config: Config) -> None:
    stdin = {"stdin": "a long secret\n"}
    command("user", "add", "bob", "--password-stdin", **stdin)
    command("user", "password", "bob", "--password-stdin", stdin="another secret\n")
    command("user", "disable", "bob")
    command("user", "enable", "bob")
    token = command("token", "add", "bob", "--name", "sync")[1].strip()
    command("token", "revoke", "1")
    command("user", "remove", "bob")
    command("dialing", "pause")
    db = open_database(config)
    rows = db.run(lambda: list(AuditEntry.select().order_by(AuditEntry.id)))
    assert [(row.resource, row.action) for row in rows] == [
        ("users", "create"),
        ("users", "change"),
        ("users", "change"),
        ("users", "change"),
        ("token", "create"),
        ("token", "revoke"),
        ("users", "delete"),
        ("dialing", "pause"),
    ]
    assert {row.road for row in rows} == {"command"}
    assert all(row.who for row in rows)
    whole = str([row.changes for row in rows])
    assert token not in whole and "secret" not in whole
    assert rows[2].changes == {"is_active": [True, False]}
