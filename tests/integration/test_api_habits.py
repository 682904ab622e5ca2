"""The habits of the API: logins, methods, pages, filters, links, trouble."""

import asyncio
import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest

from telealarm.api.core import errors
from telealarm.api.public.probes import Health
from telealarm.config.model import Config
from telealarm.errors import Overloaded, StorageError
from telealarm.models import User
from telealarm.store.access import passwords
from telealarm.store.engine.database import Database
from tests.integration.api_client import PASSWORD, Api, clinic, gateways, sealed_survey, serving

LIST_ALLOW = "GET, POST, HEAD, OPTIONS"
ROW_ALLOW = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"


async def test_nobody_gets_in_without_a_login(api: Api) -> None:
    for path in ("", "calendar/", "calendar/1/", "event/1/get_list_child/"):
        reply = await api.get(path, user=None)
        assert reply.status == 401
        assert reply.headers["WWW-Authenticate"].startswith("Basic ")
        assert reply.body == {"detail": "Authentication credentials were not provided."}


NO_LOGINS = ["Basic", "Basic !!!", "Bearer abc", "Basic bm9jb2xvbg==", "Basic AAAAOgAA", "x"]


async def test_a_header_that_is_no_login_is_refused(api: Api) -> None:
    for header in NO_LOGINS:
        reply = await api.get("calendar/", user=None, headers={"Authorization": header})
        assert reply.status == 401


async def test_a_wrong_password_is_refused_even_after_the_right_one(api: Api) -> None:
    assert (await api.get("calendar/")).status == 200
    for user, password in (("manager", "wrong"), ("nobody", PASSWORD), ("manager", "")):
        reply = await api.get("calendar/", user=user, password=password)
        assert (reply.status, reply.body) == (401, {"detail": "Invalid username/password."})


async def test_a_changed_password_counts_at_once(api: Api) -> None:
    user = await api.made("users/", {"username": "ann", "password": "first one"}, user="root")
    assert (await api.get("calendar/", user="ann", password="first one")).status == 200
    reply = await api.patch(user["url"], {"password": "second one"}, user="root")
    assert reply.status == 200
    assert (await api.get("calendar/", user="ann", password="first one")).status == 401
    assert (await api.get("calendar/", user="ann", password="second one")).status == 200
    await api.patch(user["url"], {"is_active": False}, user="root")
    assert (await api.get("calendar/", user="ann", password="second one")).status == 401


async def test_a_known_login_is_not_hashed_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await api.get("calendar/")).status == 200

    def refuse(password: str, password_hash: str) -> bool:
        raise AssertionError("hashed again")

    monkeypatch.setattr(passwords, "matches", refuse)
    assert (await api.get("calendar/")).status == 200


async def test_the_resources_are_listed(api: Api) -> None:
    reply = await api.get("")
    assert reply.status == 200
    assert reply.body["calendar"] == f"{api.origin}/rest-api/calendar/"
    for link in reply.body.values():
        assert (await api.get(link, user="root")).status == 200


async def test_methods_and_allow(api: Api) -> None:
    made = await clinic(api)
    for path, allow in (
        ("calendar/", LIST_ALLOW),
        (made.calendar, ROW_ALLOW),
        ("sealed-survey/", "GET, HEAD, OPTIONS"),
        (made.survey, "GET, HEAD, OPTIONS"),
        ("alarm-request/", LIST_ALLOW),
    ):
        reply = await api.send("OPTIONS", path)
        assert (reply.status, reply.headers["Allow"]) == (200, allow)
        reply = await api.send("HEAD", path)
        assert (reply.status, reply.text) == (200, "")
        for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE"):
            if method not in allow:
                reply = await api.send(method, path, {})
                assert (reply.status, reply.headers["Allow"]) == (405, allow)
                assert reply.body == {"detail": f'Method "{method}" not allowed.'}


async def test_a_path_without_its_slash_is_explained(api: Api) -> None:
    reply = await api.get("calendar")
    assert reply.status == 404
    assert reply.body == {"detail": "Not found. The paths of this API end with a slash."}
    assert (await api.get("nonsense/")).body == {"detail": "Not Found."}


