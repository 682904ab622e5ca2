"""One request by one login: what replies and rules need to know about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from telealarm.api.core.links import Links
from telealarm.models import User
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.engine import time_zones
from telealarm.store.survey.audio_files import AudioFolder
from telealarm.store.survey.voice_messages import VoiceMessages


@dataclass(frozen=True)
class RequestContext:
    """Who asks, when, and how links and local times are to be written."""

    login: User
    links: Links
    # The path and the query, for links to other pages.
    path: str
    query: Mapping[str, str]
    now: datetime
    # Where uploaded sounds are kept.
    recordings: AudioFolder
    # Which addresses a user may have us call.
    guard: UrlGuard
    # Where the messages are kept that callees record.
    voice_messages: VoiceMessages

    @property
    def user_id(self) -> int:
        """The id of the login."""
        return self.login.id

    def local(self, moment: datetime | None, zone: str | None) -> str | None:
        """`2013-12-10T12:34:43+01:00`: the moment on the wall clock of `zone`, with its offset."""
        if moment is None:
            return None
        return moment.astimezone(ZoneInfo(zone) if zone else time_zones.configured()).isoformat()


def stamp(moment: datetime | None) -> str | None:
    """`2013-12-16T11:19:29.994Z`: a moment in UTC, to the millisecond."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
