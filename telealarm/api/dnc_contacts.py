"""dnc-contact/: the numbers of do-not-call lists."""

from typing import Annotated, Any

from telealarm.api.fields import Relation
from telealarm.api.forms import Form
from telealarm.api.resource import Resource, Values, remove_row
from telealarm.api.texts import Phone
from telealarm.api.visit import Visit, stamp
from telealarm.models import DncContact
from telealarm.store import do_not_call


class DncContactForm(Form):
    dnc: Annotated[int, Relation("dnc-list")]
    phone_number: Annotated[str, Phone(min_length=1)]


def show(visit: Visit, row: Any) -> dict[str, Any]:
    return {
        "url": visit.links.to("dnc-contact", row.id),
        "dnc": visit.links.to("dnc-list", row.dnc_id),
        "phone_number": row.phone_number,
        "created_date": stamp(row.created_date),
        "updated_date": stamp(row.updated_date),
    }


def create(visit: Visit, owner_id: int, values: Values) -> DncContact:
    return do_not_call.add(values)


def change(visit: Visit, row: Any, values: Values) -> None:
    do_not_call.change(row, values)


DNC_CONTACT = Resource(
    name="dnc-contact",
    model=DncContact,
    show=show,
    form=DncContactForm,
    read_only=frozenset({"url", "created_date", "updated_date"}),
    filters={"dnc": DncContact.dnc, "phone_number": DncContact.phone_number},
    create=create,
    change=change,
    delete=remove_row,
    parent="dnc",
)
