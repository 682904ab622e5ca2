"""The messages that callees record: a folder of files. The survey results hold their names.

A name is drawn at random when a message is saved. So no client can choose a path.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

from telealarm.models import CallRequest, Section, SurveyResult
from telealarm.sections.record_message import TimelineWord
from telealarm.store.dialing import calls
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.timeline import record
from telealarm.store.survey import audio_files

_BATCH = 200


class VoiceMessages:
    """The folder of the messages. Only this user can read it and its files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """Return the path of the message with this name. It may not exist."""
        return self._folder / f"{name}.wav"

    def keep(self, wav: bytes) -> str:
        """Write a message and return its name. Raises OSError. Blocks: call it in a thread."""
        name = secrets.token_hex(16)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        audio_files.put(self.path(name), wav, mode=0o600)
        return name

    def discard(self, names: Sequence[str]) -> None:
        """Delete messages. A missing file is no error. Blocks: call it in a thread."""
        for name in names:
            self.path(name).unlink(missing_ok=True)


def left(names: Sequence[str], holder: Holder) -> list[tuple[str, Call, int, int]]:
    """Return the recordings that a crash left in Asterisk, some at a time.

    `names` are all recordings in Asterisk. Those of this worker's ended calls are left over. Each
    comes with its call, its section, and the longest time (seconds) that the section allows.
    """
    wanted = {}
    for name in names:
        channel, _, section = name.rpartition("-")
        if channel.startswith("ta-") and section.isascii() and section.isdigit():
            wanted[channel] = (name, int(section))
    some = sorted(wanted)[-_BATCH:]
    rows = CallRequest.select().where(
        CallRequest.aleg_uuid.in_(some),
        CallRequest.ended.is_null(False),
        CallRequest.worker == holder.name,
    )
    recordings = []
    for row in rows:
        name, section_id = wanted[row.aleg_uuid]
        recorded = Section.get_or_none(Section.id == section_id)
        if recorded is not None:
            recordings.append(
                (name, calls.describe(row), section_id, recorded.kind.longest_recording_seconds())
            )
    return recordings


def expire(ids: Sequence[int]) -> list[str]:
    """Clear the names of the messages of these results. Return the names of their files."""
    old = (
        SurveyResult.select(SurveyResult, CallRequest)
        .join(CallRequest)
        .where(SurveyResult.id.in_(ids), SurveyResult.record_file != "")
        .order_by(SurveyResult.id)
    )
    names = []
    for row in list(old):
        names.append(row.record_file)
        SurveyResult.update(record_file="").where(SurveyResult.id == row.id).execute()
        why = "the recorded message has reached recordings.keep_days"
        record(row.call.alarm_id, TimelineWord.DELETED, why, request_id=row.call.request_id)
    return names
