"""What an ARI call can end in. A caller who has originated must tell these apart."""

from telealarm.errors import TeleAlarmError


class AriError(TeleAlarmError):
    """Asterisk's REST interface did not do what was asked."""

    code = "ari"


class Unreachable(AriError):
    """Asterisk could not be reached; nothing was sent."""

    code = "unreachable"


class FateUnknown(AriError):
    """The request may have been sent, and no answer came; Asterisk may or may not have acted."""

    code = "fate_unknown"


class Unauthorized(AriError):
    """Asterisk refuses the login; check asterisk.ari.user and asterisk.ari.password."""

    code = "unauthorized"


class NotFound(AriError):
    """Asterisk has no such object; a channel has probably hung up."""

    code = "gone"


class AlreadyExists(AriError):
    """A channel of this id lives already."""

    code = "already_exists"


class AllocationFailed(AriError):
    """Asterisk could not make the channel: unknown or unregistered endpoint; nothing was sent."""

    code = "allocation_failed"


class RequestRefused(AriError):
    """Asterisk refused the request. `status` is the HTTP status."""

    code = "refused"

    def __init__(self, message: str | None = None, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotInStasis(RequestRefused):
    """The channel lives but is in no Stasis application: it has left or not yet entered."""

    code = "not_in_stasis"
