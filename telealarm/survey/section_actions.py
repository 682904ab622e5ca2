"""What the action of a section can do with its call: SectionContext for a real call."""

import logging

from telealarm.clock import utcnow
from telealarm.errors import SpeechError
from telealarm.rules import placeholders
from telealarm.sections.context import Outcome
from telealarm.store.survey import section_effects
from telealarm.survey.conference import confer
from telealarm.survey.recording import record
from telealarm.survey.section_context import ActiveSection
from telealarm.survey.transfer import TransferOrder, transfer
from telealarm.survey.tts.prompts import soon

log = logging.getLogger(__name__)


class SectionActions:
    """The SectionContext of an active section."""

    def __init__(self, active: ActiveSection) -> None:
        self._active = active
        self._call = active.call
        self._section = active.section
        self._services = active.services

    @property
    def retries(self) -> int:
        return self._section.retries

    @property
    def timeout_seconds(self) -> float:
        return self._section.timeout_seconds

    async def say(self, text: str) -> str | None:
        script = self._active.script
        words = placeholders.speakable(text, script.values)
        if not words:
            return None
        try:
            prompt = await soon(self._services.prompts.script(words, script.language, script.owner))
        except SpeechError as error:
            log.error("section %d does not say a text: %s", self._section.id, error)
            return None
        return await self._active.channel_io.say(prompt, _any_key)

    async def key(self, seconds: float) -> str | None:
        await self._active.channel_io.hold(seconds)
        return await self._active.channel_io.keys(seconds, _any_key)

    async def record(self, most_seconds: int) -> Outcome:
        return await record(self._active, most_seconds)

    async def transfer(self, number: str, script: str, key: str) -> Outcome:
        words = placeholders.speakable(script, self._active.script.values)
        return await transfer(self._active, TransferOrder(number, words, key))

    async def join_conference(self, name: str) -> Outcome:
        return await confer(self._active, name)

    async def block_number(self) -> None:
        await self._active.saver.save(section_effects.block, self._call, self._section.id)

    async def send_sms(self, text: str) -> None:
        await self._active.saver.save(
            section_effects.send, self._call, self._section.id, text, utcnow()
        )

    async def answer(self, response: str) -> None:
        await self._active.saver.save(
            section_effects.answered, self._call, self._section.id, response
        )

    async def tell(self, word: str, why: str = "") -> None:
        self._active.saver.note(section_effects.tell, self._call, word, why)


def _any_key(key: str) -> str | None:
    return key or None
