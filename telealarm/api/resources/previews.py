"""`{id}/preview/` of mail and SMS templates: how one reads for an event, and what is missing."""

from typing import Annotated, Any

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import Schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.relation import Relation
from telealarm.api.rest.resource import Action, Values
from telealarm.methods import email
from telealarm.methods import sms as by_sms
from telealarm.methods.base import AlarmMethod
from telealarm.models import Alarm, MailTemplate, SmsTemplate
from telealarm.rules import placeholders, sms_segments
from telealarm.store.messages.compose import Composer, template_context

# What only an alarm that is written can say.
_SAMPLES = {
    name: f"https://example.com/links/{name.removesuffix('_url')}"
    for name in ("confirm_url", "cancel_url", "unsubscribe_url")
}
_TEXT: Schema = {"type": "string"}
_MISSING: Schema = {"type": "array", "items": _TEXT}


class PreviewForm(Form):
    event: Annotated[int, Relation("event")]
    """The event whose values are put in."""


def sms(context: RequestContext, row: SmsTemplate, values: Values) -> dict[str, Any]:
    """How an SMS of this template reads for an event, its segments, what is missing, and what is
    left out because it is too long.
    """
    said = _said(context, values, by_sms.METHOD)
    text = by_sms.METHOD.text(template_context(row), said, None)
    sent = sms_segments.columns(text)
    left_out = text.removeprefix(str(sent["text"]))
    return {**sent, "left_out": left_out, "missing": placeholders.lacking(row.sms_text, said)}


def mail(context: RequestContext, row: MailTemplate, values: Values) -> dict[str, Any]:
    """How a mail of this template reads for an event, and what is missing."""
    said = _said(context, values, email.METHOD)
    written = email.METHOD.bodies(template_context(row), said, None)
    whole = "\n".join((row.subject, row.message_plaintext, row.message_html))
    bodies = {"subject": written.subject, "text": written.text, "html": written.html}
    return {**bodies, "missing": placeholders.lacking(whole, said)}


def _said(context: RequestContext, values: Values, method: AlarmMethod) -> dict[str, object]:
    event = values["event"]
    alarm = Alarm(event=event, owner=event.owner_id, method=method.number)
    return {**_SAMPLES, **Composer().values(alarm, context.now)}


SMS_PREVIEW = Action(
    "preview",
    "POST",
    sms,
    form=PreviewForm,
    reply={
        "type": "object",
        "properties": {
            "text": _TEXT,
            "encoding": {"type": "string", "enum": ["GSM-7", "UCS-2"]},
            "segments": {"type": "integer", "minimum": 1},
            "left_out": _TEXT,
            "missing": _MISSING,
        },
        "required": ["text", "encoding", "segments", "left_out", "missing"],
    },
    example={"event": 1},
)
MAIL_PREVIEW = Action(
    "preview",
    "POST",
    mail,
    form=PreviewForm,
    reply={
        "type": "object",
        "properties": {"subject": _TEXT, "text": _TEXT, "html": _TEXT, "missing": _MISSING},
        "required": ["subject", "text", "html", "missing"],
    },
    example={"event": 1},
)
