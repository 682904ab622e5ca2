"""The client against an ARI that misbehaves on command."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from telealarm.asterisk.ari import AriEvent, Client
from telealarm.asterisk.ari.errors import (
    AllocationFailed,
    AlreadyExists,
    AriError,
    FateUnknown,
    NotFound,
    NotInStasis,
    RequestRefused,
    Unauthorized,
    Unreachable,
)
from telealarm.asterisk.ari.turns import PLACES
from tests.lab.ari_double import PASSWORD, USER, AriDouble, Fault
from tests.lab.speed import limit
from tests.lab.waiting import until

APP = "telealarm-1"


# What a request may take here; some answers come later than that.
TIMEOUT_SECONDS = limit(1)


@pytest.fixture
async def ari() -> AsyncIterator[AriDouble]:
    async with AriDouble() as double:
        yield double


def make(url: str, **changes: Any) -> Client:
    settings: dict[str, Any] = {"url": url, "user": USER, "password": PASSWORD, "app": APP}
    return Client(**{**settings, "timeout_seconds": TIMEOUT_SECONDS, **changes})


@asynccontextmanager
async def running(client: Client) -> AsyncIterator[Client]:
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture(params=["by http", "by websocket"])
async def client(ari: AriDouble, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client whose orders go by websocket, and one whose Asterisk does not take them there."""
    ari.takes_orders = request.param == "by websocket"
    async with running(make(ari.url)) as connected:
        await until(lambda: connected.connected, 3, "connected")
        await until(lambda: connected.orders_by_websocket == ari.takes_orders, 3, "asked")
        yield connected


async def originate(client: Client, channel_id: str = "ta-1", **changes: Any) -> None:
    settings: dict[str, Any] = {
        "endpoint": "PJSIP/phone",
        "context": "telealarm-out",
        "extension": "s",
        "caller_id": '"Surgery" <100>',
        "timeout_seconds": 29.5,
        "variables": {"APP": APP},
    }
    await client.channels.originate(channel_id=channel_id, **{**settings, **changes})


class TestConnecting:
    async def test_subscriptions_are_made_before_it_counts_as_connected(
        self, ari: AriDouble
    ) -> None:
        seen: list[tuple[bool, list[str]]] = []
        client = make(ari.url, event_sources=("endpoint:PJSIP", "endpoint:Local"))

        async def hook() -> None:
            seen.append((client.connected, list(ari.subscriptions[APP])))

        client.on_connected(hook)
        async with running(client):
            await until(lambda: seen, 3, "on_connected was called")
        assert seen == [(True, ["endpoint:PJSIP", "endpoint:Local"])]
        assert not client.connected

    @pytest.mark.parametrize("how", ["drop", "close"])
    async def test_a_lost_websocket_is_opened_again(
        self, ari: AriDouble, client: Client, how: str
    ) -> None:
        if how == "drop":
            ari.drop(APP)
        else:
            await ari.close(APP)
        await until(lambda: not client.connected, 3, "the loss was noticed")
        assert client.trouble
        await until(lambda: client.connected, 3, "connected again")
        assert client.trouble is None
        assert ari.connects == [APP, APP]

    async def test_a_failing_hook_closes_the_websocket_and_is_tried_again(
        self, ari: AriDouble, caplog: pytest.LogCaptureFixture
    ) -> None:
        calls: list[int] = []
        client = make(ari.url)

        async def fails_once() -> None:
            calls.append(len(calls))
            if len(calls) == 1:
                raise RuntimeError("the database is away")

        client.on_connected(fails_once)
        async with running(client):
            await until(lambda: len(calls) == 2 and client.connected, 3, "tried again")
        assert ari.connects == [APP, APP]
        assert "the database is away" in caplog.text

    async def test_events_are_read_while_the_hook_waits_for_them(self, ari: AriDouble) -> None:
        client = make(ari.url)
        queue = client.open("ta-1").events("ChannelDestroyed")
        heard: list[AriEvent] = []

        async def hook() -> None:
            heard.append(await queue.get(limit(3)))

        client.on_connected(hook)
        async with running(client):
            await until(lambda: client.connected, 3, "connected")
            await ari.send(APP, "ChannelDestroyed", channel_id="ta-1", cause=16)
            await until(lambda: heard, 3, "the hook has its event")

    async def test_nothing_is_left_open_when_it_is_cancelled(self, ari: AriDouble) -> None:
        async with running(make(ari.url)) as client:
            await until(lambda: client.connected, 3, "connected")
        await until(lambda: not ari.open_apps(), 3, "the websocket is closed")

    async def test_it_stays_connected_beyond_the_time_limit_of_a_request(
        self, ari: AriDouble
    ) -> None:
        async with running(make(ari.url, timeout_seconds=0.2 * TIMEOUT_SECONDS)) as client:
            await until(lambda: client.connected, 3, "connected")
            queue = client.open("ta-1").events("StasisEnd")
            with pytest.raises(TimeoutError):
                await queue.get(0.5 * TIMEOUT_SECONDS)
            await ari.send(APP, "StasisEnd", channel_id="ta-1")
            await queue.get(limit(1))
        assert ari.connects == [APP]

    async def test_another_process_of_the_same_name_is_named_as_the_trouble(
        self, ari: AriDouble, client: Client
    ) -> None:
        await ari.replace(APP)
        await until(lambda: not client.connected, 3, "thrown out")
        assert "another process" in str(client.trouble)


