"""What every table shares, and the fields that keep time and JSON the same on both databases."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar, overload

from peewee import AutoField, CharField, DateTimeField, Field, IntegerField, Model

from telealarm.clock import utcnow

# The types of what peewee adds by itself beside a foreign key: `event_id` beside `event`.
Key: TypeAlias = "Field[int]"
OptionalKey: TypeAlias = "Field[int | None]"

Moment = TypeVar("Moment", datetime, datetime | None)


class UtcField(DateTimeField, Generic[Moment]):
    """A moment, aware and in UTC outside, to the microsecond.

    Stored without a zone in a fixed width, so that SQLite's texts sort as the moments do.
    A naive datetime is refused: nobody could say which clock it was read from.
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
    """Every table has an integer id; the database is bound by store.database."""

    id: "AutoField[int]"

    class Meta:
        legacy_table_names = False


class ClaimableModel(BaseModel):
    """A row that one stage writes and a worker of the next one claims.

    `worker` is the name of the worker that holds it, `fence` that worker's token at the claim:
    a write that carries an older token is refused as stale.
    """

    worker = CharField(max_length=64, null=True, index=True)
    fence = IntegerField(default=0)


def created() -> UtcField[datetime]:
    """A column that holds when its row was written."""
    return UtcField(default=utcnow)
