"""`{id}/preview/`: shows a mail or SMS template filled in for an event, and what is missing."""

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

# Samples of the values that only a saved alarm has.
_SAMPLES = {
    name: f"https://example.com/links/{name.removesuffix('_url')}"
    for name in ("confirm_url", "cancel_url", "unsubscribe_url")
}
_TEXT: Schema = {"type": "string"}
_MISSING: Schema = {"type": "array", "items": _TEXT}


class PreviewForm(Form):
    event: Annotated[int, Relation("event")]
    """The event whose values fill the placeholders."""


def sms(context: RequestContext, row: SmsTemplate, values: Values) -> dict[str, Any]:
    """Show an SMS of this template for an event, and its segments

    Also show the placeholders without a value, and the text that is left out because the SMS is too
    long.
    """
    filled = _filled(context, values, by_sms.METHOD)
    text = by_sms.METHOD.text(template_context(row), filled, None)
    sent = sms_segments.columns(text)
    left_out = text.removeprefix(str(sent["text"]))
    return {**sent, "left_out": left_out, "missing": placeholders.lacking(row.sms_text, filled)}


def mail(context: RequestContext, row: MailTemplate, values: Values) -> dict[str, Any]:
    """Show a mail of this template for an event, and the placeholders without a value"""
    filled = _filled(context, values, email.METHOD)
    written = email.METHOD.bodies(template_context(row), filled, None)
    whole = "\n".join((row.subject, row.message_plaintext, row.message_html))
    bodies = {"subject": written.subject, "text": written.text, "html": written.html}
    return {**bodies, "missing": placeholders.lacking(whole, filled)}


def _filled(context: RequestContext, values: Values, method: AlarmMethod) -> dict[str, object]:
    event = values["event"]
    alarm = Alarm(event=event, owner=event.owner_id, method=method.number)
    return {**_SAMPLES, **Composer().values(alarm, context.now)}


SMS_PREVIEW = Action(
    "preview",
    "POST",
    sms,
    form=PreviewForm,
    writes=False,
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
    example={"event": "/rest-api/event/1/"},
)
MAIL_PREVIEW = Action(
    "preview",
    "POST",
    mail,
    form=PreviewForm,
    writes=False,
    reply={
        "type": "object",
        "properties": {"subject": _TEXT, "text": _TEXT, "html": _TEXT, "missing": _MISSING},
        "required": ["subject", "text", "html", "missing"],
    },
    example={"event": "/rest-api/event/1/"},
)
