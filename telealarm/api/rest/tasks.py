"""A task as data: an operation without a row of a table, like `plan/` and `dialing/pause/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.form import Form


@dataclass(frozen=True)
class Task:
    """An operation without a row.

    `run` gets the fields that were sent by `form`. It returns the body of the reply. A GET runs in
    a reader thread, a POST within a transaction.
    """

    # The path below /rest-api/. Its first word is the heading in the OpenAPI document.
    path: str
    method: Literal["GET", "POST"]
    run: Callable[[RequestContext, dict[str, Any]], dict[str, Any]]
    form: type[Form] = Form
    # The query parameters of a GET, for the OpenAPI document.
    query: Mapping[str, FieldType] = field(default_factory=dict)
    reply: Schema = field(default_factory=dict)
    # For the OpenAPI document: a body that works as it stands.
    example: Mapping[str, Any] | None = None
    # If false, every login may use it.
    superusers_only: bool = True
    # If false, a POST only reads: its body is too personal for an address.
    writes: bool = True
    # Whether the body names a person. No fast digest of it is kept, and the task itself adds to the
    # audit log what may be there.
    personal: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods, for the Allow header."""
        return ("GET", "HEAD", "OPTIONS") if self.method == "GET" else (self.method, "OPTIONS")
