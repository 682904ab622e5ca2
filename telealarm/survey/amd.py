"""Who answered: a person is asked; an answering machine is left a message, or nothing at all.

What AMD took for a machine is a person once a key is pressed, also while AMD still listened.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from telealarm.errors import SpeechError
from telealarm.store.dialing.calls import Call, detected
from telealarm.store.survey import session_state
from telealarm.store.survey.session_state import Script
from telealarm.survey.channel_io import ChannelIO
from telealarm.survey.commands import GOODBYE
from telealarm.survey.section_context import SessionServices
from telealarm.survey.tts.prompts import NO_SPEECH, Prompt, soon
from telealarm.words import AmdBehavior, AmdStatus

log = logging.getLogger(__name__)

# Keys that came while AMD listened wait already.
WAITING_SECONDS = 0.05


async def keys_of_person(
    means: SessionServices, call: Call, script: Script, line: ChannelIO
) -> str | None:
    """The keys with which a person has begun the survey, mostly none (''); None where the survey
    is not for whoever answered, and the call is over.

    Raises HungUp.
    """
    if call.amd_behavior is None:
        return ""
    who = await means.db.write(session_state.who_answered, call)
    if who == AmdStatus.MACHINE:
        if call.amd_behavior is AmdBehavior.HUMAN_ONLY:
            key = await line.keys(WAITING_SECONDS, str)
        else:
            key = await line.say(await _message(means, script), str)
        if key is not None:
            await means.write(detected, call, AmdStatus.PERSON, f"key {key}")
            return key
        if call.amd_behavior is not AmdBehavior.HUMAN_ONLY:
            await means.write(session_state.message_left, call)
    elif call.amd_behavior is AmdBehavior.VOICEMAIL_ONLY:
        await line.say(await means.prompts.system(GOODBYE, script.language), _ignored)
    else:
        return ""
    await means.write(session_state.enter, call, None, 0)
    await line.channel.hangup()
    return None


async def _message(means: SessionServices, script: Script) -> Prompt:
    """The voicemail recording of the calendar setting, else what the survey says first."""
    prompts, language = means.prompts, script.language
    first = next((each for each in script.sections if each.recording or each.text), None)
    if script.voicemail is not None:
        with _logged():
            return await prompts.recording(script.voicemail)
    if first is not None:
        with _logged():
            return await soon(prompts.section(first, language))
    return await prompts.system(NO_SPEECH, language)


@contextmanager
def _logged() -> Iterator[None]:
    """What cannot be played is logged, and something else is played."""
    try:
        yield
    except SpeechError as error:
        log.error("%s", error)


def _ignored(key: str) -> None:
    """No key changes anything."""