async def test_lists_come_in_pages(api: Api) -> None:
    made = await clinic(api)
    await asyncio.gather(
        *(api.made("calendar/", {"name": f"c{n}", "user": made.user}) for n in range(4))
    )
    first = (await api.get("calendar/?page_size=2")).body
    assert (first["count"], len(first["results"]), first["previous"]) == (5, 2, None)
    second = (await api.get(first["next"])).body
    last = (await api.get(second["next"])).body
    assert last["next"] is None
    pages = [first, second, last]
    urls = [row["url"] for page in pages for row in page["results"]]
    assert urls == [row["url"] for row in (await api.get("calendar/")).body["results"]]
    assert len(urls) == 5
    assert (await api.get(last["previous"])).body == second
    reply = await api.get("calendar/?page_size=2&page=4")
    assert (reply.status, reply.body) == (404, {"detail": "Invalid page."})
    empty = (await api.get("calendar/?name=none")).body
    assert empty == {"count": 0, "next": None, "previous": None, "results": []}


async def test_lists_are_narrowed_by_filters(api: Api) -> None:
    made = await clinic(api)
    link = (await api.made("calendar/", {"name": "two", "user": made.user}))["url"]
    for calendar, status in ((made.calendar, 1), (link, 1), (link, 3)):
        await api.made("event/", {"title": "t", "calendar": calendar, "status": status})
    for query, count in (
        ("", 3),
        (f"?calendar={link}", 2),
        (f"?calendar={link.rstrip('/').rsplit('/', 1)[1]}&status=3", 1),
        ("?status=2", 0),
        ("?parent_event=1", 0),
    ):
        assert (await api.get(f"event/{query}")).body["count"] == count


async def test_links_carry_the_host_of_the_request(api: Api) -> None:
    await gateways(api)
    for host, shown in (
        ("alarm.example.com", "http://alarm.example.com"),
        ("alarm.example.com:8443", "http://alarm.example.com:8443"),
        ('evil"><script>', "http://127.0.0.1:8000"),
        ("a@b/c", "http://127.0.0.1:8000"),
    ):
        reply = await api.get("gateway/1/", headers={"Host": host})
        assert reply.body["url"] == f"{shown}/rest-api/gateway/1/"


async def test_what_was_read_can_be_written_back(api: Api) -> None:
    made = await clinic(api)
    event = await api.made(
        "event/", {"title": "t", "calendar": made.calendar, "start": "2030-05-01 10:00"}
    )
    alarm = await api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "600100200"})
    profile = made.user.replace("calendar-user", "calendar-user-profile")
    for link in (made.setting, made.user, made.calendar, profile, event["url"], alarm["url"]):
        before = (await api.get(link)).body
        reply = await api.put(link, before)
        assert reply.status == 200, reply.text
        before.pop("updated_date", None)
        reply.body.pop("updated_date", None)
        assert reply.body == before
    for path in ("gateway/1/", "sms-gateway/1/", "users/1/"):
        before = (await api.get(path, user="root")).body
        assert (await api.put(path, before, user="root")).status == 200


async def test_put_puts_defaults_where_nothing_was_sent(api: Api) -> None:
    made = await clinic(api)
    patched = await api.patch(made.calendar, {"max_concurrent": 5, "timezone": "Asia/Tokyo"})
    assert patched.body["max_concurrent"] == 5
    reply = await api.put(made.calendar, {"name": "new", "user": made.user})
    assert reply.status == 200
    assert (reply.body["name"], reply.body["max_concurrent"]) == ("new", 0)
    assert reply.body["timezone"] is None


async def test_health_needs_no_login(api: Api) -> None:
    assert (await api.get("/healthz", user=None)).status == 200
    reply = await api.get("/readyz", user=None)
    assert (reply.status, reply.body) == (
        200,
        {"ready": True, "checks": {"asterisk": "ok"}, "remarks": {}},
    )


