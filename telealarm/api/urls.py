"""Addresses that a user would have us call: refused where they are not to be called."""

from typing import Any

from telealarm.api.forms import Sent, marked
from telealarm.api.texts import Url
from telealarm.api.visit import Visit


def check(visit: Visit, sent: Sent, row: Any | None) -> None:
    """What must not be called becomes an error of its field; what `row` has already may stay."""
    for name in marked(sent.form, Url):
        url = sent.values.get(name)
        if url and url != getattr(row, name, None):
            try:
                visit.guard.check(url)
            except ValueError as error:
                sent.errors[name] = [str(error)]
