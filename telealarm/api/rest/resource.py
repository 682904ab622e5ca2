"""A resource as data: its table, its form, its reply, and its methods.

Nothing here knows HTTP. handlers.py serves the resources. The OpenAPI document is made from them.
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
    """An extra operation on one row, like `event/{id}/get_list_child/`.

    `run` works within a transaction. It gets the row, and the fields that were sent by `form`.
    Relations are rows already, and the login sees them. `run` returns the body of the reply, or the
    file to send. If the status is 201, the answer has the `url` of a new row.
    """

    name: str
    method: Literal["GET", "POST", "PATCH"]
    run: Callable[[RequestContext, Any, Values], Any]
    form: type[Form] | None = None
    status: Literal[200, 201] = 200
    # The model of the id in the path, if it is not the resource's model.
    of: type[BaseModel] | None = None
    # Its name in the OpenAPI document, if another operation there has `name`.
    operation: str = ""
    # Whether it writes something, for the audit log. GET never does.
    writes: bool = True
    # `run` returns an order row instead. A loop carries it out while the client waits.
    ordered: bool = False
    # For the OpenAPI document: the query parameters, the reply, and a body that works as it stands.
    query: Mapping[str, FieldType] = field(default_factory=dict)
    reply: Schema = field(default_factory=dict)
    media: str = "application/json"
    example: Mapping[str, Any] | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods for the Allow header. GET includes HEAD, as in the reference."""
        return ("GET", "HEAD", "OPTIONS") if self.method == "GET" else (self.method, "OPTIONS")


@dataclass(frozen=True)
class CustomReply:
    """A reply that does not show a row's fields, and the schemas of its properties."""

    show: Callable[[RequestContext, Any], dict[str, Any]]
    properties: Mapping[str, Schema]


@dataclass(frozen=True)
class Sheet:
    """What a list for a spreadsheet has before the fields of the reply: columns, and their cells.

    `cells` gets all rows at once. A tab before a number makes it a text for the spreadsheet too.
    """

    columns: tuple[str, ...]
    cells: Callable[[RequestContext, list[Any]], list[dict[str, Any]]]


@dataclass(frozen=True)
class Resource:
    """One noun of the API.

    `create`, `change` and `delete` run within a transaction. If one of them is None, its method is
    not allowed. In the values (also of `weigh`), relations are rows already. The login sees them,
    and they have one owner.
    """

    name: str
    model: type[BaseModel]
    # `form`: the fields that a client may write, and sees. `reply`: the fields of a read-only
    # resource.
    form: type[Form] | None = None
    reply: type[Reply] | None = None
    # Fields that a reply begins with, if their order is not the form's.
    show_first: tuple[str, ...] = ()
    # The reply, if it does not show the row's fields.
    answer: CustomReply | None = None
    filters: Filters = field(default_factory=dict)
    # What `?format=csv` has more. Such a sheet begins with a byte order mark.
    sheet: Sheet | None = None
    # Whether `?search=` finds its rows: store.engine.search_index has their words and numbers.
    searched: bool = False
    # The columns that can order a list, beside the id.
    orders: Orders = field(default_factory=dict)
    create: Callable[[RequestContext, int, Values], BaseModel] | None = None
    # The slow checks. They run in a reader thread, before `create` or `change` (of the row) is
    # queued. Only requests that pass the other checks reach this point. Raises Invalid.
    weigh: Callable[[RequestContext, Any | None, Values], None] | None = None
    # Reads what `show` needs of other tables, for all rows of a page at once.
    load: Callable[[list[Any]], None] | None = None
    # The fields of a new row that only the reply to its POST shows.
    once: Callable[[Any], dict[str, Any]] = lambda created: {}
    # The schemas of those that no other reply has.
    once_shown: Mapping[str, Schema] = field(default_factory=dict)
    change: Callable[[RequestContext, Any, Values], None] | None = None
    delete: Callable[[RequestContext, Any], None] | None = None
    # Read-only columns that a client may take for its own. A PATCH that would change one is refused
    # with this sentence; other read-only fields are left as they are.
    not_by_patch: Mapping[str, str] = field(default_factory=dict)
    # Whether PUT is allowed. Some rows only allow PATCH.
    put: bool = True
    # The field that holds a file. A client writes such a resource only as multipart/form-data.
    upload: str | None = None
    # The relation that gives a new row its owner. None: `owner` decides, by default the login.
    parent: str | None = None
    owner: Callable[[RequestContext, Values], int] = lambda context, values: context.user_id
    superusers: Literal["nothing", "writes", "everything"] = "nothing"
    # The attributes of a row of which the audit log never says the value.
    secrets: tuple[str, ...] = ()
    # Whether the rows can be listed, and the column that the path holds.
    listed: bool = True
    key: str = "id"
    actions: tuple[Action, ...] = ()
    # For the OpenAPI document: a body that works as it stands, where rows of id 1 exist.
    example: Mapping[str, Any] | None = None

    @property
    def fields(self) -> type[Reply]:
        """The class with the fields of the reply."""
        return self.reply or self.form or Reply

    @property
    def read_only(self) -> frozenset[str]:
        """Read-only fields of the reply. A client may send them, but they are never changed."""
        return reply.read_only(self.fields)

    def show(self, context: RequestContext, row: Any) -> dict[str, Any]:
        """Return the reply for the row."""
        if self.answer is not None:
            return self.answer.show(context, row)
        return reply.show(context, row, self.fields, self.show_first)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of the list, for the Allow header."""
        post = ("POST",) if self.create else ()
        return ("GET", *post, "HEAD", "OPTIONS")

    @property
    def row_methods(self) -> tuple[str, ...]:
        """The methods of a row, for the Allow header."""
        put = ("PUT",) if self.change and self.put else ()
        patch = ("PATCH",) if self.change else ()
        delete = ("DELETE",) if self.delete else ()
        return ("GET", *put, *patch, *delete, "HEAD", "OPTIONS")


def insert_into(
    model: type[BaseModel], *, owned: bool = True
) -> Callable[[RequestContext, int, Values], BaseModel]:
    """Return a `create` without extra rules."""

    def create(context: RequestContext, owner_id: int, values: Values) -> BaseModel:
        owner: Mapping[str, int] = {"owner": owner_id} if owned else {}
        return crud.insert(model, {**values, **owner})

    return create


def change_row(context: RequestContext, row: BaseModel, values: Values) -> None:
    """A `change` without extra rules."""
    crud.change(row, values)


def remove_row(context: RequestContext, row: BaseModel) -> None:
    """A `delete` for a row that no other row refers to."""
    crud.remove(row)