@pytest.mark.parametrize("who", ["nobody", "manager", "root"])
async def test_only_a_superuser_is_told_why_a_check_fails(
    db: Database, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    async def away(*_: object) -> None:
        raise StorageError("it does not answer")

    why = "asterisk.ari.url: http://10.1.2.3:8088 refuses"

    health = Health({"asterisk": why, "database": "ok"}, {"speech": "espeak-ng 1.51 is missing"})
    async with serving(db, config, tmp_path, health) as api:
        reply = await api.get("/readyz", user=None if who == "nobody" else who)
        assert reply.status == 503
        if who == "root":
            assert reply.body["checks"] == {"asterisk": why, "database": "ok"}
            assert reply.body["remarks"] == {"speech": "espeak-ng 1.51 is missing"}
        else:
            assert reply.body == {
                "ready": False,
                "checks": {"asterisk": "failing", "database": "ok"},
                "remarks": {"speech": "remark"},
            }
        assert (await api.get("/readyz", user="root", password="wrong")).status == 401
        # The database is away: the reply still comes.
        monkeypatch.setattr(db, "read", away)
        assert (await api.get("/readyz", user="root")).body["checks"]["asterisk"] == "failing"


async def test_prompts_are_served_by_their_digest_alone(api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    name = "0a" * 24
    (folder / f"{name}.wav").write_bytes(b"RIFF")
    (tmp_path / "secret.wav").write_bytes(b"secret")
    # As earlier versions named it: whoever guessed the text knew the name.
    guessable = hashlib.sha256(b"\0en\0Your test is positive.").hexdigest()
    (folder / f"{guessable}.wav").write_bytes(b"RIFF")
    reply = await api.get(f"/prompts/{name}.wav", user=None)
    assert (reply.status, reply.text) == (200, "RIFF")
    assert reply.headers["Content-Type"].startswith("audio/")
    assert reply.headers["Cache-Control"] == "max-age=86400"
    for path in (
        f"{'f' * 48}.wav",
        f"{guessable}.wav",
        "secret.wav",
        "..%2fsecret.wav",
        f"{name}.wav%00",
        name,
    ):
        assert (await api.get(f"/prompts/{path}", user=None)).status == 404


@pytest.mark.parametrize("error", [Overloaded(), StorageError("host db said: password of bob")])
async def test_a_database_in_trouble_is_503(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: StorageError
) -> None:
    async def fail(*job: Any) -> None:
        raise error

    monkeypatch.setattr(api.db, "write", fail)
    reply = await api.post("survey-template/", {"name": "x"})
    assert reply.status == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert "bob" not in reply.text


async def test_an_unexpected_error_is_logged_and_says_nothing(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*job: Any) -> None:
        raise RuntimeError("the inside of it")

    monkeypatch.setattr(api.db, "write", fail)
    with caplog.at_level(logging.ERROR):
        reply = await api.post("survey-template/", {"name": "x"})
    assert reply.status == 500
    assert "inside" not in reply.text
    assert reply.headers["X-Request-ID"] in caplog.text
    assert "the inside of it" in caplog.text


async def test_what_takes_too_long_is_answered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await api.get("calendar/")).status == 200

    async def never(*job: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(errors, "TIME_LIMIT", 0.05)
    monkeypatch.setattr(api.db, "write", never)
    reply = await api.post("survey-template/", {"name": "x"})
    assert reply.status == 503
    assert "Retry-After" in reply.headers


async def test_no_hash_is_in_any_reply(api: Api) -> None:
    await clinic(api)
    await sealed_survey(api)
    hashes = [user.password_hash for user in await api.db.read(lambda: list(User.select()))]
    for path in (await api.get("", user="root")).body.values():
        text = (await api.get(path, user="root")).text
        assert "argon2" not in text
        # The audit log says by which road somebody came, and that a password changed; no more.
        for word in ('"road": "password"', '"password": [null, "changed"]'):
            text = text.replace(word, "")
        assert "password" not in text
        assert not any(one in text for one in hashes)
