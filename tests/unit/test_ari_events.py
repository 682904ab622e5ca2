"""Events as Asterisk 22 sends them, read and sorted."""

import json
import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest

from telealarm.asterisk.ari.channel import QUEUE_LENGTH, Channel
from telealarm.asterisk.ari.events import AriEvent, channel_of, type_of
from telealarm.asterisk.ari.http import Http
from telealarm.asterisk.ari.router import Router

CHANNEL = '"channel":{"id":"ta-1","name":"PJSIP/phone-00000001","state":"Up"}'


def text(kind: str, more: str = CHANNEL, *, at: str = "14:42:23.945", app: str = "ta") -> str:
    stamp = f'"timestamp":"2026-11-23T{at}+0000"'
    return f'{{"type":"{kind}",{stamp},{more},"asterisk_id":"x","application":"{app}"}}'


def dtmf(digit: str, at: str, app: str = "ta") -> str:
    return text(
        "ChannelDtmfReceived", f'"digit":"{digit}","duration_ms":100,{CHANNEL}', at=at, app=app
    )


PLAYBACK = '"playback":{"id":"p1","target_uri":"channel:ta-1","state":"done"}'
DIAL = '"dialstatus":"ANSWER","caller":{"id":"other"},"peer":{"id":"ta-1"}'


class TestEvent:
    def test_its_time_is_utc(self) -> None:
        event = AriEvent.parse(text("StasisStart").replace("+0000", "+0200"))
        assert event.at == datetime(2026, 11, 23, 12, 42, 23, 945000, UTC)
        assert event.at.utcoffset() == timedelta(0)

    def test_a_key(self) -> None:
        event = AriEvent.parse(dtmf("#", "14:42:23.945"))
        assert (event.channel_id, event.digit, event.app) == ("ta-1", "#", "ta")

    def test_a_dial_is_about_the_channel_that_is_called(self) -> None:
        event = AriEvent.parse(text("Dial", DIAL))
        assert (event.channel_id, event.dialstatus) == ("ta-1", "ANSWER")

    def test_a_playback_names_its_channel_by_target(self) -> None:
        event = AriEvent.parse(text("PlaybackFinished", PLAYBACK))
        assert (event.channel_id, event.playback_id, event.playback_state) == ("ta-1", "p1", "done")

    def test_why_it_was_destroyed(self) -> None:
        event = AriEvent.parse(
            text("ChannelDestroyed", f'"cause":21,"cause_txt":"Rejected",{CHANNEL}')
        )
        assert (event.cause, event.cause_txt) == (21, "Rejected")

    def test_arguments_of_stasis(self) -> None:
        assert AriEvent.parse(text("StasisStart", f'"args":["amd","HUMAN"],{CHANNEL}')).args == (
            "amd",
            "HUMAN",
        )

    @pytest.mark.parametrize("wrong", ["", "[]", '{"type":1}', '{"type":"X"}', "not json"])
    def test_what_is_no_event_is_a_value_error(self, wrong: str) -> None:
        with pytest.raises(ValueError):
            AriEvent.parse(wrong)

    def test_a_naive_time_is_refused(self) -> None:
        naive = datetime.now(timezone(timedelta(hours=2))).replace(tzinfo=None)
        with pytest.raises(ValueError, match="aware"):
            AriEvent(type="X", channel_id=None, app="ta", at=naive, data={})


class TestGlance:
    @pytest.mark.parametrize("more", [CHANNEL, PLAYBACK, DIAL])
    @pytest.mark.parametrize("pretty", [None, 2])
    def test_it_sees_what_parsing_sees(self, more: str, pretty: int | None) -> None:
        sent = json.dumps(json.loads(text("Dial", more)), indent=pretty)
        assert (type_of(sent), channel_of(sent)) == ("Dial", "ta-1")

    @pytest.mark.parametrize("pretty", [None, 2])
    def test_the_type_may_stand_anywhere_in_the_object(self, pretty: int | None) -> None:
        sent = {
            "timestamp": "x",
            "channel": {"id": "ta-1", "channelvars": {"type": "wrong", '"type"': "wrong"}},
            "args": [{"type": "wrong"}, 'a "}" and "type":"wrong"', "\\"],
            "type": "Dial",
            "peer": {"type": "wrong"},
        }
        assert type_of(json.dumps(sent, indent=pretty)) == "Dial"

    @pytest.mark.parametrize("sent", ['{"channel":{"type":"wrong"}}', '{"type":1}', "", "no json"])
    def test_what_has_no_type(self, sent: str) -> None:
        assert type_of(sent) is None

    def test_a_variable_cannot_pass_for_a_channel(self) -> None:
        value = json.dumps('"channel":{"id":"ta-2"}')
        assert channel_of(text("ChannelVarset", f'"value":{value},{CHANNEL}')) == "ta-1"


@pytest.fixture
def entered() -> list[AriEvent]:
    return []


@pytest.fixture
def router(entered: list[AriEvent]) -> Router:
    return Router(entered.append)


@pytest.fixture
def channel(router: Router) -> Channel:
    opened = Channel("ta-1", "ta", Http("http://127.0.0.1:1", "user", "password", 1.0))
    router.channels["ta-1"] = opened
    return opened


