"""Many rows at once: copies of one row, made by the database itself. Each runs in a transaction."""

from datetime import datetime, timedelta
from typing import Any

from peewee import SqliteDatabase, chunked

from telealarm.clock import utcnow
from telealarm.models import Alarm, AlarmRequest, BaseModel, CallRequest, Event, Timeline

_SQLITE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
_POSTGRESQL = "WITH n(i) AS (SELECT generate_series(1, {count}))"
# PostgreSQL's statement timeout ends an INSERT of many more.
STEP = 200_000
TIMELINE_ROWS = 8


def multiply(row: BaseModel, count: int, **changed: str) -> None:
    """Add `count` copies of the row in one statement.

    `changed` columns are SQL expressions of i, which runs from 1 to `count`.
    """
    if count <= 0:
        return
    model = type(row)
    database = model._meta.database
    numbers = _SQLITE if isinstance(database, SqliteDatabase) else _POSTGRESQL
    columns = {f'"{f.column_name}"': changed.get(f.name) for f in model._meta.sorted_fields[1:]}
    copied = ", ".join(value or name for name, value in columns.items())
    table = f'"{model._meta.table_name}"'
    database.execute_sql(
        f"{numbers.format(count=count)} INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {copied} FROM {table}, n WHERE id = {row.id}"
    )


def analyze() -> None:
    """Give the database's planner current statistics."""
    Alarm._meta.database.execute_sql("ANALYZE")


def last_id(model: type[Any]) -> int:
    """Return the highest id, 0 if there is no row."""
    row = model.select(model.id).order_by(model.id.desc()).first()
    return int(row.id) if row is not None else 0


def add_waiting(alarm_id: int, count: int, calendars: int) -> None:
    """Add `count` requests of tomorrow, and as many alarms that are not due yet.

    The requests belong to so many calendars, in turn. The alarms are copies of `alarm_id`.
    """
    if count <= 0:
        return
    alarm = Alarm.get_by_id(alarm_id)
    tomorrow = utcnow() + timedelta(days=1)
    request = AlarmRequest.create(owner=alarm.owner_id, alarm=alarm, date=tomorrow, queue=1000)
    multiply(request, count - 1, queue=f"1000 + i - (i / {calendars}) * {calendars}")
    multiply(alarm, count)
    analyze()


def add_alarms(
    alarm_id: int, count: int, due: datetime, prefix: str, *, own_events: bool = True
) -> tuple[int, int]:
    """Add `count` alarms like `alarm_id`, due at the same time; return the first and last id.

    Their numbers are `prefix` and seven digits. Each has an event of its own, or all have the event
    of `alarm_id`.
    """
    alarm = Alarm.get_by_id(alarm_id)
    events = [alarm.event_id] * count
    if own_events:
        events = _copies_of_event(alarm.event_id, count, due + timedelta(days=1))
    before = last_id(Alarm)
    rows = [
        {
            "owner": alarm.owner_id,
            "event": event_id,
            "alarm_phonenumber": f"{prefix}{n:07}",
            "offset": alarm.offset,
            "advance_notice": alarm.advance_notice,
            "due": due,
        }
        for n, event_id in enumerate(events)
    ]
    for some in chunked(rows, 500):
        Alarm.insert_many(some).execute()
    return before + 1, last_id(Alarm)


def _copies_of_event(event_id: int, count: int, start: datetime) -> list[int]:
    event = Event.get_by_id(event_id)
    before = last_id(Event)
    row = {**event.__data__, "start": start, "end": start + timedelta(minutes=30)}
    del row["id"]
    for some in chunked([row] * count, 200):
        Event.insert_many(some).execute()
    query = Event.select(Event.id).where(Event.id > before).order_by(Event.id)
    return [copy.id for copy in query]


def add_old_calls(count: int) -> None:
    """Add `count` alarms that were called long ago.

    Each has a request, a call and some timeline rows, copied from an alarm that was called.
    """
    call = (
        CallRequest.select()
        .where(CallRequest.settled.is_null(False))
        .order_by(CallRequest.id)
        .get()
    )
    alarm_id, request_id = f"{last_id(Alarm)} + i", f"{last_id(AlarmRequest)} + i"
    multiply(Alarm.get_by_id(call.alarm_id), count)
    multiply(AlarmRequest.get_by_id(call.request_id), count, alarm=alarm_id)
    multiply(
        call,
        count,
        alarm=alarm_id,
        request=request_id,
        aleg_uuid="'old-' || i",
        phone_number="'5' || i",
        dialled="'5' || i",
    )
    entry = Timeline.select().where(Timeline.alarm == call.alarm_id).order_by(Timeline.id).get()
    for _ in range(TIMELINE_ROWS):
        multiply(entry, count, alarm=alarm_id, request=request_id)
    analyze()
