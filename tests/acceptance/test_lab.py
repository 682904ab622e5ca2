"""The lab tells the truth: its Asterisk, exchange and phones behave as the world does.

TeleAlarm is not running here. The calls are made by plain ARI requests.
"""

import asyncio
import csv
import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.acceptance.conftest import Plug
from tests.lab.apt_sources import debian_mirrors
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import (
    Behaviour,
    answers_and_presses,
    answers_only,
    busy,
    busy_once_then_answers,
    by_hand,
    congestion,
    declines,
    hangs_up_after,
    never_answers,
)
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.sms_gateway import SmsGateway
from tests.lab.speed import account, limit
from tests.lab.waiting import until

APP = "lab-test"
Event = dict[str, Any]
_ids = itertools.count(1)


class Caller:
    """The least that can place a call: ARI requests and the list of events that came."""

    def __init__(self, asterisk: Asterisk, http: aiohttp.ClientSession) -> None:
        self.events: list[Event] = []
        self._url = f"{asterisk.ari_url}/ari"
        self._trunk = asterisk.trunk
        self._http = http
        self._reader: asyncio.Task[None] | None = None

    async def attend(self) -> None:
        """Register the Stasis application, as TeleAlarm does when it starts."""
        socket = await self._http.ws_connect(f"{self._url}/events?app={APP}")
        self._reader = asyncio.create_task(self._read(socket))
        await self.post(f"applications/{APP}/subscription?eventSource=endpoint:PJSIP")

    async def leave(self) -> None:
        """Drop the websocket, as a TeleAlarm that dies."""
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None

    async def ring(self, number: str, *, seconds: int = 5, **variables: str) -> str:
        """Originate into the dialplan; the channel's id, which is ours."""
        channel = f"lab-{next(_ids)}"
        call = {
            "endpoint": f"PJSIP/{number}@{self._trunk}",
            "context": "telealarm-out",
            "extension": "s",
            "priority": 1,
            "callerId": "5550100",
            "timeout": seconds,
            "variables": {"TELEALARM_APP": APP, **variables},
        }
        await self.post(f"channels/{channel}", json=call)
        return channel

    async def post(self, path: str, **request: Any) -> None:
        async with self._http.post(f"{self._url}/{path}", **request) as reply:
            assert reply.status < 300, f"{path}: {reply.status} {await reply.text()}"

    async def variable(self, channel: str, name: str) -> str:
        """A channel variable, or a dialplan function's value, as Asterisk has it now."""
        url = f"{self._url}/channels/{channel}/variable"
        async with self._http.get(url, params={"variable": name}) as reply:
            value: str = (await reply.json())["value"]
            return value

    async def hang_up(self, channel: str) -> None:
        async with self._http.delete(f"{self._url}/channels/{channel}") as reply:
            assert reply.status in (204, 404)

    async def event(self, kind: str, channel: str, seconds: float = 20) -> Event:
        """The first event of that type on that channel, as soon as it is there."""

        def found() -> list[Event]:
            return [
                event
                for event in self.events
                if event["type"] == kind and event.get("channel", {}).get("id") == channel
            ]

        await until(found, seconds, f"{kind} of {channel}")
        return found()[0]

    async def cause(self, channel: str) -> int:
        """The hang-up cause (Q.850) that the call ended with."""
        cause: int = (await self.event("ChannelDestroyed", channel))["cause"]
        return cause

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async with socket:
            async for message in socket:
                self.events.append(message.json())


@pytest_asyncio.fixture(loop_scope="session")
async def away(asterisk: Asterisk) -> AsyncIterator[Caller]:
    """A caller whose application is not there."""
    login = aiohttp.encode_basic_auth(asterisk.ari_user, asterisk.ari_password)
    async with aiohttp.ClientSession(headers={"Authorization": login}) as http:
        caller = Caller(asterisk, http)
        yield caller
        await caller.leave()


@pytest_asyncio.fixture(loop_scope="session")
async def caller(away: Caller) -> Caller:
    """A caller whose application is there."""
    await away.attend()
    return away


async def test_a_phone_answers_hears_and_presses(
    asterisk: Asterisk, caller: Caller, plug: Plug, tmp_path: Path
) -> None:
    phone = await plug("1001", by_hand())
    channel = await caller.ring("1001")
    started = await caller.event("StasisStart", channel)
    assert started["args"] == ["call", ""]
    await caller.post(f"channels/{channel}/play?media=sound:telealarm/apology")
    await phone.hears(1.2)
    await phone.press("1")
    assert (await caller.event("ChannelDtmfReceived", channel))["digit"] == "1"
    await caller.hang_up(channel)
    await phone.until("hung up by network")
    assert await phone.events() == ["ringing", "answered", "key 1", "hung up by network"]
    assert 1 < phone.heard.seconds_heard() < 3
    phone.heard.write_wav(tmp_path / "heard.wav")
    assert (tmp_path / "heard.wav").stat().st_size > 8000


