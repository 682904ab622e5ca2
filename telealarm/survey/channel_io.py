"""Input and output of a channel, as the survey needs them: speak, and wait for keys and events.

Each step sets the channel's absolute time limit to the time that the step may take. If this process
dies, Asterisk soon ends the call with an apology. The callee is never left in silence.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from telealarm.asterisk.ari import AriEvent, Channel, Playback
from telealarm.asterisk.ari.channel import NATIVE_FORMAT
from telealarm.asterisk.ari.errors import AriError
from telealarm.asterisk.dialplan import ENTRY_SECONDS
from telealarm.clock import monotonic
from telealarm.errors import SpeechError
from telealarm.survey.tts.prompts import Prompt

log = logging.getLogger(__name__)
T = TypeVar("T")

# Added to the length of a prompt: Asterisk must fetch it, and may be busy.
PLAY_MARGIN_SECONDS = 10.0
BROKEN_OFF_SECONDS = 0.1
# The most keys that are kept while nobody listens.
MOST_PRESSED = 32
# Added to a step's time, until the next step renews the limit. A restart of the service fits in.
STEP_MARGIN_SECONDS = 15.0
# A prompt must end this long before the time limit that the dialplan has set.
ENTRY_MARGIN_SECONDS = 5.0

# A channel on which nothing plays for so long sends silence. A line without any packet seems dead,
# to people and to networks. Most calls need no silence: the next prompt or the hang-up comes first.
QUIET_SECONDS = 1.0

# The codecs of a call for which a prompt of 8 kHz is as good as one of 16 kHz.
NARROW = frozenset(
    {"alaw", "ulaw", "gsm", "g729", "ilbc", "slin", "g726", "adpcm", "lpc10", "g723"}
)

# A European ringing tone, in the format of Asterisk's playtones.
RINGING = "tone:425/1000,0/4000"

_KINDS = (
    *("ChannelDtmfReceived", "PlaybackFinished", "RecordingFinished", "RecordingFailed"),
    *("ChannelDestroyed", "StasisEnd"),
)


class HungUp(Exception):
    """The channel has left. `event` says how; None if no event was received."""

    def __init__(self, event: AriEvent | None = None) -> None:
        super().__init__()
        self.event = event


class Files:
    """Whether Asterisk first tries to read prompts from their folder, and fetches the others.

    Asterisk may fail to read a file, for example if only our user may read it. From then on it
    fetches all prompts.
    """

    def __init__(self, *, first: bool) -> None:
        self.first = first


class ChannelIO:
    """Speaks on a channel, and returns its keys and events.

    `limit_seconds` from now on, the channel is hung up.
    """

    def __init__(self, channel: Channel, limit_seconds: float, *kinds: str, files: Files) -> None:
        self.channel = channel
        self._files = files
        self._deadline = monotonic() + limit_seconds
        self._events = channel.events(*_KINDS, *kinds)
        # The end of the time limit that the dialplan has set.
        self._entry_ends = (channel.entered or -math.inf) + ENTRY_SECONDS
        # The same in every session: a worker that adopts the call can stop the sound.
        self._sound_id = f"{channel.id}-sound"
        # Whether the codec of the call is a wideband one; None: not known yet.
        self._wide: bool | None = None
        # Keys that were pressed while nobody listened.
        self._pressed: deque[str] = deque()
        # The playback to stop before the next prompt.
        self._playing: Playback | None = None
        self._stopping: asyncio.Task[bool] | None = None
        # When silence begins, and the request for it.
        self._silence_timer: asyncio.TimerHandle | None = None
        self._silence: asyncio.Task[None] | None = None

    def __enter__(self) -> "ChannelIO":
        if self.channel.entered is not None:
            self._arm_silence()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._disarm_silence()
        self._events.close()

    def limit(self, seconds: float) -> None:
        """Hang the channel up `seconds` from now on, at the latest."""
        self._deadline = min(self._deadline, monotonic() + seconds)

    def plays(self, playback_id: str) -> None:
        """Note that a playback may still play which an earlier version began."""
        self._playing = self.channel.playback(playback_id)

    def nudge(self) -> None:
        """Make a waiting `event` return at once."""
        self._events.nudge()

    async def event(self, seconds: float) -> AriEvent | None:
        """Return the next event; None after `seconds`, or after a nudge. Raises HungUp."""
        try:
            event = await self._events.get(seconds)
        except TimeoutError:
            return None
        if event.type in ("ChannelDestroyed", "StasisEnd"):
            raise HungUp(event)
        if event.type in ("RecordingFinished", "RecordingFailed"):
            self._arm_silence()
        return event

    async def hold(self, seconds: float, margin: float = STEP_MARGIN_SECONDS) -> None:
        """Set the channel's time limit to what the step may take, within the limit of the call.

        Raises HungUp if the call's limit is over.
        """
        left = self._deadline - monotonic()
        if left <= 0:
            log.warning("hung up: the time limit", extra={"channel": self.channel.id})
            await self.channel.hangup()
            raise HungUp
        limit = math.ceil(min(left, seconds + margin))
        await self.channel.set_variable("TIMEOUT(absolute)", str(limit))

    async def say(
        self,
        prompt: Prompt,
        react: Callable[[str], T | None],
    ) -> T | None:
        """Speak a prompt. Return None at its end, or what `react` returns for a key.

        If `react` returns None for a key, the prompt goes on. Raises SpeechError if Asterisk can
        play none of the prompt's addresses.
        """
        if (pressed := self._react_to_pressed(react)) is not None:
            return pressed
        for media in reversed(prompt.media) if self._files.first else prompt.media:
            if media == prompt.media[0] and prompt.wide and await self._is_wide():
                media = prompt.wide
            playback_id = self.channel.next_playback_id()
            await self.quiet()
            await self._hold_prompt(prompt.seconds)
            self._disarm_silence()
            self._playing = await self.channel.play(media, playback_id)
            end = await self._until_played(playback_id, prompt.seconds, react)
            self._arm_silence()
            if not isinstance(end, AriEvent | None):
                return end
            if end is None or end.playback_state != "failed":
                self._playing = None
                return None
            # A hang-up also makes a playback fail. The event of the hang-up follows at once.
            cut = await self.keys(BROKEN_OFF_SECONDS, react)
            if cut is not None:
                return cut
            self._files.first = False
            log.warning(
                "Asterisk could not play %s; let its user read prompts.folder, or set prompts.url",
                media,
                extra={"channel": self.channel.id},
            )
        raise SpeechError(
            f"Asterisk can play none of {', '.join(prompt.media)}; check that it reaches"
            " prompts.url, or reads prompts.folder"
        )

    async def keys(
        self,
        seconds: float,
        react: Callable[[str], T | None],
        enough: Callable[[], bool] = lambda: False,
    ) -> T | None:
        """Return what `react` returns for a key, if that is not None.

        Return None after `seconds`, or if `enough` is true after a nudge.
        """
        if (pressed := self._react_to_pressed(react)) is not None:
            return pressed
        until = monotonic() + seconds
        while not enough() and (left := until - monotonic()) > 0:
            event = await self.event(left)
            if event is not None and (result := self._react(event, react)) is not None:
                return result
        return None

    async def until_done(self, future: "asyncio.Future[Any]", seconds: float) -> bool:
        """Return whether `future` is done within `seconds`. Keys are kept for later.

        Raises HungUp.
        """
        if not future.done():
            # Without a hop for a write that is quick: most are.
            future.add_done_callback(lambda _: self.nudge())
        until = monotonic() + seconds
        while not future.done() and (left := until - monotonic()) > 0:
            event = await self.event(left)
            if event is not None:
                self._react(event, self._keep_key)
        return future.done()

    async def tell(self, prompt: Prompt) -> None:
        """Speak a prompt to its end. Keys are kept for later."""
        pressed, self._pressed = self._pressed, deque()
        await self.say(prompt, self._keep_key)
        self._pressed.extendleft(reversed(pressed))

    async def sound(self, media: str) -> None:
        """Play a sound without an end. The next prompt, or `quiet`, stops it."""
        await self.quiet()
        self._disarm_silence()
        self._playing = await self.channel.play(media, self._sound_id)

    async def record(self, name: str, most_seconds: int, silence_seconds: int) -> None:
        """Record what is said, after a beep. The event of its end follows."""
        # Silence would wait for the end of the recording. Asterisk itself may send it meanwhile
        # (transmit_silence in asterisk.conf, rtp_keepalive in pjsip.conf).
        self._disarm_silence()
        await self.channel.record(name, most_seconds=most_seconds, silence_seconds=silence_seconds)

    async def enter_bridge(self) -> None:
        """End the silence, which the channel would send instead of what the others say."""
        self._disarm_silence()
        if self._silence is not None:
            await asyncio.gather(self._silence, return_exceptions=True)
        await self.channel.stop_silence()

    def leave_bridge(self) -> None:
        """Nobody else is heard on the channel any more."""
        self._arm_silence()

    async def silence(self) -> None:
        """Stop the sound of an earlier session: Asterisk accepts no command during a playback."""
        await self.channel.playback(self._sound_id).stop()

    async def quiet(self) -> None:
        """Stop what plays now."""
        stopping, self._stopping = self._stopping, None
        playing, self._playing = self._playing, None
        if stopping is not None:
            await stopping
        if playing is not None:
            await playing.stop()
            self._arm_silence()

    async def _is_wide(self) -> bool:
        """Return whether the call is in wideband: then Asterisk fetches prompts of 16 kHz."""
        if self._wide is None:
            self._wide = False
            with suppress(AriError):
                native = await self.channel.get_variable(NATIVE_FORMAT)
                self._wide = not NARROW.intersection(native.strip("()").split("|"))
        return self._wide

    def _arm_silence(self) -> None:
        """Nothing plays from now on: send silence in a moment, unless something plays by then."""
        self._disarm_silence()
        loop = asyncio.get_running_loop()
        self._silence_timer = loop.call_later(QUIET_SECONDS, self._send_silence)

    def _disarm_silence(self) -> None:
        if self._silence_timer is not None:
            self._silence_timer.cancel()
            self._silence_timer = None

    def _send_silence(self) -> None:
        async def send() -> None:
            try:
                await self.channel.start_silence()
            except AriError as error:
                log.debug("no silence is sent: %s", error, extra={"channel": self.channel.id})

        self._silence_timer = None
        self._silence = asyncio.create_task(send())

    async def _hold_prompt(self, seconds: float) -> None:
        """Renew the time limit for a prompt.

        The first prompt needs no new limit unless it is long, so that the callee hears it at once.
        """
        if monotonic() + seconds + ENTRY_MARGIN_SECONDS > self._entry_ends:
            await self.hold(seconds)

    async def _until_played(
        self, playback_id: str, seconds: float, react: Callable[[str], T | None]
    ) -> T | AriEvent | None:
        until = monotonic() + seconds + PLAY_MARGIN_SECONDS
        while (left := until - monotonic()) > 0:
            event = await self.event(left)
            if event is None:
                continue
            if event.type == "PlaybackFinished" and event.playback_id == playback_id:
                return event
            if (result := self._react(event, react)) is not None:
                return result
        return None

    def _keep_key(self, key: str) -> None:
        if len(self._pressed) < MOST_PRESSED:
            self._pressed.append(key)

    def _react_to_pressed(self, react: Callable[[str], T | None]) -> T | None:
        while self._pressed:
            if (result := react(self._pressed.popleft())) is not None:
                return result
        return None

    def _react(self, event: AriEvent, react: Callable[[str], T | None]) -> T | None:
        if event.type != "ChannelDtmfReceived":
            return None
        result = react(event.digit or "")
        if result is not None and self._playing is not None:
            # Stop the playback at once, while the key is being saved.
            playing, self._playing = self._playing, None
            self._stopping = asyncio.create_task(playing.stop())
        return result


def nothing(key: str) -> Sequence[object] | None:
    """Ignore the key; for `react`."""
    return None
