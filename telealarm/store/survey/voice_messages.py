"""The messages that callees record: a folder of files, named by the survey results.

A name is drawn at random when a message is kept; nothing that a client sends becomes a path.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from telealarm.models import CallRequest, Section, SurveyResult
from telealarm.sections.record_message import Timeline
from telealarm.store.dialing import calls
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.timeline import record
from telealarm.store.survey import audio_files

_CROWD = 200


class VoiceMessages:
    """The folder; it and its files can be read by this user alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """Where the message of this name is, if it is."""
        return self._folder / f"{name}.wav"

    def keep(self, wav: bytes) -> str:
        """Write a message; returns its name. Raises OSError. Blocks: call it in a thread."""
        name = secrets.token_hex(16)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        audio_files.put(self.path(name), wav, mode=0o600)
        return name

    def discard(self, names: Sequence[str]) -> None:
        """Delete messages; one that is gone is fine. Blocks."""
        for name in names:
            self.path(name).unlink(missing_ok=True)


def left(names: Sequence[str], holder: Holder) -> list[tuple[str, Call, int, int]]:
    """Of the recordings in Asterisk, by name, those of this worker's calls that have ended: a crash
    left them there. With each its call, its section and how long that may be, some at a time.
    """
    wanted = {}
    for name in names:
        channel, _, section = name.rpartition("-")
        if channel.startswith("ta-") and section.isascii() and section.isdigit():
            wanted[channel] = (name, int(section))
    some = sorted(wanted)[-_CROWD:]
    rows = CallRequest.select().where(
        CallRequest.aleg_uuid.in_(some),
        CallRequest.ended.is_null(False),
        CallRequest.worker == holder.name,
    )
    found = []
    for row in rows:
        name, section_id = wanted[row.aleg_uuid]
        recorded = Section.get_or_none(Section.id == section_id)
        if recorded is not None:
            found.append(
                (name, calls.describe(row), section_id, recorded.kind.longest_recording_seconds())
            )
    return found


def expire(before: datetime) -> list[str]:
    """Forget messages that are older, some at a time; returns the names of their files."""
    old = (
        SurveyResult.select(SurveyResult, CallRequest)
        .join(CallRequest)
        .where(SurveyResult.record_file != "", SurveyResult.created_date < before)
        .order_by(SurveyResult.created_date)
        .limit(_CROWD)
    )
    names = []
    for row in list(old):
        names.append(row.record_file)
        SurveyResult.update(record_file="").where(SurveyResult.id == row.id).execute()
        why = "the recorded message has reached recordings.keep_days"
        record(row.call.alarm_id, Timeline.DELETED, why, request_id=row.call.request_id)
    return names
