"""What a section's action uses: the section, the callee's channel, and the services."""

from collections.abc import Callable
from dataclasses import dataclass

from telealarm.asterisk.ari import Client
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.store.survey.session_state import Script, ScriptSection
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.survey.channel_io import ChannelIO, Files
from telealarm.survey.saver import Saver
from telealarm.survey.tts.prompts import Prompts


@dataclass(frozen=True)
class SessionServices:
    """The services that every session uses."""

    db: Database
    ari: Client
    prompts: Prompts
    voice_messages: VoiceMessages
    files: Files


@dataclass(frozen=True)
class ActiveSection:
    """A section whose action runs on a call.

    `ahead` gets the keys that the action does not use; they are kept for later sections.
    """

    services: SessionServices
    call: Call
    script: Script
    section: ScriptSection
    channel_io: ChannelIO
    saver: Saver
    ahead: Callable[[str], object]
