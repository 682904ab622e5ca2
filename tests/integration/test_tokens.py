"""Bearer tokens, from the command line to the API."""

import hashlib
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from telealarm.api.core import auth
from telealarm.cli import main
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Overloaded
from telealarm.models import ApiToken
from telealarm.store.access import tokens, users
from tests.integration.api_client import Api, Reply


class Done(NamedTuple):
    """What a command said."""

    status: int
    out: str
    err: str


@pytest.fixture
def umask_kept() -> Iterator[None]:
    """The command sets the umask of its process, which here is that of all the other tests."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def command(
    config: Config,
    tmp_path: Path,
    quick_passwords: None,
    umask_kept: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Done]:
    """`telealarm ...` on a database with the user ann."""
    path = tmp_path / "telealarm.yml"
    path.write_text(yaml.safe_dump({"database": config.database, "key_file": str(config.key_path)}))

    def run(*words: str) -> Done:
        status = main.main([*words, "--config", str(path)])
        return Done(status, *capsys.readouterr())

    monkeypatch.setattr(sys, "stdin", io.StringIO("a long secret\n"))
    assert run("user", "add", "ann", "--password-stdin").status == 0
    return run


async def made(api: Api, user: str = "manager", name: str = "books") -> str:
    """The text of a new token."""
    return await api.db.write(lambda: tokens.add(users.named(user), name))


async def bearer(api: Api, token: str, path: str = "calendar/", **options: Any) -> Reply:
    headers = {"Authorization": f"Bearer {token}"}
    return await api.send(options.pop("method", "GET"), path, user=None, headers=headers, **options)


async def test_a_token_does_what_its_login_may(api: Api) -> None:
    token = await made(api)
    assert len(token) == 3 + 43  # 256 bits in base64
    assert not set(token) & set(" \n\t")
    reply = await bearer(api, token, "survey-template/", method="POST", body={"name": "by token"})
    assert reply.status == 201
    assert (await api.get(reply.body["url"])).status == 200
    assert (await api.get(reply.body["url"], user="other")).status == 404
    assert (await bearer(api, token, "users/")).status == 403
    assert (await bearer(api, await made(api, "root"), "users/")).status == 200
    headers = {"Authorization": f"bearer  {token}"}
    assert (await api.get("calendar/", user=None, headers=headers)).status == 200


async def test_a_wrong_token_is_refused_and_both_ways_in_are_named(api: Api) -> None:
    token = await made(api)
    for wrong in (token[:-1], token + "x", "ta_", "x", token.swapcase(), "e\u0301"):
        reply = await bearer(api, wrong)
        assert reply.status == 401
        challenge = reply.headers["WWW-Authenticate"]
        assert challenge.startswith('Basic realm="TeleAlarm"')
        assert ", Bearer" in challenge
    assert (await bearer(api, "")).body == {"detail": "Invalid bearer header."}
    assert (await bearer(api, "x")).body == {"detail": "Invalid token."}
    # A digest, for whoever has read the database, is no token.
    assert (await bearer(api, hashlib.sha256(token.encode()).hexdigest())).status == 401


async def test_a_revoked_token_and_one_of_an_inactive_user_fail_at_once(api: Api) -> None:
    token, other = await made(api), await made(api, "other")
    assert (await bearer(api, token)).status == 200
    await api.db.write(tokens.revoke, 1, utcnow())
    assert (await bearer(api, token)).status == 401
    assert (await bearer(api, other)).status == 200
    link = (await api.get("users/?username=other", user="root")).body["results"][0]["url"]
    await api.patch(link, {"is_active": False}, user="root")
    assert (await bearer(api, other)).status == 401


async def test_the_last_use_is_noted_once_a_minute(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await made(api)
    now = utcnow()

    async def used_at(moment: timedelta) -> Any:
        monkeypatch.setattr(auth, "utcnow", lambda: now + moment)
        assert (await bearer(api, token)).status == 200
        row = await api.db.read(ApiToken.get)
        return row.last_used - now

    assert await used_at(timedelta(0)) == timedelta(0)
    assert await used_at(timedelta(seconds=59)) == timedelta(0)
    assert await used_at(timedelta(seconds=60)) == timedelta(seconds=60)


async def test_a_token_serves_where_its_use_cannot_be_noted(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = await made(api)

    async def fail(fn: Any, *args: Any) -> None:
        raise Overloaded

    monkeypatch.setattr(api.db, "write", fail)
    assert (await bearer(api, token)).status == 200
    assert "the use of token 1 was not noted" in caplog.text


async def test_no_token_or_digest_is_in_a_reply_or_a_log(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    token = await made(api)
    digest = hashlib.sha256(token.encode()).hexdigest()
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.INFO, "peewee"):
        said = [(await bearer(api, token, path)).text for path in ("", "users/", "calendar/x/")]
        said.append((await bearer(api, token + "x")).text)
    for text in (*said, caplog.text):
        assert token not in text
        assert digest not in text


async def test_a_deleted_user_takes_their_tokens_along(api: Api) -> None:
    user = await api.made("users/", {"username": "ann", "password": "long enough"}, user="root")
    token = await made(api, "ann")
    assert (await bearer(api, token)).status == 200
    assert (await api.delete(user["url"], user="root")).status == 204
    assert (await bearer(api, token)).status == 401


def test_a_token_is_printed_alone_listed_without_its_text_and_revoked(
    command: Callable[..., Done],
) -> None:
    done = command("token", "add", "ann", "--name", "the clinic's software")
    assert (done.status, done.err) == (0, "")
    token = done.out.removesuffix("\n")
    assert token.startswith("ta_")
    assert not set(token) & set(" \n\t")
    assert command("token", "add", "ann", "--name", "books").out.strip() != token
    done = command("token", "revoke", "2")
    assert (done.status, done.out) == (0, "token 2 (books) revoked\n")
    assert command("token", "revoke", "2") == done
    for words in (("list",), ("list", "ann")):
        done = command("token", *words)
        assert token not in done.out
        assert hashlib.sha256(token.encode()).hexdigest() not in done.out
        rows = [line.split("\t") for line in done.out.splitlines()]
        assert rows[0] == ["id", "user", "name", "created", "last used", "revoked"]
        assert rows[1][:3] == ["1", "ann", "the clinic's software"]
        assert rows[1][4:] == ["-", "-"]
        assert rows[2][2::2] == ["books", "-"]
        assert rows[2][5] != "-"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "nobody", "--name", "x"), "no user 'nobody'"),
        (("add", "ann", "--name", " "), "printable"),
        (("add", "ann", "--name", "a\tb"), "printable"),
        (("add", "ann", "--name", "x" * 81), "80"),
        (("list", "nobody"), "no user 'nobody'"),
        (("revoke", "7"), "no token 7"),
        (("revoke", str(10**30)), "no token"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_said(
    command: Callable[..., Done], words: tuple[str, ...], said: str
) -> None:
    done = command("token", *words)
    assert (done.status, done.out) == (1, "")
    assert said in done.err


@pytest.mark.parametrize("keeps", [False, True])
async def test_a_new_password_revokes_the_tokens_of_its_login(api: Api, keeps: bool) -> None:
    body = {"username": "ann", "password": "long enough"}
    user = await api.made("users/", body, user="root")
    token, others = await made(api, "ann"), await made(api, "manager")
    # Another field changes no token.
    await api.patch(user["url"], {"region": "ES"}, user="root")
    assert (await bearer(api, token)).status == 200
    change = {"password": "another one"} | ({"keep_tokens": True} if keeps else {})
    reply = await api.patch(user["url"], change, user="root")
    assert reply.status == 200
    assert not {"keep_tokens", "password"} & reply.body.keys()
    assert (await bearer(api, token)).status == (200 if keeps else 401)
    assert (await bearer(api, others)).status == 200


async def test_a_new_password_of_a_login_has_eight_characters(api: Api) -> None:
    wrong = {"password": ["must have at least 8 characters"]}
    for password in ("1234567", "   1234567   "):
        body = {"username": "ann", "password": password}
        reply = await api.post("users/", body, user="root")
        assert (reply.status, reply.body) == (400, wrong)
    user = await api.made("users/", {"username": "ann", "password": "12345678"}, user="root")
    reply = await api.patch(user["url"], {"password": "1234567"}, user="root")
    assert (reply.status, reply.body) == (400, wrong)
    # A calendar user does not log in.
    await api.made("calendar-user/", {"username": "c", "password": "cal"})
