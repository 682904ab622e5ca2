"""A conference: a bridge by name, one for each manager, there as long as somebody is in it.

`#` leaves it, and the survey goes on. Whoever is alone in it hears a soft tone now and then.
"""

import asyncio
import hashlib
import logging
from collections import defaultdict

from telealarm.asterisk.ari import Client
from telealarm.asterisk.ari.errors import AriError, FateUnknown, Unreachable
from telealarm.sections.context import Outcome
from telealarm.store.survey import section_effects
from telealarm.survey.channel_io import HungUp
from telealarm.survey.section_context import ActiveSection

log = logging.getLogger(__name__)

LEAVE_KEY = "#"
RENEW_SECONDS = 10.0
# How long a member's limit lasts without us.
LEFT_ALONE_SECONDS = 30.0
ALONE = "tone:425/150,0/5000"

# Who joins and who leaves must not cross, or a bridge would go while somebody enters it.
_doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


async def confer(scene: ActiveSection, name: str) -> Outcome:
    """Stay until the callee leaves by the key; DONE, or FAILED. Raises HungUp."""
    bridge = bridge_of(scene, name)
    ari, line = scene.means.ari, scene.line
    try:
        await _enter(ari, bridge, line.channel.id)
    except (Unreachable, FateUnknown):
        raise
    except AriError as error:
        log.warning("the conference cannot be joined: %s", error, extra={"channel": bridge})
        await scene.means.write(section_effects.not_joined, scene.call, scene.section.id)
        return Outcome.FAILED
    try:
        await scene.means.write(section_effects.joined, scene.call, scene.section.id, name)
        while True:
            await line.hold(RENEW_SECONDS, LEFT_ALONE_SECONDS - RENEW_SECONDS)
            if await line.keys(RENEW_SECONDS, _leaves):
                break
            if line.channel.id not in await ari.bridges.channels(bridge):
                await _enter(ari, bridge, line.channel.id)
    except (HungUp, AriError):
        await _leave(ari, bridge, line.channel.id, hung_up=True)
        raise
    await _leave(ari, bridge, line.channel.id, hung_up=False)
    return Outcome.DONE


def bridge_of(scene: ActiveSection, name: str) -> str:
    """The bridge's id: of this installation, this manager, and this name."""
    installation = scene.call.channel_id.rpartition("-")[0]
    digest = hashlib.sha256(name.strip().casefold().encode()).hexdigest()
    return f"{installation}-conference-{scene.script.owner}-{digest[:16]}"


def _leaves(key: str) -> bool | None:
    return True if key == LEAVE_KEY else None


async def _enter(ari: Client, bridge: str, channel: str) -> None:
    async with _doors[bridge]:
        await ari.bridges.create(bridge)
        await ari.bridges.add(bridge, channel)
        await _keep_company(ari, bridge)


async def _leave(ari: Client, bridge: str, channel: str, *, hung_up: bool) -> None:
    async with _doors[bridge]:
        try:
            if not hung_up:
                await ari.bridges.remove(bridge, channel)
            left = [one for one in await ari.bridges.channels(bridge) if one != channel]
            if left:
                await _keep_company(ari, bridge)
            else:
                await ari.bridges.destroy(bridge)
                _doors.pop(bridge, None)
        except AriError as error:
            log.warning("a conference was not left well: %s", error, extra={"channel": bridge})


async def _keep_company(ari: Client, bridge: str) -> None:
    """One who is alone hears that the line lives; two hear each other."""
    playback = f"{bridge}-alone"
    await ari.bridges.stop_playing(playback)
    if len(await ari.bridges.channels(bridge)) == 1:
        await ari.bridges.play(bridge, ALONE, playback)