async def test_every_key_arrives_and_the_same_key_twice_is_two(caller: Caller, plug: Plug) -> None:
    phone = await plug("1001", answers_and_presses("0123456789*#11", first_key=0.5, between=0.4))
    channel = await caller.ring("1001")
    await phone.until("key 1", times=3)

    def pressed() -> str:
        return "".join(e["digit"] for e in caller.events if e["type"] == "ChannelDtmfReceived")

    # Stasis reports each event twice until the channel's own subscription is dropped.
    await until(lambda: pressed()[::2] == "0123456789*#11", 5, "all keys")
    await caller.hang_up(channel)


@pytest.mark.parametrize(
    ("behaviour", "cause", "log"),
    [
        (busy, 17, ["busy"]),
        (declines, 21, ["declined"]),
        (congestion, 34, ["congestion"]),
        (never_answers, 19, ["ringing", "cancelled"]),
    ],
)
async def test_a_phone_that_does_not_answer(
    caller: Caller, plug: Plug, behaviour: Callable[[], Behaviour], cause: int, log: list[str]
) -> None:
    phone = await plug("1002", behaviour())
    channel = await caller.ring("1002", seconds=2)
    assert await caller.cause(channel) == cause
    await phone.until(log[-1])
    assert await phone.events() == log


async def test_a_number_that_nobody_has(caller: Caller, exchange: Exchange) -> None:
    channel = await caller.ring("999999")
    assert await caller.cause(channel) == 1
    assert [call.caller for call in exchange.calls_to("999999")] == ["5550100"]


async def test_a_dead_phone_is_silence_on_the_wire(caller: Caller, plug: Plug) -> None:
    phone = await plug("1003", answers_only())
    await phone.kill()
    channel = await caller.ring("1003", seconds=2)
    assert await caller.cause(channel) == 19
    assert await phone.events() == []


async def test_busy_once_then_answers(caller: Caller, plug: Plug, exchange: Exchange) -> None:
    phone = await plug("1004", busy_once_then_answers("2", first_key=0.5))
    assert await caller.cause(await caller.ring("1004")) == 17
    channel = await caller.ring("1004")
    assert (await caller.event("ChannelDtmfReceived", channel))["digit"] == "2"
    await caller.hang_up(channel)
    await phone.until("hung up by network")
    assert await phone.events() == ["busy", "ringing", "answered", "key 2", "hung up by network"]
    assert len(exchange.calls_to("1004")) == 2


async def test_the_callee_hangs_up(caller: Caller, plug: Plug) -> None:
    phone = await plug("1005", hangs_up_after(1.0))
    channel = await caller.ring("1005")
    await caller.event("ChannelDestroyed", channel)
    assert await phone.events() == ["ringing", "answered", "hung up by phone"]


async def test_a_phone_does_what_the_test_tells_it(caller: Caller, plug: Plug) -> None:
    phone = await plug("1008", never_answers())
    channel = await caller.ring("1008", seconds=60)
    await phone.until("ringing")
    await phone.pick_up()
    await caller.event("StasisStart", channel)
    await phone.press("155")

    def pressed() -> str:
        return "".join(e["digit"] for e in caller.events if e["type"] == "ChannelDtmfReceived")

    # Stasis reports each event twice until the channel's own subscription is dropped.
    await until(lambda: pressed()[::2] == "155", 5, "all keys")
    await phone.hang_up()
    await caller.event("ChannelDestroyed", channel)
    keys = ["key 1", "key 5", "key 5"]
    assert await phone.events() == ["ringing", "answered", *keys, "hung up by phone"]


async def test_every_call_leaves_its_record(asterisk: Asterisk, caller: Caller, plug: Plug) -> None:
    await plug("1006", hangs_up_after(0.5, ring=0.1))
    await plug("1007", busy())
    channels = [await caller.ring(number) for number in ("1006", "1007", "999998")]
    for channel in channels:
        await caller.event("ChannelDestroyed", channel)

    def dispositions() -> list[str | None]:
        lines = asterisk.cdr_csv.read_text().splitlines() if asterisk.cdr_csv.exists() else []
        by_id = {row[16]: row[14] for row in csv.reader(lines)}
        return [by_id.get(channel) for channel in channels]

    await until(lambda: None not in dispositions(), 5, "the call detail records")
    assert dispositions() == ["ANSWERED", "BUSY", "NO ANSWER"]


async def _held(away: Caller, phone: Phone, hold_seconds: str) -> float:
    """Ring while the application is away; how long the callee was on the line (seconds)."""
    await away.ring(phone.number, TELEALARM_HOLD_SECONDS=hold_seconds)
    await phone.until("hung up by network", 45)
    answered, ended = [e.at for e in await phone.log() if "ing" not in e.what]
    return (ended - answered).total_seconds()


