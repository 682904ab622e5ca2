"""The context of one request: the login, the time, and how to write links."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from telealarm.api.core.links import Links
from telealarm.config.model import FeedsConfig
from telealarm.models import User
from telealarm.rules.url_guard import UrlGuard
from telealarm.store import audit
from telealarm.store.audit import Actor
from telealarm.store.engine import time_zones
from telealarm.store.survey.audio_files import AudioFolder
from telealarm.store.survey.voice_messages import VoiceMessages


@dataclass(frozen=True)
class RequestContext:
    """The login, the time, and how to write links and local times."""

    login: User
    links: Links
    # The path and the query, for links to other pages.
    path: str
    query: Mapping[str, str]
    now: datetime
    # The folder of uploaded sounds.
    recordings: AudioFolder
    # Checks the addresses that the service is asked to call.
    guard: UrlGuard
    # The folder of the messages that callees record.
    voice_messages: VoiceMessages
    # What calendar feeds may take.
    feeds: FeedsConfig = field(default_factory=FeedsConfig)
    # Who writes, if it is not the login: a command, an import, a caller.
    writer: Actor | None = None

    @property
    def actor(self) -> Actor:
        """Who writes, for the audit log."""
        return self.writer or audit.by_login(self.login)

    @property
    def user_id(self) -> int:
        """The id of the login."""
        return self.login.id

    def local(self, moment: datetime | None, zone: str | None) -> str | None:
        """Return the moment in `zone` with its offset, like `2013-12-10T12:34:43+01:00`.

        Without a zone, use the configured one.
        """
        if moment is None:
            return None
        return moment.astimezone(ZoneInfo(zone) if zone else time_zones.configured()).isoformat()


def stamp(moment: datetime | None) -> str | None:
    """Return a moment in UTC, to the millisecond, like `2013-12-16T11:19:29.994Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
