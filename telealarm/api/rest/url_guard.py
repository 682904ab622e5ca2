"""Refuses addresses that the service must not call."""

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Sent, marked
from telealarm.api.fields.texts import Url
from telealarm.models import BaseModel


def check(context: RequestContext, sent: Sent, row: BaseModel | None) -> None:
    """Give each forbidden address an error of its field. An address that `row` has may stay."""
    for name in marked(sent.form, Url):
        url = sent.values.get(name)
        if url and url != getattr(row, name, None):
            try:
                context.guard.check(url)
            except ValueError as error:
                sent.errors[name] = [str(error)]