class TestRouter:
    def test_one_press_is_heard_once_and_two_presses_twice(
        self, router: Router, channel: Channel
    ) -> None:
        heard: list[AriEvent] = []
        channel.on_event("ChannelDtmfReceived", heard.append)
        for at in ("14:42:23.945", "14:42:23.945", "14:42:24.100", "14:42:24.100"):
            router.route(dtmf("1", at))
        assert [event.at.microsecond for event in heard] == [945000, 100000]

    def test_the_copy_of_another_application_is_a_copy_too(
        self, router: Router, channel: Channel
    ) -> None:
        heard: list[AriEvent] = []
        channel.on_event("ChannelDtmfReceived", heard.append)
        router.route(dtmf("1", "14:42:23.945", app="ta"))
        router.route(dtmf("2", "14:42:23.950", app="ta"))
        router.route(dtmf("1", "14:42:23.945", app="dead worker"))
        assert [event.digit for event in heard] == ["1", "2"]

    def test_strangers_reach_the_application_and_open_channels_do_not(
        self, router: Router, channel: Channel
    ) -> None:
        strangers: list[str | None] = []
        router.on_event("StasisStart", lambda event: strangers.append(event.channel_id))
        router.route(text("StasisStart", CHANNEL))
        router.route(text("StasisStart", CHANNEL.replace("ta-1", "1795.1")))
        router.route(text("StasisEnd", CHANNEL.replace("ta-1", "1795.1")))
        assert strangers == ["1795.1"]

    def test_a_channel_that_only_asks_something_is_no_caller(self, router: Router) -> None:
        """Its StasisStart may come when it is gone, or was made by check-config."""
        strangers: list[str | None] = []
        router.on_event("StasisStart", lambda event: strangers.append(event.channel_id))
        router.route(text("StasisStart", CHANNEL.replace("ta-1", "check-0123")))
        assert strangers == []

    def test_entering_stasis_is_told_even_when_nobody_listens(
        self, router: Router, channel: Channel, entered: list[AriEvent]
    ) -> None:
        channel.events("StasisStart").close()
        router.route(text("StasisStart", app="dead worker"))
        assert [event.channel_id for event in entered] == ["ta-1"]
        assert channel.app == "dead worker"

    def test_a_failing_handler_is_logged_with_the_channel_and_ends_nothing(
        self, router: Router, channel: Channel, caplog: pytest.LogCaptureFixture
    ) -> None:
        heard: list[AriEvent] = []

        def fails(event: AriEvent) -> None:
            raise RuntimeError("broken")

        channel.on_event("StasisEnd", fails)
        channel.on_event("StasisEnd", heard.append)
        router.route(text("StasisEnd"))
        assert len(heard) == 1
        assert getattr(caplog.records[0], "channel", None) == "ta-1"

    def test_rubbish_is_logged_and_ends_nothing(
        self, router: Router, channel: Channel, caplog: pytest.LogCaptureFixture
    ) -> None:
        heard: list[AriEvent] = []
        channel.on_event("StasisEnd", heard.append)
        router.route("rubbish")
        router.route(text("StasisEnd"))
        assert len(heard) == 1
        assert "rubbish" in caplog.text


class TestListening:
    def test_what_came_before_the_first_listener_is_kept_for_it_once(
        self, router: Router, channel: Channel
    ) -> None:
        router.route(text("StasisStart"))
        first: list[AriEvent] = []
        second: list[AriEvent] = []
        channel.on_event("StasisStart", first.append)
        channel.on_event("StasisStart", second.append)
        assert (len(first), len(second)) == (1, 0)

    def test_a_key_between_two_listeners_is_not_kept(
        self, router: Router, channel: Channel
    ) -> None:
        heard: list[AriEvent] = []
        channel.on_event("ChannelDtmfReceived", heard.append)()
        router.route(dtmf("1", "14:42:23.945"))
        channel.on_event("ChannelDtmfReceived", heard.append)
        assert heard == []

    async def test_a_queue_gives_events_in_order_and_times_out(
        self, router: Router, channel: Channel
    ) -> None:
        router.route(dtmf("1", "14:42:23.945"))
        queue = channel.events("ChannelDtmfReceived", "StasisEnd")
        router.route(text("StasisEnd", at="14:42:25.000"))
        assert (await queue.get(1)).digit == "1"
        assert (await queue.get(1)).type == "StasisEnd"
        with pytest.raises(TimeoutError):
            await queue.get(0)
        queue.close()
        router.route(text("StasisEnd", at="14:42:26.000"))
        with pytest.raises(TimeoutError):
            await queue.get(0)

    async def test_a_full_queue_drops_keys_with_one_warning_but_never_the_end(
        self, router: Router, channel: Channel, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue = channel.events("ChannelDtmfReceived", "ChannelDestroyed")
        with caplog.at_level(logging.WARNING):
            for number in range(QUEUE_LENGTH + 5):
                router.route(dtmf("1", f"14:{number // 60:02}:{number % 60:02}.000"))
        router.route(text("ChannelDestroyed"))
        taken = [await queue.get(0) for _ in range(QUEUE_LENGTH + 1)]
        assert taken[-1].type == "ChannelDestroyed"
        assert len(caplog.records) == 1