class TestTrouble:
    async def trouble(self, client: Client, part: str) -> str:
        async with running(client):
            await until(lambda: part in str(client.trouble), 3, f"trouble about {part}")
            assert not client.connected
            return str(client.trouble)

    async def test_a_wrong_password_is_named_but_not_told(self, ari: AriDouble) -> None:
        said = await self.trouble(make(ari.url, password="wr0ng"), "asterisk.ari.password")
        assert "asterisk.ari.user" in said
        assert "wr0ng" not in said

    async def test_ari_that_is_not_enabled(self, ari: AriDouble) -> None:
        ari.refuse_websocket = 404
        assert "http.conf" in await self.trouble(make(ari.url), "ari.conf")

    async def test_nobody_at_the_address(self) -> None:
        assert "127.0.0.1:1" in await self.trouble(make("http://127.0.0.1:1"), "asterisk.ari.url")

    async def test_something_else_at_the_address(self, ari: AriDouble) -> None:
        ari.refuse_websocket = 200
        assert "200" in await self.trouble(make(ari.url), "asterisk.ari.url")

    async def test_asterisk_that_is_still_starting(self, ari: AriDouble) -> None:
        ari.refuse_websocket = 503
        await self.trouble(make(ari.url), "still starting")

    async def test_an_event_source_that_asterisk_does_not_know(self, ari: AriDouble) -> None:
        ari.unknown_sources = {"endpoint:PJSIP"}
        await self.trouble(make(ari.url), "chan_pjsip")

    async def test_it_goes_when_the_cause_goes(self, ari: AriDouble) -> None:
        ari.refuse_websocket = 404
        async with running(make(ari.url)) as client:
            await until(lambda: "ari.conf" in str(client.trouble), 3, "refused")
            ari.refuse_websocket = 0
            await until(lambda: client.connected, 3, "connected")
            assert client.trouble is None


