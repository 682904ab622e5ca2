"""What all tables share, and the field that stores times in the same way on both databases."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar, overload

from peewee import AutoField, CharField, DateTimeField, Field, IntegerField, Model

from telealarm.clock import utcnow

# The types of the fields that peewee adds to a foreign key: `event_id` beside `event`.
Key: TypeAlias = "Field[int]"
OptionalKey: TypeAlias = "Field[int | None]"

Moment = TypeVar("Moment", datetime, datetime | None)


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
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        return value

    def python_value(self, value: Any) -> Any:
        value = super().python_value(value)  # type: ignore[no-untyped-call]
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


class BaseModel(Model):
    """The base of all tables. Each has an integer id. store.engine binds the database."""

    id: "AutoField[int]"

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
