"""The errors that callers distinguish. The first line of a docstring is the default message."""

import errno

# Causes of an OSError for which it is no help to let the user write.
_NO_ROOM = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota of this user is used up"}


def unwritable(error: OSError) -> str:
    """Return why a file could not be written, and what to change."""
    if error.errno in _NO_ROOM:
        return f"{_NO_ROOM[error.errno]}; free some room"
    return f"{error.strerror}; let this user write it, or name another"


class TeleAlarmError(Exception):
    """Something went wrong."""

    code = "error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").splitlines()[0])


class ConfigError(TeleAlarmError):
    """The configuration is wrong."""

    code = "config"


class KeyMismatch(ConfigError):
    """This was encrypted with another key; put the installation's key file back (key_file)."""

    code = "key_mismatch"


class LanguageError(TeleAlarmError):
    """A language file is wrong."""

    code = "language"


class StorageError(TeleAlarmError):
    """The database did not keep what was asked of it."""

    code = "storage"
    # What a client of the API is told, and how the text of an error with this cause goes on.
    reply = "The database did not answer; try again later."
    summary = ""


class DiskFull(StorageError):
    """The disk of the database is full."""

    code = "disk_full"
    reply = "The disk of the service is full; try again when there is room on it."
    summary = "its disk is full; free some room, then what waits is written. "


class DiskFailed(StorageError):
    """The disk of the database failed, or cannot be written."""

    code = "disk_failed"
    reply = "The disk of the database cannot be written; try again later."
    summary = "its disk failed, is read-only, or a quota is used up; see the log of the system. "


class Locked(StorageError):
    """Another process keeps the database locked."""

    code = "locked"
    reply = "Another process keeps the database locked; try again later."
    summary = "another process keeps it locked; `fuser -v FILE` says which. "


class Overloaded(StorageError):
    """Too much is waiting for the database; try again later."""

    code = "overloaded"
    reply = "Too much is waiting for the database; try again later."


class Stale(StorageError):
    """The row was changed by another since it was read."""

    code = "stale"


class Fenced(Stale):
    """Another process works under this worker's name, or has taken it over."""

    code = "fenced"


class IllegalTransition(TeleAlarmError):
    """The transition table does not list this change of state."""

    code = "illegal_transition"


class RecurrenceError(TeleAlarmError):
    """The recurrence rule cannot be used."""

    code = "recurrence"


class NeverOccurs(RecurrenceError):
    """The rule never occurs before the year 2200; no date and time fits all of its parts."""

    code = "never_occurs"


class Invalid(TeleAlarmError):
    """What was sent is wrong.

    `fields` has, for each field, the sentences that say what would be correct.
    """

    code = "invalid"

    def __init__(self, fields: dict[str, list[str]]) -> None:
        super().__init__(
            "; ".join(f"{name}: {' '.join(sentences)}" for name, sentences in fields.items())
        )
        self.fields = fields


class Conflict(TeleAlarmError):
    """The object is in a state that does not allow this."""

    code = "conflict"


class Busy(Conflict):
    """The first request with this Idempotency-Key is being worked on; ask again in a second."""

    code = "busy"


class LimitReached(Conflict):
    """A limit of the manager is reached."""

    code = "limit_reached"


class Done(Conflict):
    """A POST with this Idempotency-Key was carried out; its answer is not kept any longer."""

    code = "done"

    def __init__(self, link: str | None) -> None:
        super().__init__()
        # The address of what was made, if something was.
        self.link = link


class NotVisible(TeleAlarmError):
    """There is no such object for this login: it does not exist or is another's."""

    code = "not_found"


class SpeechError(TeleAlarmError):
    """A prompt could not be rendered."""

    code = "speech"


class SpeechLate(SpeechError):
    """The prompts of a call were not rendered in time."""

    code = "late"


class TransportError(TeleAlarmError):
    """A message could not be handed over.

    `permanent`: another try cannot help. `unknown`: the message may have been accepted anyway.
    `wait_seconds`: how long the other side asks to wait; 0: it did not say.
    """

    code = "transport"

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        unknown: bool = False,
        wait_seconds: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.unknown = unknown
        self.wait_seconds = wait_seconds