class TestOriginate:
    async def test_what_asterisk_is_asked(self, ari: AriDouble, client: Client) -> None:
        await originate(client)
        assert ari.asked("POST", "channels/ta-1")[0].body == {
            "endpoint": "PJSIP/phone",
            "context": "telealarm-out",
            "extension": "s",
            "priority": 1,
            "formats": "slin16",
            "callerId": '"Surgery" <100>',
            "timeout": 30,
            "variables": {"APP": APP},
        }

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (Fault(409, "Channel with given unique ID already exists"), AlreadyExists),
            (Fault(500, "Allocation failed"), AllocationFailed),
            (Fault(500, "Out of memory"), RequestRefused),
            (Fault(400, "Endpoint must be specified"), RequestRefused),
            (Fault(404, "Not found"), NotFound),
            (Fault(403, "Forbidden"), Unauthorized),
            (Fault(503, "Shutdown in progress"), Unreachable),
            (Fault(302, "Elsewhere"), RequestRefused),
            (Fault(delay_seconds=1.5 * TIMEOUT_SECONDS), FateUnknown),
            (Fault(reset=True), FateUnknown),
        ],
    )
    async def test_each_ending_is_told_from_the_others_and_nothing_is_sent_twice(
        self, ari: AriDouble, client: Client, fault: Fault, error: type[AriError]
    ) -> None:
        ari.fail("POST", "channels/ta-1", fault)
        with pytest.raises(AriError) as caught:
            await originate(client)
        assert type(caught.value) is error
        assert fault.message in str(caught.value)
        assert len(ari.asked("POST", "channels/ta-1")) == 1

    async def test_after_a_lost_answer_the_channel_can_be_asked_for(
        self, ari: AriDouble, client: Client
    ) -> None:
        ari.fail("POST", "channels/ta-1", Fault(reset=True, acted=True))
        with pytest.raises(FateUnknown):
            await originate(client)
        assert (await client.channels.get("ta-1"))["id"] == "ta-1"

    async def test_nothing_was_sent_where_nobody_listens(self) -> None:
        client = make("http://127.0.0.1:1")
        with pytest.raises(Unreachable):
            await originate(client)
        await client.aclose()

    async def test_stasis_start_before_the_reply_is_heard(
        self, ari: AriDouble, client: Client
    ) -> None:
        ari.fail("POST", "channels/ta-1", Fault(delay_seconds=0.6 * TIMEOUT_SECONDS, acted=True))
        heard: list[str] = []
        client.open("ta-1").on_event("StasisStart", lambda event: heard.append(event.type))
        call = asyncio.create_task(originate(client))
        await until(lambda: "ta-1" in ari.channels, 3, "the request has arrived")
        await ari.send(APP, "StasisStart", channel_id="ta-1")
        await until(lambda: heard, 3, "StasisStart")
        assert not call.done()
        await call

    @pytest.mark.parametrize(
        "wrong",
        [
            {"endpoint": "PJSIP/phone\r\nX: y"},
            {"caller_id": "x\n<100>"},
            {"variables": {"SHELL(ls)": "x"}},
            {"variables": {"lower": "x"}},
            {"timeout_seconds": 0},
        ],
    )
    async def test_what_must_not_reach_asterisk_does_not(
        self, ari: AriDouble, client: Client, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(ValueError):
            await originate(client, **wrong)
        assert ari.asked("POST", "channels/ta-1") == []
        assert client.find("ta-1") is None


async def test_a_crowd_does_not_pile_up_in_asterisk(ari: AriDouble, client: Client) -> None:
    slow = Fault(delay_seconds=0.3 * TIMEOUT_SECONDS, acted=True)
    for number in range(20, 36):
        ari.fail("POST", f"channels/ta-{number}", slow)
    crowd = [asyncio.create_task(originate(client, f"ta-{n}")) for n in range(20, 36)]
    await until(lambda: len(ari.channels) == PLACES, 3, "the first are asked for")
    await client.open("ta-20").play("sound:/a", "p1")  # does not wait for the crowd
    assert len(ari.channels) == PLACES
    await asyncio.gather(*crowd)
    assert len(ari.channels) == 16


class TestChannel:
    async def test_its_own_subscription_is_dropped_after_stasis_start(
        self, ari: AriDouble, client: Client
    ) -> None:
        client.open("ta-1")
        ari.subscriptions[APP].append("channel:ta-1")
        await ari.send(APP, "StasisStart", channel_id="ta-1")
        await until(
            lambda: ari.subscriptions[APP] == ["endpoint:PJSIP"], 3, "the subscription is dropped"
        )

    async def test_it_is_kept_where_no_other_covers_the_channel(self, ari: AriDouble) -> None:
        async with running(make(ari.url, event_sources=("endpoint:PJSIP/other",))) as client:
            await until(lambda: client.connected, 3, "connected")
            queue = client.open("ta-1").events("StasisStart")
            await ari.send(APP, "StasisStart", channel_id="ta-1")
            await queue.get(limit(3))
            await client.asterisk.info()
        assert ari.asked("DELETE", f"applications/{APP}/subscription") == []

    async def test_a_failure_to_drop_it_is_logged(
        self, ari: AriDouble, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.open("ta-1")
        ari.fail("DELETE", f"applications/{APP}/subscription", Fault(500, "Out of memory"))
        await ari.send(APP, "StasisStart", channel_id="ta-1")
        await until(lambda: "Out of memory" in caplog.text, 3, "logged")
        assert client.connected

    async def test_stopping_and_hanging_up_what_is_over_is_fine(
        self, ari: AriDouble, client: Client
    ) -> None:
        await originate(client)
        channel = client.open("ta-1")
        playback = await channel.play(["sound:/a", "digits:12"], "p/1")
        assert ari.asked("POST", "channels/ta-1/play/p/1")[0].body == {
            "media": ["sound:/a", "digits:12"]
        }
        await playback.stop()
        await channel.hangup()
        await channel.hangup()
        with pytest.raises(NotFound):
            await channel.play("sound:/a", "p2")

    async def test_what_another_process_plays_is_stopped_and_its_end_is_not_ours(
        self, ari: AriDouble, client: Client
    ) -> None:
        channel = client.open("ta-1")
        ari.fail("DELETE", "playbacks/ta-1-p1", Fault(200))
        await channel.stop_playbacks()
        stopped = {ask.path for ask in ari.requests if ask.path.startswith("playbacks/")}
        assert stopped == {f"playbacks/ta-1-p{n}" for n in range(4)}
        assert [channel.next_playback_id() for _ in range(3)] == ["ta-1-p2", "ta-1-p3", "ta-1-p0"]

    async def test_a_channel_that_has_left_stasis(self, ari: AriDouble, client: Client) -> None:
        ari.fail("POST", "channels/ta-1/play/p1", Fault(409, "Channel not in Stasis application"))
        with pytest.raises(NotInStasis):
            await client.open("ta-1").play("sound:/a", "p1")

    async def test_only_variables_and_harmless_functions(
        self, ari: AriDouble, client: Client
    ) -> None:
        await originate(client)
        channel = client.open("ta-1")
        await channel.set_variable("TIMEOUT(absolute)", "30")
        assert await channel.get_variable("TIMEOUT(absolute)") == "30"
        for ask in (channel.set_variable("SHELL(ls)", "x"), channel.get_variable("FILE(/x)")):
            with pytest.raises(ValueError):
                await ask

    async def test_a_closed_channel_is_forgotten(self, ari: AriDouble, client: Client) -> None:
        heard: list[AriEvent] = []
        strangers: list[AriEvent] = []
        client.open("ta-1").on_event("StasisEnd", heard.append)
        client.on_event("StasisEnd", strangers.append)
        client.close("ta-1")
        await ari.send(APP, "StasisEnd", channel_id="ta-1")
        await until(lambda: strangers, 3, "it is a stranger now")
        assert heard == []
        assert client.find("ta-1") is None


class TestTakingOver:
    async def test_a_dead_workers_channels_are_heard_until_it_is_back(
        self, ari: AriDouble, client: Client
    ) -> None:
        ari.subscriptions["dead"] = ["endpoint:PJSIP"]
        queue = client.open("ta-9").events("StasisStart")
        client.add_app("dead")
        client.add_app("dead")
        await until(lambda: "dead" in ari.open_apps(), 3, "taken over")
        await ari.send("dead", "StasisStart", channel_id="ta-9")
        assert (await queue.get(limit(3))).app == "dead"
        await until(lambda: ari.subscriptions["dead"] == [], 3, "it would hear everything twice")
        await ari.replace("dead")
        await until(lambda: client.apps == {APP}, 3, "given back")
        client.add_app("dead")
        await until(lambda: "dead" in ari.open_apps(), 3, "taken over a second time")
        client.drop_app("dead")
        await until(lambda: "dead" not in ari.open_apps(), 3, "dropped")
        assert ari.connects == [APP, "dead", "dead"]
        assert client.connected

    async def test_a_lost_websocket_of_it_is_opened_again(
        self, ari: AriDouble, client: Client
    ) -> None:
        client.add_app("dead")
        await until(lambda: "dead" in ari.open_apps(), 3, "taken over")
        ari.drop("dead")
        await until(lambda: ari.connects.count("dead") == 2, 3, "connected again")


class TestSecrets:
    async def test_the_password_is_in_the_header_only(
        self, ari: AriDouble, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        errors: list[str] = []
        tries: list[Callable[[], Fault]] = [
            lambda: Fault(reset=True),
            lambda: Fault(500, "Out of memory"),
            lambda: Fault(401, "Authentication required"),
        ]
        for fault in tries:
            ari.fail("GET", "asterisk/info", fault())
            ari.fail("GET", "asterisk/info", fault())
            with pytest.raises(AriError) as caught:
                await client.asterisk.info()
            errors.append(repr(caught.value) + repr(caught.value.__cause__))
        ari.drop(APP)
        await until(lambda: len(ari.connects) == 2, 3, "connected again")
        said = "".join(errors) + caplog.text + repr([ask.params for ask in ari.requests])
        assert PASSWORD not in said
        assert "Authorization" in ari.requests[-1].headers

    def test_a_login_in_the_url_is_refused(self) -> None:
        with pytest.raises(ValueError, match="login"):
            make("http://user:password@127.0.0.1:8088")


async def test_a_recording_that_ends_by_itself_needs_no_end(ari: AriDouble, client: Client) -> None:
    """Asterisk answers 404 if it has ended, and for a moment before that 409."""
    for fault in (Fault(404, "Recording not found"), Fault(409, "Recording not in session")):
        ari.fail("POST", "recordings/live/r1/stop", fault)
        await client.recordings.stop("r1")
        ari.fail("DELETE", "recordings/live/r1", fault)
        await client.recordings.cancel("r1")


class TestEnding:
    """Asterisk that shuts down cuts off its calls, refuses new ones, and closes the websocket."""

    async def test_after_a_cut_it_is_ending_if_the_websocket_closes(
        self, ari: AriDouble, client: Client
    ) -> None:
        client.call_was_cut()
        ending = asyncio.create_task(client.is_ending())
        await asyncio.sleep(0)
        assert not ending.done()
        ari.drop(APP)
        assert await ending

    async def test_a_refusal_without_a_cut_is_one_at_once(self, client: Client) -> None:
        assert not await client.is_ending()

    async def test_after_a_cut_it_goes_on_if_the_websocket_stays(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("telealarm.asterisk.ari.client.ENDING_SECONDS", 0.1)
        client.call_was_cut()
        assert not await client.is_ending()
