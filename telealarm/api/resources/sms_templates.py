"""sms-template/: the texts of alarms by SMS. `{placeholders}` are plain names."""

from typing import Annotated, Any, ClassVar

from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import CREATED, UPDATED, SelfLink
from telealarm.api.fields.texts import Header, Text
from telealarm.api.resources.mail_templates import TEMPLATE_KEY
from telealarm.api.resources.previews import SMS_PREVIEW
from telealarm.api.rest.resource import Resource, change_row, insert_into, remove_row
from telealarm.models import SmsTemplate
from telealarm.rules import phone


class Sender(Header):
    """The sender of an SMS: a number, or a name that networks can show."""

    def read(self, value: Any) -> str:
        sender = super().read(value)
        if phone.is_dialable(phone.clean(sender)):
            return phone.clean(sender)
        if sender and not (
            len(sender) <= 11 and sender.isascii() and sender.replace(" ", "").isalnum()
        ):
            raise ValueError(
                "must be a phone number, or a name of at most 11 letters, digits and spaces"
            )
        return sender


class SmsTemplateForm(Form):
    url: ClassVar = SelfLink("sms-template")
    label: Annotated[str, Header(75, 1)]
    """The name of the template in lists."""
    template_key: Annotated[str, TEMPLATE_KEY] = ""
    """A word of your choice to find the template by."""
    sender_phonenumber: Annotated[str, Sender(50)] = ""
    """The sender that the recipient sees, if the gateway allows it."""
    sms_text: Annotated[str, Text(1000, 1, lines=True)]
    """The text, with placeholders."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


SMS_TEMPLATE = Resource(
    name="sms-template",
    model=SmsTemplate,
    form=SmsTemplateForm,
    filters={"label": SmsTemplate.label, "template_key": SmsTemplate.template_key},
    create=insert_into(SmsTemplate),
    change=change_row,
    delete=remove_row,
    actions=(SMS_PREVIEW,),
    example={
        "label": "reminder",
        "sms_text": "{title}: {doc_name} sees you on {start_date} at {start_time}.",
    },
)
