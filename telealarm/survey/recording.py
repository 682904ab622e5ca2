"""Recording a message: Asterisk records, the file is fetched and kept. A key ends it."""

import asyncio
import audioop
import io
import logging
import wave
from functools import partial

from telealarm.asterisk.ari.errors import AriError, NotFound
from telealarm.clock import monotonic
from telealarm.errors import TeleAlarmError
from telealarm.rules import audio
from telealarm.sections.context import Outcome
from telealarm.store.dialing.calls import Call
from telealarm.store.survey import section_effects
from telealarm.survey.channel_io import HungUp
from telealarm.survey.section_context import ActiveSection, SessionServices

log = logging.getLogger(__name__)

# For the beep, and for Asterisk to end what has reached its length.
MARGIN_SECONDS = 5.0
# Longer than the beep takes: an order to stop that comes while Asterisk beeps is lost.
BEEP_SECONDS = 0.8
# Until a recording that has ended can be fetched.
STORED_PAUSES_SECONDS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.5)
# 16 bit, 8000 a second, with room for a header: of the longest that a section may ask for.
MOST_BYTES = 16_000 * 620
# The loudest tenth of a second of a silent line lies below this, of 32767.
SILENCE = 60


async def record(scene: ActiveSection, most_seconds: int) -> Outcome:
    """Record until a key, silence, or the longest time; whoever hangs up has said enough too.

    Returns DONE, NOTHING if nobody spoke, or FAILED.
    """
    line, section = scene.line, scene.section
    name = f"{line.channel.id}-{section.id}"
    await scene.means.ari.recordings.cancel(name)  # an earlier session's
    await line.hold(most_seconds + MARGIN_SECONDS)
    await line.channel.record(
        name,
        most_seconds=most_seconds,
        silence_seconds=section.timeout_seconds,
    )
    kept = partial(keep, scene.means, scene.call, section.id, name, most_seconds)
    try:
        await _until_ended(scene, name, most_seconds)
    except HungUp:
        await kept()
        raise
    return await kept()


async def _until_ended(scene: ActiveSection, name: str, most_seconds: int) -> None:
    until = monotonic() + most_seconds + MARGIN_SECONDS
    beeps_until = monotonic() + BEEP_SECONDS
    stopped = False
    while (left := until - monotonic()) > 0:
        event = await scene.line.event(left)
        if event is None:
            continue
        if event.type == "ChannelDtmfReceived":
            if stopped:
                scene.ahead(event.digit or "")
            else:
                stopped = True
                await asyncio.sleep(beeps_until - monotonic())
                await scene.means.ari.recordings.stop(name)
        elif event.type.startswith("Recording") and event.recording_name == name:
            return
    await scene.means.ari.recordings.stop(name)


async def keep(
    means: SessionServices, call: Call, section: int, name: str, most_seconds: int
) -> Outcome:
    """Fetch what was recorded, keep it, and have Asterisk forget it.

    Asterisk counts whole seconds, and may record one more than it was told.
    """
    try:
        wav = await _fetch(means, name)
    except AriError as error:
        log.error("a message could not be fetched: %s", error, extra={"channel": name})
        return Outcome.FAILED
    sound = await asyncio.to_thread(_sound, wav, most_seconds) if wav else None
    if sound is not None:
        await _put(means, call, section, sound)
    try:
        await means.ari.recordings.delete(name)
    except AriError as error:
        log.warning("a message stays in Asterisk too: %s", error, extra={"channel": name})
    return Outcome.NOTHING if sound is None else Outcome.DONE


async def _put(means: SessionServices, call: Call, section: int, sound: bytes) -> None:
    try:
        file = await asyncio.to_thread(means.voice_messages.keep, sound)
    except OSError as error:
        raise TeleAlarmError(
            f"recordings.folder cannot be written ({error.strerror}); let this user write it,"
            " or name another"
        ) from None
    seconds = round(audio.seconds(sound), 3)
    old = await means.db.write(section_effects.recorded, call, section, file, seconds)
    if old:
        await asyncio.to_thread(means.voice_messages.discard, [old])


async def _fetch(means: SessionServices, name: str) -> bytes | None:
    for pause in STORED_PAUSES_SECONDS:
        await asyncio.sleep(pause)
        try:
            return await means.ari.recordings.fetch(name, MOST_BYTES)
        except NotFound:
            continue
    return None


def _sound(wav: bytes, most_seconds: int) -> bytes | None:
    """The message as it is kept, or None where nothing can be heard in it."""
    try:
        sound = audio.cut(audio.for_telephone(wav), most_seconds)
    except ValueError:
        return None
    with wave.open(io.BytesIO(sound)) as source:
        frames = source.readframes(source.getnframes())
    step = 2 * audio.RATE // 10
    parts = (frames[start : start + step] for start in range(0, len(frames), step))
    return sound if max(audioop.rms(part, 2) for part in parts) > SILENCE else None
