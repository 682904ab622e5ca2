"""A task as data: seen or done about no row of a table, as `plan/` and `dialing/pause/` are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.form import Form


@dataclass(frozen=True)
class Task:
    """`run` gets what was sent by `form`, and returns the reply's body; a GET in a reader thread,
    a POST within a transaction.
    """

    # Below /rest-api/; the first word is its heading in the document.
    path: str
    method: Literal["GET", "POST"]
    run: Callable[[RequestContext, dict[str, Any]], dict[str, Any]]
    form: type[Form] = Form
    # What the query of a GET may hold, for the document.
    query: Mapping[str, FieldType] = field(default_factory=dict)
    reply: Schema = field(default_factory=dict)
    # Else for every login.
    superusers_only: bool = True

    @property
    def methods(self) -> tuple[str, ...]:
        """As the Allow header lists them."""
        return ("GET", "HEAD", "OPTIONS") if self.method == "GET" else (self.method, "OPTIONS")
