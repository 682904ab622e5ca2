"""The errors of ARI requests. After an originate, the caller must treat each differently."""

from telealarm.errors import TeleAlarmError


class AriError(TeleAlarmError):
    """Asterisk's REST interface did not do what was asked."""

    code = "ari"


class Unreachable(AriError):
    """Asterisk could not be reached, or shuts down: nothing was done."""

    code = "unreachable"


class FateUnknown(AriError):
    """The request may have been sent, but no answer came. Asterisk may have acted or not."""

    code = "fate_unknown"


class Unauthorized(AriError):
    """Asterisk refuses the login; check asterisk.ari.user and asterisk.ari.password."""

    code = "unauthorized"


class NotFound(AriError):
    """Asterisk has no such object; a channel has probably hung up."""

    code = "gone"


class AlreadyExists(AriError):
    """A channel with this id exists already."""

    code = "already_exists"


class AllocationFailed(AriError):
    """Asterisk could not create the channel: unknown or unregistered endpoint; nothing was sent."""

    code = "allocation_failed"


class RequestRefused(AriError):
    """Asterisk refused the request. `status` is the HTTP status."""

    code = "refused"

    def __init__(self, message: str | None = None, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotInStasis(RequestRefused):
    """The channel exists but is not in Stasis: it has left or not yet entered."""

    code = "not_in_stasis"
