"""dnc-contact/: the numbers and mail addresses of do-not-call lists."""

from typing import Annotated, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, Column, Computed, SelfLink
from telealarm.api.fields.texts import Phone
from telealarm.api.resources.mail_templates import ADDRESS
from telealarm.api.rest.resource import Resource, Values, remove_row
from telealarm.errors import Invalid
from telealarm.models import DncContact
from telealarm.store import do_not_call


class DncContactForm(Form):
    url: ClassVar = SelfLink("dnc-contact")
    dnc: Annotated[int, Relation("dnc-list")]
    """The list that holds the number or the address."""
    phone_number: Annotated[str | None, Phone(min_length=1)] = None
    """A number that gets no calls and no SMS."""
    e164: ClassVar = Column(meaning="`phone_number` in E.164 form; null: not known.")
    email: Annotated[str | None, ADDRESS] = None
    """An address that gets no mail."""
    erased: ClassVar = Computed(
        lambda context, row: do_not_call.is_sealed(row),
        {"type": "boolean"},
        meaning="The person was erased: the entry works, and nobody can read its number any more.",
    )
    by_stop: ClassVar = Column(meaning="A reply of STOP made it; a reply of START removes it.")
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> DncContact:
    return do_not_call.add(_checked(values, None))


def change(context: RequestContext, row: DncContact, values: Values) -> None:
    do_not_call.change(row, _checked(values, row))


def _checked(values: Values, row: DncContact | None) -> Values:
    """Return the values of a contact. It has a number or a mail address, not both."""
    values = dict(values)
    if "email" in values:
        values["email"] = (values["email"] or "").lower() or None
    number, email = (values.get(n, row and getattr(row, n)) for n in ("phone_number", "email"))
    sealed = row is not None and do_not_call.is_sealed(row)
    if not number and not email and not sealed:
        raise Invalid({"phone_number": ["this field or email is required"]})
    if number and email:
        raise Invalid({"email": ["must be a separate contact, without a phone_number"]})
    return values


DNC_CONTACT = Resource(
    name="dnc-contact",
    model=DncContact,
    form=DncContactForm,
    filters={
        "dnc": DncContact.dnc,
        "phone_number": DncContact.phone_number,
        "email": DncContact.email,
    },
    create=create,
    change=change,
    delete=remove_row,
    parent="dnc",
    example={"dnc": "/rest-api/dnc-list/1/", "phone_number": "+34600100299"},
)
