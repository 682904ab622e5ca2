"""A line: a channel as the survey uses it. Speak, wait for what happens, and never be silent.

At each step the channel's absolute time limit is set to what the step may take: should this
process die, Asterisk ends the call with an apology soon after, instead of leaving anybody to
silence.
"""

import asyncio
import itertools
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import TypeVar

from telealarm.asterisk.ari import AriEvent, Channel, Playback
from telealarm.asterisk.dialplan import ENTRY_SECONDS
from telealarm.clock import monotonic, utcnow
from telealarm.errors import SpeechError
from telealarm.survey.tts.prompts import Prompt

log = logging.getLogger(__name__)
T = TypeVar("T")

# Longer than a playback takes by its length: fetching it, and a busy Asterisk.
PLAY_MARGIN_SECONDS = 10.0
BROKEN_OFF_SECONDS = 0.1
# Until the next step renews the channel's time limit; a restart of the service fits in.
STEP_MARGIN_SECONDS = 15.0
# Of a prompt within the time limit that the dialplan has set.
ENTRY_MARGIN_SECONDS = 5.0

# A European ringing tone, as Asterisk's playtones understand it.
RINGING = "tone:425/1000,0/4000"

_KINDS = (
    *("ChannelDtmfReceived", "PlaybackFinished", "RecordingFinished", "RecordingFailed"),
    *("ChannelDestroyed", "StasisEnd"),
)


class HungUp(Exception):
    """The channel has left; `event` says how, where it was seen."""

    def __init__(self, event: AriEvent | None = None) -> None:
        super().__init__()
        self.event = event


class Files:
    """Whether Asterisk reads prompts from their folder, and fetches only what it cannot read.

    Where it could not read one (they are our user's alone, say) all others are fetched at once.
    """

    def __init__(self, *, first: bool) -> None:
        self.first = first


class ChannelIO:
    """`limit_seconds` is how long the channel may live from now on; then it is hung up."""

    def __init__(self, channel: Channel, limit_seconds: float, *kinds: str, files: Files) -> None:
        self.channel = channel
        self._files = files
        self._deadline = monotonic() + limit_seconds
        self._events = channel.events(*_KINDS, *kinds)
        # Until when the channel lives as it has come to us.
        self._entry_ends = (channel.entered or -math.inf) + ENTRY_SECONDS
        # Unlike those of an earlier session of this channel.
        self._run_id = f"{utcnow().timestamp():.6f}"
        self._numbers = itertools.count(1)
        # The same in every session: whoever adopts the call can stop it.
        self._sound_id = f"{channel.id}-sound"
        # What is to be stopped before anything else is said.
        self._playing: Playback | None = None
        self._stopping: asyncio.Task[None] | None = None

    def __enter__(self) -> "ChannelIO":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._events.close()

    def plays(self, playback_id: str) -> None:
        """This still plays, begun by an earlier session."""
        self._playing = self.channel.playback(playback_id)

    def nudge(self) -> None:
        """Let `event` wait no longer."""
        self._events.nudge()

    async def event(self, seconds: float) -> AriEvent | None:
        """What happens next; None after `seconds`, or a nudge. Raises HungUp."""
        try:
            event = await self._events.get(seconds)
        except TimeoutError:
            return None
        if event.type in ("ChannelDestroyed", "StasisEnd"):
            raise HungUp(event)
        return event

    async def hold(self, seconds: float, margin: float = STEP_MARGIN_SECONDS) -> None:
        """Let the channel live as long as the step may take, and no longer than the call may."""
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
        note: Callable[[str], Awaitable[None]] | None = None,
    ) -> T | None:
        """Speak to the end, or until a key cuts it: then what `react` makes of the key.

        A key of which it makes None cuts nothing. `note` is told the playback's id as it begins.
        Raises SpeechError where Asterisk can play none of the prompt's addresses.
        """
        for media in reversed(prompt.media) if self._files.first else prompt.media:
            playback_id = self._next_id()
            await asyncio.gather(self.quiet(), self._hold_prompt(prompt.seconds))
            self._playing, _ = await asyncio.gather(
                self.channel.play(media, playback_id), _noted(note, playback_id)
            )
            end = await self._until_played(playback_id, prompt.seconds, react)
            if not isinstance(end, AriEvent | None):
                return end
            if end is None or end.playback_state != "failed":
                self._playing = None
                return None
            # A playback that a hang-up broke off has failed too: its news follow at once.
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
        """Wait for a key of which `react` makes something; None after `seconds`, or as soon as
        `enough` is true at a nudge.
        """
        until = monotonic() + seconds
        while not enough() and (left := until - monotonic()) > 0:
            event = await self.event(left)
            if event is not None and (made := self._react(event, react)) is not None:
                return made
        return None

    async def sound(self, media: str) -> None:
        """Play something that has no end of its own; the next thing said, or `quiet`, ends it."""
        await self.quiet()
        self._playing = await self.channel.play(media, self._sound_id)

    async def silence(self) -> None:
        """Stop the sound of an earlier session: Asterisk takes no order while something plays."""
        await self.channel.playback(self._sound_id).stop()

    async def quiet(self) -> None:
        """Nothing plays any more."""
        stopping, self._stopping = self._stopping, None
        playing, self._playing = self._playing, None
        if stopping is not None:
            await stopping
        if playing is not None:
            await playing.stop()

    async def _hold_prompt(self, seconds: float) -> None:
        """Of the first prompt the callee need not wait for this, unless it is long."""
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
            if (made := self._react(event, react)) is not None:
                return made
        return None

    def _react(self, event: AriEvent, react: Callable[[str], T | None]) -> T | None:
        if event.type != "ChannelDtmfReceived":
            return None
        made = react(event.digit or "")
        if made is not None and self._playing is not None:
            # Cut what plays at once, while the key is being kept.
            playing, self._playing = self._playing, None
            self._stopping = asyncio.create_task(playing.stop())
        return made

    def _next_id(self) -> str:
        return f"{self.channel.id}-{self._run_id}-{next(self._numbers)}"


async def _noted(note: Callable[[str], Awaitable[None]] | None, playback_id: str) -> None:
    if note is not None:
        await note(playback_id)


def nothing(key: str) -> Sequence[object] | None:
    """A reaction to keys: none."""
    return None
