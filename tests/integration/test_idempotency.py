"""A POST that is sent again, because its answer was lost, is not carried out again."""

import asyncio
import hashlib
import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from telealarm.api.rest import request_reader
from telealarm.clock import utcnow
from telealarm.errors import StorageError
from telealarm.models import Event, IdempotencyKey, SurveyTemplate, User
from telealarm.store.access import idempotency
from tests.integration.api_client import Api, Reply, clinic
from tests.lab.speed import limit

BODY = {"name": "Appointment"}


async def post(api: Api, body: Any = BODY, key: str = "k1", **options: Any) -> Reply:
    path = options.pop("path", "survey-template/")
    return await api.post(path, body, headers={"Idempotency-Key": key}, **options)


async def made(api: Api) -> int:
    """How many survey templates there are."""
    return await api.db.read(lambda: SurveyTemplate.select().count())


async def keys(api: Api) -> list[str]:
    """The keys that are kept: of those that these tests use, as they are in the database."""
    plain = {idempotency.keyed(key): key for key in ("k1", "later")}
    return await api.db.read(lambda: [plain[row.key] for row in IdempotencyKey.select()])


def lasting(reply: Reply) -> dict[str, str]:
    """The headers that the second answer has as the first one had."""
    return {name: reply.headers[name] for name in ("Location", "Allow", "Content-Type")}


async def test_the_same_key_and_body_give_the_first_answer_again(api: Api) -> None:
    first = await post(api)
    assert first.status == 201
    assert "Idempotent-Replayed" not in first.headers
    await api.patch(first.body["url"], {"name": "changed meanwhile"})
    again = await post(api)
    assert (again.status, again.text) == (201, first.text)
    assert lasting(again) == lasting(first)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert await made(api) == 1


async def test_another_body_with_the_key_is_refused(api: Api) -> None:
    await post(api)
    reply = await post(api, {"name": "another"})
    assert reply.status == 409
    assert reply.body == {
        "detail": "This Idempotency-Key was used with another body; take a new one."
    }
    assert await made(api) == 1
    assert (await post(api, {"name": "another"}, key="k2")).status == 201


async def test_a_key_is_its_logins_and_its_paths(api: Api) -> None:
    first = await post(api)
    theirs = await post(api, user="other")
    assert theirs.status == 201
    assert theirs.body["url"] != first.body["url"]
    for link in (first.body["url"], (await post(api, key="k2")).body["url"]):
        await api.made("section-template/", {"survey": link, "type": 1, "script": "Hi."})
        sealed = await post(api, None, path=link + "seal/")
        assert (sealed.status, sealed.body.get("template")) == (201, link), sealed.text
        again = await post(api, None, path=link + "seal/")
        assert (again.text, lasting(again)) == (sealed.text, lasting(sealed))
        assert again.headers["Idempotent-Replayed"] == "true"


async def test_without_a_key_each_post_is_its_own_and_other_methods_have_none(api: Api) -> None:
    for _ in range(2):
        assert (await api.post("survey-template/", BODY)).status == 201
    link = (await post(api)).body["url"]
    for name in ("one", "two"):
        headers = {"Idempotency-Key": "k1"}
        assert (await api.patch(link, {"name": name}, headers=headers)).body["name"] == name
    assert await made(api) == 3
    assert await keys(api) == ["k1"]


async def test_what_was_refused_leaves_the_key_free_for_a_mended_body(api: Api) -> None:
    assert (await post(api, {"name": ""})).status == 400
    assert (await post(api, {"name": "x", "nonsense": 1})).status == 400
    assert (await post(api, raw=b"{")).status == 415
    assert (await post(api, [])).status == 400
    assert (await post(api, None, path="survey-template/99/seal/")).status == 404
    assert (await post(api, path="gateway/")).status == 403
    assert await keys(api) == []
    assert (await post(api)).status == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "na\u00efve", "a\tb"])
async def test_what_is_no_key_is_refused(api: Api, key: str) -> None:
    reply = await post(api, key=key)
    assert (reply.status, list(reply.body)) == (400, ["detail"])
    assert "255 printable ASCII" in reply.body["detail"]
    assert await made(api) == 0


async def test_the_longest_key(api: Api) -> None:
    key = "".join(map(chr, range(33, 127))) * 2 + "x" * 67
    assert len(key) == 255
    assert [(await post(api, key=key)).status for _ in range(2)] == [201, 201]
    assert await made(api) == 1


async def test_a_second_request_while_the_first_is_worked_on_is_told_to_wait(api: Api) -> None:
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        assert free.wait(limit(20))

    await api.get("survey-template/")  # the password is known from here on
    holding = asyncio.create_task(api.db.write(hold))
    assert await asyncio.to_thread(held.wait, limit(20))
    requests = [asyncio.create_task(post(api)) for _ in range(2)]
    try:
        done, _ = await asyncio.wait(requests, timeout=limit(20), return_when="FIRST_COMPLETED")
        (told,) = done
        reply = told.result()
        assert (reply.status, reply.headers["Retry-After"]) == (409, "1")
        assert "being worked on" in reply.body["detail"]
    finally:
        free.set()
    await holding
    assert sorted(reply.status for reply in await asyncio.gather(*requests)) == [201, 409]
    assert (await post(api)).headers["Idempotent-Replayed"] == "true"
    assert await made(api) == 1


