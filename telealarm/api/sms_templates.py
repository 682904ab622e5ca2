"""sms-template/: what an alarm by SMS says. `{placeholders}` are plain names."""

from typing import Annotated, Any

from telealarm.api.forms import Form
from telealarm.api.mail_templates import TEMPLATE_KEY
from telealarm.api.previews import SMS_PREVIEW
from telealarm.api.resource import Resource, change_row, insert_into, remove_row
from telealarm.api.texts import Header, Text
from telealarm.api.visit import Visit, stamp
from telealarm.models import SmsTemplate
from telealarm.rules import phone


class Sender(Header):
    """Whom an SMS comes from: a number, or a name of the kind that networks show."""

    def read(self, value: Any) -> str:
        said = super().read(value)
        if phone.is_dialable(phone.clean(said)):
            return phone.clean(said)
        if said and not (len(said) <= 11 and said.isascii() and said.replace(" ", "").isalnum()):
            raise ValueError(
                "must be a phone number, or a name of at most 11 letters, digits and spaces"
            )
        return said


class SmsTemplateForm(Form):
    label: Annotated[str, Header(75, 1)]
    template_key: Annotated[str, TEMPLATE_KEY] = ""
    sender_phonenumber: Annotated[str, Sender(50)] = ""
    sms_text: Annotated[str, Text(1000, 1, lines=True)]


def show(visit: Visit, row: Any) -> dict[str, Any]:
    return {
        "url": visit.links.to("sms-template", row.id),
        "label": row.label,
        "template_key": row.template_key,
        "sender_phonenumber": row.sender_phonenumber,
        "sms_text": row.sms_text,
        "created_date": stamp(row.created_date),
        "updated_date": stamp(row.updated_date),
    }


SMS_TEMPLATE = Resource(
    name="sms-template",
    model=SmsTemplate,
    show=show,
    form=SmsTemplateForm,
    read_only=frozenset({"url", "created_date", "updated_date"}),
    filters={"label": SmsTemplate.label, "template_key": SmsTemplate.template_key},
    create=insert_into(SmsTemplate),
    change=change_row,
    delete=remove_row,
    actions=(SMS_PREVIEW,),
)
