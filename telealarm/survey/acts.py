"""What a section does beside asking, by its type. Each act returns how it went."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from telealarm.clock import utcnow
from telealarm.rules.states import SectionType
from telealarm.store import acts
from telealarm.survey.conference import confer
from telealarm.survey.recording import record
from telealarm.survey.scene import Scene
from telealarm.survey.transfer import transfer


async def _block(scene: Scene) -> str:
    await scene.means.write(partial(acts.block, scene.call, scene.section.id))
    return "added"


async def _send(scene: Scene) -> str:
    await scene.means.write(partial(acts.send, scene.call, scene.section.id, utcnow()))
    return "queued"


ACTS: Mapping[int, Callable[[Scene], Awaitable[str]]] = {
    SectionType.RECORD_MESSAGE: record,
    SectionType.CALL_TRANSFER: transfer,
    SectionType.CONFERENCE: confer,
    SectionType.DO_NOT_CALL: _block,
    SectionType.SMS: _send,
}
