"""The sender of webhooks, with real receivers and a real name server on loopback."""

import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
import pytest_asyncio
import trustme
from standardwebhooks import Webhook, WebhookVerificationError

from telealarm.errors import TransportError
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.webhooks.webhooks import new_secret
from telealarm.transports import http
from telealarm.transports.http import SignedNotice, WebhookTransport, connector, signed
from tests.lab.name_server import NameServer
from tests.lab.receiver import Receiver

LOOPBACK = ["127.0.0.1/32"]
Make = Callable[..., WebhookTransport]


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    server = Receiver()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def names() -> AsyncIterator[NameServer]:
    server = NameServer()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def make(names: NameServer) -> AsyncIterator[Make]:
    """Makes senders that ask our name server."""
    made: list[WebhookTransport] = []

    def sender(allow: list[str], **options: ssl.SSLContext) -> WebhookTransport:
        resolver = lambda: aiohttp.AsyncResolver(nameservers=[names.address], tries=1)  # noqa: E731
        made.append(WebhookTransport(UrlGuard(allow), resolver=resolver, **options))
        return made[-1]

    yield sender
    for one in made:
        await one.close()


def notice(url: str, *secrets: str) -> SignedNotice:
    return SignedNotice("msg_1", url, '{"type":"alarm.result","data":{"name":"Zoë"}}', secrets)


async def send(sender: WebhookTransport, url: str, *secrets: str) -> int:
    return await sender.send(notice(url, *secrets), datetime.now(UTC))


# The signature


async def test_what_is_sent_is_verified_by_another_implementation(
    receiver: Receiver, make: Make
) -> None:
    secret, old, stranger = new_secret(), new_secret(), new_secret()
    assert await send(make(LOOPBACK), receiver.url, secret, old) == 200
    (told,) = receiver.told
    assert (told.method, told.headers["content-type"]) == ("POST", "application/json")
    for known in (secret, old):
        assert Webhook(known).verify(told.body, told.headers)["data"] == {"name": "Zoë"}
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify(told.body, told.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(told.body + b" ", told.headers)


def test_the_signature_is_what_the_other_implementation_writes() -> None:
    secret, at = new_secret(), datetime(2026, 3, 2, 9, 0, 7, 900_000, tzinfo=UTC)
    one = notice("http://x/", secret)
    headers = signed(one, at)
    assert headers["webhook-signature"] == Webhook(secret).sign(one.id, at, one.payload)
    assert headers["webhook-timestamp"] == str(int(at.timestamp()))
    later = signed(one, at + timedelta(seconds=5))
    assert later["webhook-id"] == headers["webhook-id"]
    assert later["webhook-signature"] != headers["webhook-signature"]


async def test_nothing_of_ours_is_in_the_headers(receiver: Receiver, make: Make) -> None:
    receiver.headers = {"Set-Cookie": "a=b"}
    sender = make(LOOPBACK)
    for _ in range(2):
        await send(sender, receiver.url)
    for told in receiver.told:
        assert set(told.headers) == {
            *("host", "user-agent", "accept", "accept-encoding", "connection"),
            *("content-type", "content-length", "webhook-id", "webhook-timestamp"),
        }
        assert told.headers["user-agent"] == "TeleAlarm"


# Where it does not go


async def test_loopback_is_not_called_unless_it_is_allowed(receiver: Receiver, make: Make) -> None:
    with pytest.raises(TransportError, match=r"not public \(loopback\)") as caught:
        await send(make([]), receiver.url)
    assert caught.value.permanent
    assert receiver.told == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.9"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["2606:4700::1", "192.168.1.1"],
        ["100.64.0.1"],
        ["198.18.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["fd00:ec2::254"],
        ["fe80::1"],
        ["::ffff:169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["2001:0:7f00:1::"],
        ["::"],
    ],
)
async def test_a_name_of_which_one_address_is_not_public_is_not_called(
    receiver: Receiver, names: NameServer, make: Make, addresses: list[str]
) -> None:
    names.says("hook.test", addresses)
    with pytest.raises(TransportError, match=r"hook\.test leads to .* not public") as caught:
        await send(make([]), f"http://hook.test:{receiver.port}/")
    assert caught.value.permanent
    assert receiver.told == []


async def test_a_name_that_changes_its_address_is_asked_once_a_time_and_checked_each_time(
    receiver: Receiver, names: NameServer, make: Make
) -> None:
    names.says("hook.test", ["127.0.0.1"], ["127.0.0.2"])
    sender, url = make(LOOPBACK), f"http://hook.test:{receiver.port}/"
    assert await send(sender, url) == 200
    assert names.asked["hook.test"] == 1
    with pytest.raises(TransportError, match=r"127\.0\.0\.2 is not public"):
        await send(sender, url)
    assert names.asked["hook.test"] == 2
    assert len(receiver.told) == 1
    assert receiver.told[0].headers["host"] == f"hook.test:{receiver.port}"


async def test_the_socket_itself_refuses_what_nobody_resolved(receiver: Receiver) -> None:
    barred = connector(UrlGuard(), aiohttp.AsyncResolver())
    async with aiohttp.ClientSession(connector=barred) as session:
        with pytest.raises(aiohttp.ClientConnectorError, match="is not public"):
            await session.get(receiver.url)
    assert receiver.told == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, make: Make, status: int) -> None:
    inside = Receiver()
    await inside.start()
    receiver.status, receiver.headers = status, {"Location": inside.url}
    assert await send(make(LOOPBACK), receiver.url) == status
    await inside.stop()
    assert (len(receiver.told), inside.told) == (1, [])


