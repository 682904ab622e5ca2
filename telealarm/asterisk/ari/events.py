"""An event from Asterisk, and the objects that it names."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# Where the type stands in nearly every event; and a member of that name in any object.
TYPE_FIRST = re.compile(r'\s*\{\s*"type"\s*:\s*"(\w+)"')
TYPE = re.compile(r'(?<!\\)"type"\s*:\s*"(\w+)"')
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# In Asterisk's JSON each channel starts with its id. Inside a JSON string the quotes are escaped,
# so a variable's value cannot look like a channel.
CHANNEL_ID = re.compile(
    r'"(?:channel|peer)"\s*:\s*\{\s*"id"\s*:\s*"([^"\\]+)"|"target_uri"\s*:\s*"channel:([^"\\]+)"'
)

# How the ids of channels begin that only ask Asterisk something. Nobody is on them, and some of
# their events come when they are gone.
CHECK = "check-"


# Asterisk's flags of a soft hang-up (asterisk/channel.h): the device, a shutdown, and the end of
# the dialplan. ChannelHangupRequest has the flag as its cause.
_BY_ASTERISK = frozenset({2, 4, 16})


@dataclass(frozen=True, slots=True)
class AriEvent:
    """One event. `at` is Asterisk's clock, in UTC; `data` is everything that Asterisk sent."""

    type: str
    channel_id: str | None
    app: str
    at: datetime
    data: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an event's time must be aware")

    @classmethod
    def parse(cls, text: str) -> "AriEvent":
        """Parse what Asterisk sent. Raises ValueError if it is not an event."""
        data = json.loads(text)
        if not isinstance(data, dict) or not isinstance(data.get("type"), str):
            raise ValueError(f"not an event: {text[:200]}")
        return cls(
            type=data["type"],
            channel_id=_channel_id(data),
            app=str(data.get("application", "")),
            at=datetime.fromisoformat(str(data.get("timestamp"))).astimezone(UTC),
            data=data,
        )

    @property
    def channel(self) -> Mapping[str, Any]:
        """The channel at that time; in a Dial event the dialled channel; else empty."""
        return _part(self.data, "channel") or _part(self.data, "peer")

    @property
    def digit(self) -> str | None:
        """The key of a ChannelDtmfReceived."""
        return self.data.get("digit")

    @property
    def playback_id(self) -> str | None:
        """The id of the event's playback."""
        return _part(self.data, "playback").get("id")

    @property
    def playback_state(self) -> str | None:
        """queued, playing, continuing, done or failed."""
        return _part(self.data, "playback").get("state")

    @property
    def recording_name(self) -> str | None:
        """The name of the event's recording."""
        return _part(self.data, "recording").get("name")

    @property
    def dialstatus(self) -> str | None:
        """Of a Dial event: empty when dialling starts, then RINGING, ANSWER, NOANSWER, ..."""
        return self.data.get("dialstatus")

    @property
    def cause(self) -> int | None:
        """The Q.850 hang-up cause of a ChannelDestroyed; of a soft ChannelHangupRequest a flag."""
        return self.data.get("cause")

    @property
    def is_cut(self) -> bool:
        """Whether Asterisk cuts the call off: the first event that says that a channel leaves.

        Asterisk shuts down, has lost the line, or has ended the time limit or the dialplan. Else
        the far end hung up, or a client did.
        """
        if self.type == "StasisEnd":
            return True
        return bool(self.data.get("soft")) and self.cause in _BY_ASTERISK

    @property
    def cause_txt(self) -> str | None:
        """The hang-up cause in Asterisk's words."""
        return self.data.get("cause_txt")

    @property
    def args(self) -> Sequence[str]:
        """The arguments of Stasis() in the dialplan, after the application's name (StasisStart)."""
        return tuple(self.data.get("args", ()))


def type_of(text: str) -> str | None:
    """Return an event's type, wherever it stands, without parsing: most have no handler."""
    first = TYPE_FIRST.match(text)
    if first is not None:
        return first.group(1)
    for found in TYPE.finditer(text):
        if _depth(text[: found.start()]) == 1:
            return found.group(1)
    return None


def channel_of(text: str) -> str | None:
    """Return the id of an event's channel without parsing."""
    match = CHANNEL_ID.search(text)
    return match and (match.group(1) or match.group(2))


def _depth(before: str) -> int:
    """Return in how many objects and lists the text stands that follows `before`."""
    marks = STRING.sub("", before)
    return marks.count("{") + marks.count("[") - marks.count("}") - marks.count("]")


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _channel_id(data: Mapping[str, Any]) -> str | None:
    for name in ("channel", "peer"):
        if channel_id := _part(data, name).get("id"):
            return str(channel_id)
    for name in ("playback", "recording"):
        target = str(_part(data, name).get("target_uri", ""))
        if target.startswith("channel:"):
            return target.removeprefix("channel:")
    return None
