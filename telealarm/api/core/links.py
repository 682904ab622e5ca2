"""Links between resources. Written links have the host that the client used; read ones may not."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from telealarm import models

BASE = "/rest-api/"

# The model behind each resource's links.
MODELS: dict[str, type[models.BaseModel]] = {
    "users": models.User,
    "gateway": models.Gateway,
    "sms-gateway": models.SmsGateway,
    "survey-template": models.SurveyTemplate,
    "section-template": models.SectionTemplate,
    "branching-template": models.BranchingTemplate,
    "sealed-survey": models.Survey,
    "calendar-setting": models.CalendarSetting,
    "calendar-user": models.CalendarUser,
    "calendar": models.Calendar,
    "reminder-plan": models.ReminderPlan,
    "rule": models.Rule,
    "person": models.Person,
    "event": models.Event,
    "alarm": models.Alarm,
    "alarm-request": models.AlarmRequest,
    "callrequest": models.CallRequest,
    "message": models.Message,
    "mail-template": models.MailTemplate,
    "sms-template": models.SmsTemplate,
    "audio-files": models.AudioFile,
    "result": models.SurveyResult,
    "transfer": models.Transfer,
    "dnc-list": models.DncList,
    "dnc-contact": models.DncContact,
    "webhook": models.Webhook,
    "webhook-delivery": models.WebhookDelivery,
    "audit": models.AuditEntry,
    "erasure": models.Erasure,
}

# The predecessor's documents write `user/` for `users/`.
_ALIASES = {"user": "users"}

_ID = re.compile(r"[0-9]{1,10}", re.ASCII)
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_PATH = re.compile(re.escape(BASE) + r"([a-z-]{1,40})/([0-9]{1,10})/?", re.ASCII)

LARGEST_ID = 2**31 - 1


@dataclass(frozen=True)
class Links:
    """Writes absolute links. `origin` is like http://127.0.0.1:8000."""

    origin: str

    def to(self, resource: str, row_id: int) -> str:
        """Return the link to a row, like http://host/rest-api/event/3/."""
        return f"{self.origin}{BASE}{resource}/{row_id}/"

    def all(self, resource: str) -> str:
        """Return the link to a list, like http://host/rest-api/event/."""
        return f"{self.origin}{BASE}{resource}/"

    def maybe(self, resource: str, row_id: int | None) -> str | None:
        """Return the link to a row, or None if there is no row."""
        return None if row_id is None else self.to(resource, row_id)


def origin(scheme: str, host: str | None, fallback: str) -> str:
    """Return scheme and host of a request. If Host is not a host name, use `fallback`."""
    return f"{scheme}://{host if host and _HOST.fullmatch(host) else fallback}"


def row_id(text: str) -> int | None:
    """Return the id in a path or a relation, or None if no row can have this id."""
    if not _ID.fullmatch(text):
        return None
    number = int(text)
    return number if 1 <= number <= LARGEST_ID else None


def parse(link: str) -> tuple[str, int | None] | None:
    """Return resource and id of a link: absolute, or a path. None: it is no link of this API."""
    try:
        path = urlsplit(link).path
    except ValueError:
        return None
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    return _ALIASES.get(match[1], match[1]), row_id(match[2])
