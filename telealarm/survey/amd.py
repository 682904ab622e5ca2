"""Who answered: a person hears the survey. An answering machine gets a message, or nothing.

A key shows that a person answered, even if AMD reports a machine. A key during AMD counts too.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from telealarm.errors import SpeechError
from telealarm.store.dialing.call_progress import detected
from telealarm.store.dialing.calls import Call
from telealarm.store.survey import session_progress, session_state
from telealarm.store.survey.session_state import Script
from telealarm.survey.channel_io import ChannelIO
from telealarm.survey.commands import GOODBYE
from telealarm.survey.saver import Saver
from telealarm.survey.section_context import SessionServices
from telealarm.survey.tts.prompts import NO_SPEECH, Prompt, soon
from telealarm.words import AmdBehavior, AmdStatus

log = logging.getLogger(__name__)

# Keys that were pressed during AMD are already queued.
WAITING_SECONDS = 0.05


async def keys_of_person(
    services: SessionServices, call: Call, script: Script, channel_io: ChannelIO, saver: Saver
) -> str | None:
    """Return the keys that a person pressed before the survey: usually none ('').

    Return None if the survey is not for the one who answered; the call is over then. Raises HungUp.
    """
    if call.amd_behavior is None:
        return ""
    who = call.amd_status or await saver.ask(session_state.who_answered, call)
    if who == AmdStatus.MACHINE:
        if call.amd_behavior is AmdBehavior.HUMAN_ONLY:
            key = await channel_io.keys(WAITING_SECONDS, str)
        else:
            key = await channel_io.say(await _message(services, script), str)
        if key is not None:
            saver.note(detected, call, AmdStatus.PERSON, f"key {key}")
            return key
        if call.amd_behavior is not AmdBehavior.HUMAN_ONLY:
            saver.note(session_progress.message_left, call)
    elif call.amd_behavior is AmdBehavior.VOICEMAIL_ONLY:
        await channel_io.say(await services.prompts.system(GOODBYE, script.language), _ignored)
    else:
        return ""
    saver.note(session_progress.enter, call, None, 0, "")
    await channel_io.channel.hangup()
    return None


async def _message(services: SessionServices, script: Script) -> Prompt:
    """Return the recording of the calendar setting, else the neutral message.

    If the calendar setting wants the survey's words, return the survey's first prompt.
    """
    prompts, language, owner = services.prompts, script.language, script.owner
    first = next((each for each in script.sections if each.recording or each.text), None)
    if script.voicemail is not None:
        with _logged():
            return await prompts.recording(script.voicemail)
    if script.voicemail_text is not None:
        with _logged():
            return await soon(prompts.script(*script.voicemail_text, owner))
    elif first is not None:
        with _logged():
            return await soon(prompts.section(first, language, owner))
    return await prompts.system(NO_SPEECH, language)


@contextmanager
def _logged() -> Iterator[None]:
    """Log a prompt that cannot be played. The caller then plays another one."""
    try:
        yield
    except SpeechError as error:
        log.error("%s", error)


def _ignored(key: str) -> None:
    """Ignore the key."""