async def test_a_callee_is_held_and_told_while_the_application_is_away(
    away: Caller, plug: Plug
) -> None:
    phone = await plug("1010", answers_only())
    seconds = await _held(away, phone, "4")
    # The kind word (3 s), the tone, the apology (6 s).
    assert 9 < seconds < limit(13), account()
    assert phone.heard.seconds_heard() > 5
    assert phone.heard.longest_silence() < limit(1.5), account()


async def test_without_sound_files_there_are_tones(
    asterisk: Asterisk, away: Caller, plug: Plug, tmp_path: Path
) -> None:
    phone = await plug("1011", answers_only())
    sounds = asterisk.sounds_dir / "telealarm"
    shutil.copytree(sounds, tmp_path / "kept")
    shutil.rmtree(sounds)
    try:
        seconds = await _held(away, phone, "3")
    finally:
        shutil.copytree(tmp_path / "kept", sounds)
    assert 5 < seconds < limit(8), account()
    assert phone.heard.seconds_heard() > 2
    assert phone.heard.longest_silence() < limit(1), account()


async def test_the_application_comes_back_to_a_callee_who_waits(away: Caller, plug: Plug) -> None:
    phone = await plug("1012", answers_and_presses("3", first_key=6.0))
    channel = await away.ring("1012")
    await phone.until("answered")
    await until(lambda: phone.heard.seconds_heard() > 2, 10, "the callee was asked to hold")
    await away.attend()
    assert (await away.event("StasisStart", channel, seconds=3))["args"] == ["call", ""]
    assert (await away.event("ChannelDtmfReceived", channel))["digit"] == "3"
    await away.hang_up(channel)
    await phone.until("hung up by network")


async def test_an_application_that_takes_the_callee_and_says_nothing(
    caller: Caller, plug: Plug
) -> None:
    phone = await plug("1013", answers_only())
    channel = await caller.ring("1013")
    await caller.event("StasisStart", channel)
    await phone.until("hung up by network", 40)
    assert phone.heard.seconds_heard() > 3, "the apology was heard"
    assert phone.heard.longest_silence() < limit(17), account()


@pytest.mark.long
async def test_two_asterisks_at_once_and_one_that_crashes(exchange: Exchange) -> None:
    other = Asterisk(exchange.port)
    try:
        await other.start()
        await other.kill()
        await other.restart()
        assert "uptime" in await other.cli("core show uptime")
    finally:
        await other.stop()
    assert not other.cdr_csv.parents[2].exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "sources.list",
            "# deb http://old.example/debian bookworm main\n"
            "deb [signed-by=/k.gpg] http://vendor.example/apt bookworm vendor\n"
            "deb http://vendor.example/packages bookworm main\n"
            "deb http://mirror.example/debian-security bookworm-security main\n"
            "deb http://mirror.example/debian/ bookworm main contrib # ours\n"
            "deb-src http://source.example/debian bookworm main\n",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb deb-src\n# http://old.example/debian\n"
            "URIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n"
            "Components: main\n\nTypes: deb\nURIs: http://off.example/debian\n"
            "Suites: bookworm\nComponents: main\nEnabled: no\n",
        ),
        (
            "sources.list.d/cloud.sources",
            "Types: deb\nURIs: mirror+file:{etc}/mirrors\nSuites: bookworm\nComponents: main\n",
        ),
    ],
)
def test_the_mirror_is_the_one_that_the_machine_uses(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    (tmp_path / "mirrors").write_text("http://mirror.example/debian\n")
    (tmp_path / "apt" / "sources.list.d").mkdir(parents=True)
    (tmp_path / "apt" / name).write_text(text.replace("{etc}", str(tmp_path)))
    assert debian_mirrors(tmp_path)[0] == "http://mirror.example/debian"


async def test_the_sms_gateway(sms_gateway: SmsGateway) -> None:
    message = {"to": "+15550199", "from": "clinic", "text": "Nobody answered.", "id": "a-1"}
    async with aiohttp.ClientSession() as http:
        async with http.post(sms_gateway.url, json=message) as reply:
            assert (reply.status, await reply.json()) == (200, {"id": "sms-1"})
        sms_gateway.mood = "refuse"
        async with http.post(sms_gateway.url, json=message) as reply:
            assert reply.status == 400
        sms_gateway.mood = "fail"
        async with http.post(sms_gateway.url, json=message) as reply:
            assert reply.status == 500
        sms_gateway.mood = "break"
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.post(sms_gateway.url, json=message)
        sms_gateway.mood = "hang"
        with pytest.raises(TimeoutError):
            await http.post(sms_gateway.url, json=message, timeout=aiohttp.ClientTimeout(0.3))
    assert [sms.text for sms in sms_gateway.sent_to("+15550199")] == ["Nobody answered."]
