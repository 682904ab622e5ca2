"""What all tables share, and the field that stores times in the same way on both databases."""

from datetime import UTC, datetime
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    overload,
)

from peewee import (
    OP,
    AutoField,
    CharField,
    Database,
    DateTimeField,
    Expression,
    Field,
    IntegerField,
    Model,
)

from telealarm.clock import utcnow
from telealarm.models.row_reader import RowReader

# The types of the fields that peewee adds to a foreign key: `event_id` beside `event`.
Key: TypeAlias = "Field[int]"
OptionalKey: TypeAlias = "Field[int | None]"

Moment = TypeVar("Moment", datetime, datetime | None)


# How long a moment is as a text: `2026-03-29 01:30:00.123456`.
_WIDTH = 26


class UtcField(DateTimeField, Generic[Moment]):
    """A moment in UTC, to the microsecond. Its values are aware datetimes.

    It is stored without a zone and with a fixed width, so that SQLite's texts sort by time. A naive
    datetime is refused, because its time zone is not known.
    """

    if TYPE_CHECKING:
        # As in peewee's own annotations: a row's value may be None if the column may be null.
        @overload
        def __new__(cls, *, null: Literal[True], **options: Any) -> "UtcField[datetime | None]": ...
        @overload
        def __new__(cls, *, null: Literal[False] = ..., **options: Any) -> "UtcField[datetime]": ...
        def __new__(cls, **options: Any) -> Any: ...

        @overload
        def __get__(self, instance: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> Moment: ...
        def __get__(self, instance: object, owner: Any) -> Any: ...

        def __set__(self, instance: object, value: Moment) -> None: ...

    def db_value(self, value: Any) -> Any:
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError("a moment needs a time zone")
            moment = value if value.tzinfo is UTC else value.astimezone(UTC)
            return moment.replace(tzinfo=None).isoformat(" ", "microseconds")
        return value

    def python_value(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) == _WIDTH:
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        value = super().python_value(value)  # type: ignore[no-untyped-call]
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


# The texts of the queries for a row by its id, and what reads the row.
_BY_KEY: dict[tuple[type[Model], type[Database]], tuple[RowReader[Any], str]] = {}


def _key(model: type[Model], condition: Any) -> int | None:
    """Return the id that the condition asks for, if it asks for an id and nothing else."""
    if isinstance(condition, Expression):
        asked = condition.lhs is model._meta.primary_key and condition.op == OP.EQ
        return condition.rhs if asked and type(condition.rhs) is int else None
    return condition if type(condition) is int else None


def _by_key(model: type[Model], key: int) -> Any:
    """Return the row with this id, or None."""
    database = model._meta.database
    kind = model, type(database)
    if kind not in _BY_KEY:
        select = model.select().where(model._meta.primary_key == key)
        text, _ = database.get_sql_context().sql(select).query()
        _BY_KEY[kind] = RowReader(model), text
    reader, text = _BY_KEY[kind]
    found = database.execute_sql(text, [key]).fetchall()
    return reader.row(found[0]) if found else None


class BaseModel(Model):
    """The base of all tables. Each has an integer id. store.engine binds the database."""

    id: "AutoField[int]"

    @classmethod
    def get(cls, *query: Any, **filters: Any) -> Self:
        """Return the row that fits. Raises DoesNotExist.

        The text for a row by its id, which is asked for most, is compiled once: to build it takes
        longer than to run it.
        """
        key = _key(cls, query[0]) if len(query) == 1 and not filters else None
        row = None if key is None else _by_key(cls, key)
        if row is not None:
            return cast(Self, row)
        return super().get(*query, **filters)

    class Meta:
        legacy_table_names = False


class ClaimableModel(BaseModel):
    """A row that one stage writes, and that a worker of the next stage claims.

    `worker` is the name of the worker that holds it. `fence` is the worker's token at the claim. A
    write with an older token is refused as stale.
    """

    worker = CharField(max_length=64, null=True, index=True)
    fence = IntegerField(default=0)


def created() -> UtcField[datetime]:
    """Return a column that holds the time when its row was written."""
    return UtcField(default=utcnow)
