"""Addresses that a user would have us call: refused where they are not to be called."""

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Sent, marked
from telealarm.api.fields.texts import Url
from telealarm.models import BaseModel


def check(visit: RequestContext, sent: Sent, row: BaseModel | None) -> None:
    """What must not be called becomes an error of its field; what `row` has already may stay."""
    for name in marked(sent.form, Url):
        url = sent.values.get(name)
        if url and url != getattr(row, name, None):
            try:
                visit.guard.check(url)
            except ValueError as error:
                sent.errors[name] = [str(error)]