async def test_the_answer_is_kept_with_what_it_tells_of_or_neither_is(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**values: Any) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyKey, "create", fail)
        assert (await post(api)).status == 503
    assert (await made(api), await keys(api)) == (0, [])
    assert (await post(api)).status == 201
    assert await made(api) == 1


async def test_keys_live_for_a_day_and_are_swept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    await post(api, key="swept")
    first = await post(api)
    monkeypatch.setattr(request_reader, "utcnow", lambda: now + timedelta(hours=23, minutes=59))
    assert (await post(api)).body["url"] == first.body["url"]
    await post(api, key="later")
    monkeypatch.setattr(request_reader, "utcnow", lambda: now + timedelta(hours=24, minutes=1))
    monkeypatch.setattr(idempotency, "_SWEPT_AT_ONCE", 1)
    again = await post(api)  # even before it is swept
    assert again.body["url"] != first.body["url"]
    assert sorted(await keys(api)) == ["k1", "later"]


async def test_no_quick_digest_of_a_password_is_kept(api: Api) -> None:
    body = {"username": "ann", "password": "a secret"}
    options = {"path": "users/", "user": "root"}
    assert (await post(api, body, **options)).status == 201
    again = await post(api, body, **options)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert (await post(api, {**body, "password": "other secret"}, **options)).status == 409
    row = await api.db.read(IdempotencyKey.get)
    assert row.digest != hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert "secret" not in row.body


async def test_a_retried_alarm_rings_once(api: Api) -> None:
    book = await clinic(api)
    body = {"title": "t", "calendar": book.calendar, "start": "2030-06-03 10:00"}
    links = [(await post(api, body, path="event/")).body["url"] for _ in range(3)]
    assert await api.db.read(lambda: Event.select().count()) == 1
    body = {"event": links[-1], "alarm_phonenumber": "600"}
    alarms = {(await post(api, body, path="alarm/")).body["url"] for _ in range(3)}
    (link,) = alarms
    attempts = {(await post(api, {"alarm": link}, path="alarm-request/")).status for _ in range(3)}
    assert attempts == {201}  # without the key the second would be 409: one waits already
    assert (await api.get("alarm-request/")).body["count"] == 1


async def test_a_deleted_login_takes_its_keys_along(api: Api) -> None:
    user = await api.made("users/", {"username": "ann", "password": "long enough"}, user="root")
    ann = {"user": "ann", "password": "long enough"}
    link = (await post(api, **ann)).body["url"]
    await api.delete(link, **ann)
    assert (await api.delete(user["url"], user="root")).status == 204
    assert await keys(api) == []
    assert await api.db.read(lambda: User.select().count()) == 3


async def answers(api: Api) -> list[str]:
    """The answers that are kept, the oldest first."""
    return await api.db.read(
        lambda: [row.body for row in IdempotencyKey.select().order_by(IdempotencyKey.id)]
    )


async def test_what_only_reads_keeps_no_answer(api: Api) -> None:
    book = await clinic(api)
    event = await api.made(
        "event/", {"title": "t", "calendar": book.calendar, "start": "2030-06-03 10:00"}
    )
    template = await api.made("sms-template/", {"label": "t", "sms_text": "{title} " * 10})
    path = f"{template['url']}preview/"
    for _ in range(2):
        reply = await post(api, {"event": event["url"]}, path=path)
        assert reply.status == 200, reply.text
        assert "Idempotent-Replayed" not in reply.headers
    assert await keys(api) == []


async def test_a_long_answer_is_not_kept_and_its_post_is_still_not_repeated(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_ANSWER", 50)
    first = await post(api)
    again = await post(api)
    assert (again.status, again.headers["Location"]) == (409, first.headers["Location"])
    assert again.body == {
        "detail": "A POST with this Idempotency-Key was carried out; its answer is not kept any"
        " longer."
    }
    assert (await post(api, {"name": "another"})).body["detail"].startswith("This Idempotency-Key")
    assert await made(api) == 1


async def test_the_oldest_answers_go_beyond_a_limit_for_each_login_and_one_for_all(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_OWNERS_EVERY", 1)
    monkeypatch.setattr(idempotency, "_ALL_EVERY", 1)
    await post(api, user="other")
    lengths = await api.db.read(
        lambda: [len(body) for (body,) in api.db.peewee.execute_sql(RAW_ANSWERS).fetchall()]
    )
    monkeypatch.setattr(idempotency, "MOST_OF_OWNER", 3 * lengths[0] + 200)
    for number in range(5):
        await post(api, key=f"k{number}")
    assert [bool(body) for body in await answers(api)] == [True, False, False, True, True, True]
    assert (await post(api, key="k0")).status == 409
    assert (await post(api, key="k4")).headers["Idempotent-Replayed"] == "true"
    monkeypatch.setattr(idempotency, "MOST_OF_ALL", 2 * lengths[0] + 200)
    await post(api, key="k5")
    assert [bool(body) for body in await answers(api)] == [False] * 5 + [True] * 2
    assert await made(api) == 7


async def test_the_oldest_keys_of_a_login_are_forgotten(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_OWNERS_EVERY", 1)
    monkeypatch.setattr(idempotency, "MOST_KEYS", 2)
    await post(api, user="other")
    for number in range(4):
        await post(api, key=f"k{number}")
    assert len(await answers(api)) == 1 + 2
    assert (await post(api, key="k3")).headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in (await post(api, key="k0")).headers


RAW_ANSWERS = "SELECT body FROM idempotency_key"
