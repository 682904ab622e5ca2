"""Records a message: Asterisk records, then the file is fetched and saved. A key ends it."""

import asyncio
import audioop
import io
import logging
import math
import wave
from functools import partial

from telealarm.asterisk.ari.errors import AriError, NotFound
from telealarm.clock import monotonic, utcnow
from telealarm.errors import StorageError, TeleAlarmError, unwritable
from telealarm.rules import audio
from telealarm.sections.context import Outcome
from telealarm.store.access import limits
from telealarm.store.dialing.calls import Call
from telealarm.store.survey import section_effects
from telealarm.survey.channel_io import HungUp
from telealarm.survey.commands import RECORDING_FULL
from telealarm.survey.saver import Saver
from telealarm.survey.section_context import ActiveSection, SessionServices

log = logging.getLogger(__name__)

# Added to the length: for the beep, and for Asterisk to end a recording of full length.
MARGIN_SECONDS = 5.0
# Longer than the beep: Asterisk loses a stop command during the beep.
BEEP_SECONDS = 0.8
# The pauses between tries to fetch a recording that has ended.
STORED_PAUSES_SECONDS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.5)
# With room for less than this, nothing is recorded.
LEAST_SECONDS = 1.0
# The longest message of any section: 16 bit, 8000 samples a second, with room for a header.
MOST_BYTES = 16_000 * 620
# On a silent line, the loudest tenth of a second stays below this (of 32767).
SILENCE = 60


async def record(context: ActiveSection, most_seconds: int) -> Outcome:
    """Return DONE after a message, NOTHING if nobody spoke, or FAILED.

    If the manager's audio store is full, the callee hears so, and it is FAILED.

    A key, silence or the longest time ends the message. A hang-up also ends it: the message is
    saved, and HungUp is raised.
    """
    room = await _room(context)
    if room < LEAST_SECONDS:
        await _tell_full(context)
        return Outcome.FAILED
    longest = int(min(most_seconds, room))  # a superuser's store has room without end
    channel_io, section = context.channel_io, context.section
    name = f"{channel_io.channel.id}-{section.id}"
    await context.services.ari.recordings.cancel(name)  # an earlier session's
    await channel_io.hold(longest + MARGIN_SECONDS)
    await channel_io.record(name, longest, section.timeout_seconds)
    began = monotonic()
    kept = partial(keep, context.services, context.call, section.id, name, longest)
    try:
        await _until_ended(context, name, longest)
    except HungUp:
        await kept()
        raise
    cut = longest < most_seconds and monotonic() - began > longest - LEAST_SECONDS
    outcome = await kept(saver=context.saver)
    if cut:
        await _tell_full(context)
    return outcome


async def _room(context: ActiveSection) -> float:
    """Return for how many seconds the manager's audio store has room."""
    try:
        room = await context.services.db.read(limits.audio_room, context.script.owner)
    except StorageError as error:
        log.error("a message is recorded, whatever room there is: %s", error)
        return math.inf
    return math.inf if room is None else room / limits.recording_bytes(1)


async def _tell_full(context: ActiveSection) -> None:
    """Tell the callee that no more can be recorded, and tell the manager."""
    log.warning(
        "a manager's audio store is full, a message is not recorded in full",
        extra={"channel": context.channel_io.channel.id, "alarm": context.call.alarm_id},
    )
    context.saver.note(section_effects.store_full, context.call, utcnow())
    services, language = context.services, context.script.language
    await context.channel_io.tell(await services.prompts.system(RECORDING_FULL, language))


async def _until_ended(context: ActiveSection, name: str, most_seconds: int) -> None:
    until = monotonic() + most_seconds + MARGIN_SECONDS
    beeps_until = monotonic() + BEEP_SECONDS
    stopped = False
    while (left := until - monotonic()) > 0:
        event = await context.channel_io.event(left)
        if event is None:
            continue
        if event.type == "ChannelDtmfReceived":
            if stopped:
                context.ahead(event.digit or "")
            else:
                stopped = True
                await asyncio.sleep(beeps_until - monotonic())
                await context.services.ari.recordings.stop(name)
        elif event.type.startswith("Recording") and event.recording_name == name:
            return
    await context.services.ari.recordings.stop(name)


async def keep(
    services: SessionServices,
    call: Call,
    section: int,
    name: str,
    most_seconds: int,
    *,
    saver: Saver | None = None,
) -> Outcome:
    """Fetch a recording from Asterisk, save it, and delete it there. Return how it went.

    With a `saver`, the callee waits for it. Asterisk counts whole seconds. It may record one second
    more than requested.
    """
    try:
        wav = await _fetch(services, name)
    except AriError as error:
        log.error("a message could not be fetched: %s", error, extra={"channel": name})
        return Outcome.FAILED
    if wav and not wav.startswith(b"RIFF"):
        # On a full disk Asterisk's file is a hole.
        log.error("a message is broken; is the disk of Asterisk full?", extra={"channel": name})
        return Outcome.FAILED
    sound = await asyncio.to_thread(_sound, wav, most_seconds) if wav else None
    if sound is not None:
        await _put(services, call, section, sound, saver)
    try:
        await services.ari.recordings.delete(name)
    except AriError as error:
        log.warning("a message stays in Asterisk too: %s", error, extra={"channel": name})
    return Outcome.NOTHING if sound is None else Outcome.DONE


async def _put(
    services: SessionServices, call: Call, section: int, sound: bytes, saver: Saver | None
) -> None:
    try:
        file = await asyncio.to_thread(services.voice_messages.keep, sound)
    except OSError as error:
        raise TeleAlarmError(
            f"recordings.folder cannot be written: {unwritable(error)}; until then the message"
            " stays in Asterisk"
        ) from None
    seconds = round(audio.seconds(sound), 3)
    recorded = partial(section_effects.recorded, call, section, file, seconds)
    if saver is not None:
        old = await saver.save(recorded)
    else:
        old = await asyncio.shield(services.db.backlog.add(call.id, recorded))
    if old:
        await asyncio.to_thread(services.voice_messages.discard, [old])


async def _fetch(services: SessionServices, name: str) -> bytes | None:
    for pause in STORED_PAUSES_SECONDS:
        await asyncio.sleep(pause)
        try:
            return await services.ari.recordings.fetch(name, MOST_BYTES)
        except NotFound:
            continue
    return None


def _sound(wav: bytes, most_seconds: int) -> bytes | None:
    """Return the message as it is saved, or None if it is silent."""
    try:
        sound = audio.cut(audio.for_telephone(wav), most_seconds)
    except ValueError:
        return None
    with wave.open(io.BytesIO(sound)) as source:
        frames = source.readframes(source.getnframes())
    step = 2 * audio.RATE // 10
    parts = (frames[start : start + step] for start in range(0, len(frames), step))
    return sound if max(audioop.rms(part, 2) for part in parts) > SILENCE else None
