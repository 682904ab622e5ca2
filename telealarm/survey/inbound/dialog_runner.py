"""Runs a dialog on a channel: speaks, takes keys, and executes orders.

A caller may hang up right after the last key. The order behind this key must still run. So a lost
channel ends a dialog only when it is about to speak or listen, never earlier.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

from telealarm import i18n
from telealarm.asterisk.ari.errors import AriError
from telealarm.survey.channel_io import ChannelIO, HungUp
from telealarm.survey.inbound.dialog import Ask, Dialog, DoorRequest, Phrase, Speak
from telealarm.survey.tts.prompts import Prompt, Prompts, soon

# How long to wait for the first key, and for each next one.
FIRST_SECONDS, NEXT_SECONDS = 8.0, 4.0
T = TypeVar("T")


class DialogRunner:
    """Runs dialogs on one channel. `execute` executes their orders and returns the results."""

    def __init__(
        self,
        line: ChannelIO,
        prompts: Prompts,
        language: str,
        execute: Callable[[DoorRequest[Any]], Awaitable[Any]],
    ) -> None:
        self.language = language
        self._line = line
        self._prompts = prompts
        self._execute = execute
        # Keys that were pressed before the question.
        self._ahead: list[str] = []

    async def run(self, dialog: Dialog[T]) -> T:
        """Run a dialog to its end. Raises HungUp, SpeechError, StorageError."""
        result = None
        while True:
            try:
                step = dialog.send(result)
            except StopIteration as end:
                return cast(T, end.value)
            if isinstance(step, Speak):
                await self.say(*step.phrases)
                result = None
            elif isinstance(step, Ask):
                result = await self._ask(step)
            else:
                await self._hold(0)
                result = await self._execute(step)

    async def say(self, *phrases: Phrase) -> None:
        """Say these phrases to their end."""
        for phrase in phrases:
            await self._line.say(await self._prompt(phrase), self._keep)

    async def _ask(self, ask: Ask) -> str:
        key = self._ahead.pop(0) if self._ahead else None
        for phrase in ask.phrases if key is None else ():
            key = await self._line.say(await self._prompt(phrase), _any)
            if key is not None:
                break
        if key is None:
            await self._hold(FIRST_SECONDS)
            key = await self._line.keys(FIRST_SECONDS, _any)
        keyed = ""
        while key is not None and key != "#":
            keyed = "" if key == "*" else keyed + key
            if len(keyed) == ask.digits:
                break
            if self._ahead:
                key = self._ahead.pop(0)
                continue
            await self._hold(NEXT_SECONDS)
            key = await self._line.keys(NEXT_SECONDS, _any)
        await self._line.quiet()
        return keyed

    async def _hold(self, seconds: float) -> None:
        with suppress(HungUp, AriError):
            await self._line.hold(seconds)

    def _keep(self, key: str) -> str | None:
        """Keep the key for later, and do not stop what is being said."""
        self._ahead.append(key)
        return None

    async def _prompt(self, phrase: Phrase) -> Prompt:
        if not phrase.values:
            return await self._prompts.system(phrase.name, self.language)
        text, spoken_in = i18n.spoken("wake_up", phrase.name, self.language)
        return await soon(self._prompts.script(text.format(**phrase.values), spoken_in))


def _any(key: str) -> str | None:
    return key or None
