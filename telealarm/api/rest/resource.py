"""A resource as data: its table, its form, its reply, and what may be done with it.

Nothing here knows HTTP; api/routes.py serves these, and api/document.py is written from them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import reply
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.form import Form, Reply
from telealarm.api.rest.filters import Filters, Orders
from telealarm.models import BaseModel
from telealarm.store.engine import crud

Values = dict[str, Any]


@dataclass(frozen=True)
class Action:
    """Something more that can be done with one row: `event/{id}/get_list_child/`.

    `run` works within a transaction; it gets the row and what was sent by `form` (relations are
    rows already, seen by the login), and returns the reply's body, or the file that is to be sent.
    An action with status 201 answers with a new row of the resource `makes`.
    """

    name: str
    method: Literal["GET", "POST", "PATCH"]
    run: Callable[[RequestContext, Any, Values], Any]
    form: type[Form] | None = None
    status: Literal[200, 201] = 200
    # Whose id the path names, where it is not the resource's own.
    of: type[BaseModel] | None = None
    # For the document: what the query may hold, the reply, and a body from the reference.
    query: Mapping[str, FieldType] = field(default_factory=dict)
    reply: Schema = field(default_factory=dict)
    media: str = "application/json"
    example: Mapping[str, Any] | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """As the Allow header lists them; in the reference's words, GET brings HEAD."""
        return ("GET", "HEAD", "OPTIONS") if self.method == "GET" else (self.method, "OPTIONS")


@dataclass(frozen=True)
class Answer:
    """A reply that is not made of a row's fields, and the schemas of its properties."""

    show: Callable[[RequestContext, Any], dict[str, Any]]
    properties: Mapping[str, Schema]


@dataclass(frozen=True)
class Resource:
    """One noun of the API.

    `create`, `change` and `delete` run within a transaction; where one is None, so is the method.
    In the values, also of `weigh`, relations are rows already, seen by the login, of one owner.
    """

    name: str
    model: type[BaseModel]
    # What may be written, and shown; of a resource that nobody may write, what is shown.
    form: type[Form] | None = None
    reply: type[Reply] | None = None
    # Fields that a reply begins with, if their order is not the form's.
    show_first: tuple[str, ...] = ()
    # What shows the resource if it is not its row's fields.
    answer: Answer | None = None
    filters: Filters = field(default_factory=dict)
    # What a list can be ordered by, beside the id.
    orders: Orders = field(default_factory=dict)
    create: Callable[[RequestContext, int, Values], BaseModel] | None = None
    # What takes long to check is checked in a reader thread, before `create` or `change` (of the
    # row) is queued. Only what is else right gets there. Raises Invalid.
    weigh: Callable[[RequestContext, Any | None, Values], None] | None = None
    # What only the reply to a POST shows of the row that `create` made.
    once: Callable[[Any], dict[str, Any]] = lambda made: {}
    change: Callable[[RequestContext, Any, Values], None] | None = None
    delete: Callable[[RequestContext, Any], None] | None = None
    # Some rows can be edited in parts only.
    put: bool = True
    # The field that carries a file: such a resource is written as multipart/form-data alone.
    upload: str | None = None
    # The relation whose owner a new row gets; None: it is the login's, or whose `owner` says.
    parent: str | None = None
    owner: Callable[[RequestContext, Values], int] = lambda visit, values: visit.user_id
    superusers: Literal["nothing", "writes", "everything"] = "nothing"
    # Whether the rows can be listed, and the column that the path names them by.
    listed: bool = True
    key: str = "id"
    actions: tuple[Action, ...] = ()
    # For the document: a body from the reference.
    example: Mapping[str, Any] | None = None

    @property
    def fields(self) -> type[Reply]:
        """The class that has the fields of the reply."""
        return self.reply or self.form or Reply

    @property
    def read_only(self) -> frozenset[str]:
        """Fields of the reply that are accepted when written, and left as they are."""
        return reply.read_only(self.fields)

    def show(self, context: RequestContext, row: Any) -> dict[str, Any]:
        """Return the reply that shows the row."""
        if self.answer is not None:
            return self.answer.show(context, row)
        return reply.show(context, row, self.fields, self.show_first)

    @property
    def methods(self) -> tuple[str, ...]:
        """What the list allows, as the Allow header says it."""
        post = ("POST",) if self.create else ()
        return ("GET", *post, "HEAD", "OPTIONS")

    @property
    def row_methods(self) -> tuple[str, ...]:
        """What a row allows, as the Allow header says it."""
        put = ("PUT",) if self.change and self.put else ()
        patch = ("PATCH",) if self.change else ()
        delete = ("DELETE",) if self.delete else ()
        return ("GET", *put, *patch, *delete, "HEAD", "OPTIONS")


def insert_into(
    model: type[BaseModel], *, owned: bool = True
) -> Callable[[RequestContext, int, Values], BaseModel]:
    """A `create` without rules of its own."""

    def create(visit: RequestContext, owner_id: int, values: Values) -> BaseModel:
        owner: Mapping[str, int] = {"owner": owner_id} if owned else {}
        return crud.insert(model, {**values, **owner})

    return create


def change_row(visit: RequestContext, row: BaseModel, values: Values) -> None:
    """A `change` without rules of its own."""
    crud.change(row, values)


def remove_row(visit: RequestContext, row: BaseModel) -> None:
    """A `delete` of a row that nothing refers to."""
    crud.remove(row)
