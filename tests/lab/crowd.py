"""A crowd of events, written by the database itself: a million take seconds, not minutes."""

from peewee import SqliteDatabase

from telealarm.models import Event

_COLUMNS = (
    'INSERT INTO event (owner_id, title, start, "end", creator_id, created_on, calendar_id,'
    " notify_count, status, occ_count, exdate, series_edited, children_status, children_made,"
    " detached, type)"
)
_SQLITE = f"""
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {{last}})
{_COLUMNS}
SELECT {{owner}}, 'event', {{at}}, {{at}}, {{creator}}, {{at}}, {{calendar}}, 0, 1, 0, '[]',
    FALSE, 1, 0, FALSE, ''
FROM numbers
"""
_POSTGRESQL = f"""
{_COLUMNS}
SELECT {{owner}}, 'event', {{at}}, {{at}}, {{creator}}, {{at}}, {{calendar}}, 0, 1, 0, '[]',
    FALSE, 1, 0, FALSE, ''
FROM generate_series(0, {{last}}) AS n
"""


def of_events(count: int, *, owner: int, creator: int, calendar: int) -> None:
    """`count` events, one a minute from 2030 on. Within a transaction."""
    database = Event._meta.database
    if isinstance(database, SqliteDatabase):
        sql, at = _SQLITE, "strftime('%Y-%m-%d %H:%M:%S.000000', '2030-01-01', n || ' minutes')"
    else:
        sql, at = _POSTGRESQL, "timestamp '2030-01-01' + n * interval '1 minute'"
    database.execute_sql(
        sql.format(last=count - 1, owner=owner, creator=creator, calendar=calendar, at=at)
    )
    database.execute_sql("ANALYZE")
