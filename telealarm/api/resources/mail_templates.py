"""mail-template/: the texts of alarms by mail. `{placeholders}` are plain names."""

from typing import Annotated, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import CREATED, UPDATED, SelfLink
from telealarm.api.fields.texts import Header, Text, Word
from telealarm.api.resources.previews import MAIL_PREVIEW
from telealarm.api.rest.resource import Resource, Values, change_row, remove_row
from telealarm.errors import Invalid
from telealarm.models import MailTemplate
from telealarm.store.engine import crud

TEMPLATE_KEY = Word(
    30, pattern=r"[A-Za-z0-9_.-]*", right="may hold letters, digits and _ . - alone"
)
# One address of RFC 5321 without quoted names, comments and encoded words. It becomes a header.
ADDRESS = Word(
    254,
    pattern=r"((?!.*=\?)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)?",
    right="must be one address like clinic@example.com",
)
MESSAGE = Text(100_000, lines=True)


class MailTemplateForm(Form):
    url: ClassVar = SelfLink("mail-template")
    label: Annotated[str, Header(75, 1)]
    """The name of the template in lists."""
    template_key: Annotated[str, TEMPLATE_KEY] = ""
    """A word of your choice to find the template by."""
    from_email: Annotated[str, ADDRESS] = ""
    """The From address. Default: `smtp.sender` of the configuration."""
    from_name: Annotated[str, Header(75)] = ""
    """The name in the From header."""
    subject: Annotated[str, Header(200, 1)]
    """The subject, with placeholders."""
    message_plaintext: Annotated[str, MESSAGE] = ""
    """The text, with placeholders."""
    message_html: Annotated[str, MESSAGE] = ""
    """The text as HTML, with placeholders. Without it, the mail has only the plain text."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> MailTemplate:
    _check(values["message_plaintext"], values["message_html"])
    return crud.insert(MailTemplate, {**values, "owner": owner_id})


def change(context: RequestContext, row: MailTemplate, values: Values) -> None:
    _check(
        values.get("message_plaintext", row.message_plaintext),
        values.get("message_html", row.message_html),
    )
    change_row(context, row, values)


def _check(plain: str, html: str) -> None:
    if not plain.strip() and not html.strip():
        raise Invalid({"message_plaintext": ["must not be empty if message_html is empty"]})


MAIL_TEMPLATE = Resource(
    name="mail-template",
    model=MailTemplate,
    form=MailTemplateForm,
    filters={"label": MailTemplate.label, "template_key": MailTemplate.template_key},
    create=create,
    change=change,
    delete=remove_row,
    actions=(MAIL_PREVIEW,),
    example={
        "label": "reminder",
        "subject": "{title}",
        "message_plaintext": "Hello, {doc_name} sees you on {start_date} at {start_time}.",
    },
)
