"""What a section does beside asking, by its type. Each act returns how it went."""

from collections.abc import Awaitable, Callable, Mapping

from telealarm.clock import utcnow
from telealarm.store.survey import section_effects
from telealarm.survey.conference import confer
from telealarm.survey.recording import record
from telealarm.survey.section_context import SectionContext
from telealarm.survey.transfer import transfer
from telealarm.words import SectionType


async def _block(scene: SectionContext) -> str:
    await scene.means.write(section_effects.block, scene.call, scene.section.id)
    return "added"


async def _send(scene: SectionContext) -> str:
    await scene.means.write(section_effects.send, scene.call, scene.section.id, utcnow())
    return "queued"


ACTIONS: Mapping[int, Callable[[SectionContext], Awaitable[str]]] = {
    SectionType.RECORD_MESSAGE: record,
    SectionType.CALL_TRANSFER: transfer,
    SectionType.CONFERENCE: confer,
    SectionType.DO_NOT_CALL: _block,
    SectionType.SMS: _send,
}
