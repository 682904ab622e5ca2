"""Logging in wrongly: how often one may, and whom it slows down."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from telealarm import clock
from telealarm.api.core.addresses import Proxies
from telealarm.config.model import Config
from telealarm.store.access import passwords, tokens, users
from telealarm.store.engine.database import Database
from tests.integration.api_client import PASSWORD, Api, serving

WRONG = {"detail": "Invalid username/password."}


class Turned:
    """The clock of the throttle, turned by hand."""

    def __init__(self) -> None:
        self.seconds = 5000.0


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> Turned:
    found = Turned()
    monkeypatch.setattr(clock, "monotonic", lambda: found.seconds)
    return found


class Checked:
    """How often, and how many at once, passwords were checked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = self.running = self.at_once = 0
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._matches = passwords.matches
        monkeypatch.setattr(passwords, "matches", self)

    def __call__(self, password: str, password_hash: str) -> bool:
        with self._lock:
            self.count += 1
            self.running += 1
            self.at_once = max(self.at_once, self.running)
        try:
            time.sleep(self.seconds)
            return self._matches(password, password_hash)
        finally:
            with self._lock:
                self.running -= 1


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch, api: Api) -> Checked:
    return Checked(monkeypatch)


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Lets requests come from other addresses, by a header that only this test knows."""
    monkeypatch.setattr(
        Proxies, "client", lambda _, request: request.headers.get("X-Test-From", "here")
    )

    def come_from(address: str) -> dict[str, str]:
        return {"X-Test-From": address}

    yield come_from


async def statuses(api: Api, count: int, **login: Any) -> list[int]:
    return [(await api.get("calendar/", **login)).status for _ in range(count)]


async def test_ten_wrong_passwords_shut_a_name_for_a_minute_and_no_right_one_opens_it(
    api: Api, turned: Turned, addresses: Any
) -> None:
    assert await statuses(api, 1) == [200]
    wrong = {"password": "wrong", "headers": addresses("there")}
    assert await statuses(api, 12, **wrong) == [401] * 10 + [429] * 2
    # From where it was right within a day it is let in.
    assert await statuses(api, 2) == [200] * 2
    # From another address it is not, although the password is right.
    reply = await api.get("calendar/", headers=addresses("elsewhere"))
    assert (reply.status, reply.headers["Retry-After"]) == (429, "60")
    assert reply.body == {"detail": "Too many wrong logins; try again in 60 seconds."}
    # Another name is not touched where the guesses did not come from.
    assert await statuses(api, 1, user="other", headers=addresses("elsewhere")) == [200]
    turned.seconds += 59
    reply = await api.get("calendar/", headers=addresses("elsewhere"))
    assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
    # Being refused did not prolong it.
    turned.seconds += 1
    assert await statuses(api, 1) == [200]


async def test_ten_wrong_names_shut_an_address(api: Api, turned: Turned, addresses: Any) -> None:
    for number in range(10):
        login = {"user": f"nobody{number}", "headers": addresses("there")}
        assert await statuses(api, 1, **login) == [401]
    assert await statuses(api, 1, headers=addresses("there")) == [429]
    assert await statuses(api, 1, headers=addresses("elsewhere")) == [200]
    turned.seconds += 60
    assert await statuses(api, 1, headers=addresses("there")) == [200]


async def test_a_name_that_nobody_has_is_slowed_down_and_checked_like_any_other(
    api: Api, checked: Checked
) -> None:
    assert await statuses(api, 11, user="nobody") == [401] * 10 + [429]
    assert checked.count == 10


async def test_nine_wrong_ones_and_a_right_one_are_no_lock_out(api: Api) -> None:
    assert await statuses(api, 9, password="wrong") == [401] * 9
    assert await statuses(api, 5) == [200] * 5


async def test_guesses_made_at_once_are_no_more_than_those_made_in_turn(
    api: Api, checked: Checked
) -> None:
    guesses = [api.get("calendar/", password=f"guess {number}") for number in range(40)]
    found = [reply.status for reply in await asyncio.gather(*guesses)]
    assert (found.count(401), found.count(429)) == (10, 30)
    assert checked.count == 10
    assert checked.at_once <= 2


async def test_a_program_that_begins_with_many_right_requests_at_once_is_served(
    api: Api, checked: Checked
) -> None:
    replies = await asyncio.gather(*(api.get("calendar/") for _ in range(40)))
    assert {reply.status for reply in replies} == {200}
    assert checked.count <= 2


async def test_ten_wrong_tokens_shut_an_address(api: Api, turned: Turned) -> None:
    async def bearer(text: str) -> int:
        headers = {"Authorization": f"Bearer {text}"}
        return (await api.get("calendar/", user=None, headers=headers)).status

    found = await asyncio.gather(*(bearer(f"ta_{number}") for number in range(25)))
    assert (found.count(401), found.count(429)) == (10, 15)
    assert await statuses(api, 1) == [429]
    turned.seconds += 60
    assert await statuses(api, 1) == [200]


async def test_a_lock_out_keeps_out_no_valid_token_and_nobody_who_was_here_within_a_day(
    api: Api, turned: Turned
) -> None:
    """One program with an old password, behind the same proxy or office, locks nobody out."""
    token = await api.db.write(lambda: tokens.add(users.named("manager"), "t"))
    bearer = {"Authorization": f"Bearer {token}"}
    assert await statuses(api, 1) == await statuses(api, 1, user="other") == [200]
    for number in range(12):
        await statuses(api, 1, user=f"nobody{number}")
    assert await statuses(api, 1, user="root") == [429]
    assert await statuses(api, 3) == [200] * 3
    assert await statuses(api, 3, user="other") == [200] * 3
    assert await statuses(api, 3, user=None, headers=bearer) == [200] * 3
    # A wrong password of who was here is a guess like another.
    assert await statuses(api, 1, user="other", password="wrong") == [429]
    turned.seconds += 86_401
    for number in range(12):
        await statuses(api, 1, user=f"nobody{number}")
    assert await statuses(api, 1, user="other") == [429]
    assert await statuses(api, 1, user=None, headers=bearer) == [200]


async def test_a_flood_of_guesses_from_everywhere_does_not_fill_the_queue_of_hashes(
    api: Api, checked: Checked, addresses: Any
) -> None:
    checked.seconds = 0.1
    guesses = [
        api.get("calendar/", user=f"nobody{number}", headers=addresses(f"10.0.0.{number}"))
        for number in range(160)
    ]
    found = [reply.status for reply in await asyncio.gather(*guesses)]
    assert set(found) == {401, 429}
    assert checked.count == found.count(401) < 160


@pytest.mark.parametrize("trusted", [True, False])
async def test_wrong_logins_count_for_the_client_behind_a_trusted_proxy(
    db: Database, config: Config, tmp_path: Path, trusted: bool
) -> None:
    proxies = ["127.0.0.0/8"] if trusted else []
    config = config.model_copy(
        update={"api": config.api.model_copy(update={"trusted_proxies": proxies})}
    )
    async with serving(db, config, tmp_path) as api:
        # What the client wrote itself stands first.
        guesser = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
        neighbour = {"X-Forwarded-For": "198.51.100.8", "X-Forwarded-Proto": "https"}
        for number in range(11):
            await statuses(api, 1, user=f"nobody{number}", headers=guesser)
        assert await statuses(api, 1, headers=guesser) == [429]
        assert await statuses(api, 1, headers=neighbour) == [200 if trusted else 429]
        if trusted:
            links = (await api.get("", headers=neighbour)).body
            assert {link.partition(":")[0] for link in links.values()} == {"https"}


async def test_a_login_that_is_switched_off_can_be_guessed_at_no_faster(api: Api) -> None:
    link = (await api.get("users/?username=other", user="root")).body["results"][0]["url"]
    assert await statuses(api, 1, user="other") == [200]
    await api.patch(link, {"is_active": False}, user="root")
    assert await statuses(api, 11, user="other") == [401] * 10 + [429]


async def test_what_a_client_says_of_its_address_is_not_believed(api: Api) -> None:
    for number in range(10):
        headers = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"}
        assert await statuses(api, 1, user=f"nobody{number}", headers=headers) == [401]
    assert await statuses(api, 1, headers={"X-Forwarded-For": "10.9.9.9"}) == [429]


@pytest.mark.parametrize(
    ("peer", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_of_an_ipv6_address_the_network_counts(peer: str, key: str) -> None:
    request = make_mocked_request("GET", "/").clone(remote=peer)
    assert Proxies().client(request) == key


async def test_no_password_is_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await statuses(api, 11, password="a wrong secret")
        await statuses(api, 1, user="root")
    assert "a wrong secret" not in caplog.text
    assert PASSWORD not in caplog.text
