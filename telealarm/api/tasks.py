"""A task as data: what is seen or done that is about no row of a table, as `dialing/pause/`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from telealarm.api.forms import Form
from telealarm.api.kind import Schema
from telealarm.api.visit import Visit


@dataclass(frozen=True)
class Task:
    """For superusers alone. `run` works within a transaction and returns the reply's body."""

    # Below /rest-api/; the first word is its heading in the document.
    path: str
    method: Literal["GET", "POST"]
    run: Callable[[Visit, dict[str, Any]], dict[str, Any]]
    form: type[Form] = Form
    reply: Schema = field(default_factory=dict)

    @property
    def methods(self) -> tuple[str, ...]:
        """As the Allow header lists them."""
        return ("GET", "HEAD", "OPTIONS") if self.method == "GET" else (self.method, "OPTIONS")
