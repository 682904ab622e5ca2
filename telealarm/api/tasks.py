"""A task as data: seen or done about no row of a table, as `plan/` and `dialing/pause/` are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from telealarm.api.forms import Form
from telealarm.api.kind import Kind, Schema
from telealarm.api.visit import Visit


@dataclass(frozen=True)
class Task:
    """`run` gets what was sent by `form`, and returns the reply's body; a GET in a reader thread,
    a POST within a transaction.
    """

    # Below /rest-api/; the first word is its heading in the document.
    path: str
    method: Literal["GET", "POST"]
    run: Callable[[Visit, dict[str, Any]], dict[str, Any]]
    form: type[Form] = Form
    # What the query of a GET may hold, for the document.
    query: Mapping[str, Kind] = field(default_factory=dict)
    reply: Schema = field(default_factory=dict)
    # Else for every login.
    superusers_only: bool = True

    @property
    def methods(self) -> tuple[str, ...]:
        """As the Allow header lists them."""
        return ("GET", "HEAD", "OPTIONS") if self.method == "GET" else (self.method, "OPTIONS")
