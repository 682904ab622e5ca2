"""A conference: a bridge with a name. Each manager has conferences of their own.

A bridge exists as long as it has members. A member leaves with `#`, and the survey goes on. A
member who is alone hears a soft tone now and then.
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
# A member's time limit, if this process dies.
LEFT_ALONE_SECONDS = 30.0
ALONE = "tone:425/150,0/5000"

# Joining and leaving exclude each other. Otherwise a bridge could be destroyed as a member enters.
_doors: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


async def confer(context: ActiveSection, name: str) -> Outcome:
    """Keep the callee in the conference until they leave with the key.

    Return DONE, or FAILED if the conference could not be joined. Raises HungUp.
    """
    bridge = bridge_of(context, name)
    ari, channel_io = context.services.ari, context.channel_io
    try:
        await channel_io.enter_bridge()
        await _enter(ari, bridge, channel_io.channel.id)
    except (Unreachable, FateUnknown):
        raise
    except AriError as error:
        log.warning("the conference cannot be joined: %s", error, extra={"channel": bridge})
        context.saver.note(section_effects.not_joined, context.call, context.section.id)
        return Outcome.FAILED
    try:
        context.saver.note(section_effects.joined, context.call, context.section.id, name)
        while True:
            await channel_io.hold(RENEW_SECONDS, LEFT_ALONE_SECONDS - RENEW_SECONDS)
            if await channel_io.keys(RENEW_SECONDS, _leaves):
                break
            if channel_io.channel.id not in await ari.bridges.channels(bridge):
                await _enter(ari, bridge, channel_io.channel.id)
    except (HungUp, AriError):
        await _leave(ari, bridge, channel_io.channel.id, hung_up=True)
        raise
    await _leave(ari, bridge, channel_io.channel.id, hung_up=False)
    channel_io.leave_bridge()
    return Outcome.DONE


def bridge_of(context: ActiveSection, name: str) -> str:
    """Return the bridge's id, made of the installation, the manager and the name."""
    installation = context.call.channel_id.rpartition("-")[0]
    digest = hashlib.sha256(name.strip().casefold().encode()).hexdigest()
    return f"{installation}-conference-{context.script.owner}-{digest[:16]}"


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
            left = [member for member in await ari.bridges.channels(bridge) if member != channel]
            if left:
                await _keep_company(ari, bridge)
            else:
                await ari.bridges.destroy(bridge)
                _doors.pop(bridge, None)
        except AriError as error:
            log.warning("a conference was not left well: %s", error, extra={"channel": bridge})


async def _keep_company(ari: Client, bridge: str) -> None:
    """Play the tone if one member is alone; stop it if there are more."""
    playback = f"{bridge}-alone"
    await ari.bridges.stop_playing(playback)
    if len(await ari.bridges.channels(bridge)) == 1:
        await ari.bridges.play(bridge, ALONE, playback)