async def test_a_name_of_the_hosts_file_is_checked_by_its_addresses(receiver: Receiver) -> None:
    """By the system's own resolver; another loopback address than the one it has is allowed."""
    sender = WebhookTransport(UrlGuard(["127.9.9.9/32", "::1/128"]))
    with pytest.raises(TransportError, match=r"localhost leads to 127\.0\.0\.1 is not") as caught:
        await send(sender, f"http://localhost:{receiver.port}/")
    assert caught.value.permanent
    await sender.close()
    assert receiver.told == []


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0.0.0.0", "127.0.0.1."),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"),
        *("[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[::1%25lo]", "localhost."),
        *("user@127.0.0.1", "example.com@127.0.0.1", "\uff11\uff12\uff17.0.0.1"),
        *("127\u30020\u30020\u30021", "%6c%6f%63%61%6c%68%6f%73%74", "127.0.0.1%00.example.com"),
    ],
)
async def test_no_form_of_loopback_is_reached(receiver: Receiver, make: Make, host: str) -> None:
    """Also where the row was written before its host was refused."""
    with pytest.raises(TransportError) as caught:
        await send(make([]), f"http://{host}:{receiver.port}/")
    assert caught.value.permanent
    assert receiver.told == []


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Receiver()
    await proxy.start()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert await send(make(LOOPBACK), receiver.url) == 200
    await proxy.stop()
    assert (len(receiver.told), proxy.told) == (1, [])


# TLS


async def tls_receiver(ca: trustme.CA, name: str) -> Receiver:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(context)
    server = Receiver()
    await server.start(context)
    return server


@pytest.mark.parametrize("certified", ["hook.test", "other.test"])
async def test_the_certificate_must_be_of_the_name_whatever_address_it_has(
    names: NameServer, make: Make, certified: str
) -> None:
    ca = trustme.CA()
    trusted = ssl.create_default_context()
    ca.configure_trust(trusted)
    server = await tls_receiver(ca, certified)
    names.says("hook.test", ["127.0.0.1"])
    sending = send(make(LOOPBACK, tls=trusted), f"https://hook.test:{server.port}/")
    if certified == "hook.test":
        assert await sending == 200
    else:
        with pytest.raises(TransportError, match="certificate verify failed"):
            await sending
    await server.stop()


# Bad luck


async def test_an_answer_without_end_is_not_read(receiver: Receiver, make: Make) -> None:
    receiver.endless = True
    assert await send(make(LOOPBACK), receiver.url) == 200


async def test_a_receiver_that_says_nothing_is_given_up(
    receiver: Receiver, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.3)
    receiver.silent = True
    with pytest.raises(TransportError, match=r"no answer within 0\.3 s") as caught:
        await send(make(LOOPBACK), receiver.url)
    assert not caught.value.permanent


async def test_a_name_that_is_not_there_may_come_back(names: NameServer, make: Make) -> None:
    with pytest.raises(TransportError, match="not reached") as caught:
        await send(make([]), "http://nowhere.test/")
    assert not caught.value.permanent


async def test_a_port_where_nobody_listens(receiver: Receiver, make: Make) -> None:
    url = receiver.url
    await receiver.stop()
    with pytest.raises(TransportError, match="not reached") as caught:
        await send(make(LOOPBACK), url)
    assert not caught.value.permanent
