"""The live calls, and their share of the caps."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from peewee import SQL, fn

from telealarm.models import Alarm, AlarmRequest, Calendar, CallRequest, Event, Gateway, Transfer
from telealarm.store.engine import dialect
from telealarm.store.engine.prepared import Each, Prepared
from telealarm.words import AlarmStatus

# The number of the lock for claiming: any fixed number.
_LOCK = 7_135_712

_LIVE = CallRequest.ended.is_null()


# What a row of `live_rows` counts: the calls of a calendar or gateway, or a gateway's agents.
CALENDAR, GATEWAY, AGENTS = 1, 2, 3


@dataclass
class LiveCalls:
    """How many calls have not ended, by calendar and by gateway. `full`: at its cap then."""

    calendars: Counter[int] = field(default_factory=Counter)
    gateways: Counter[int] = field(default_factory=Counter)
    full_calendars: list[int] = field(default_factory=list)
    full_gateways: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int, int]]) -> "LiveCalls":
        """Return what the rows of `live_rows` say."""
        live = cls()
        caps: dict[int, int] = {}
        for what, row_id, count, most in rows:
            if what == CALENDAR:
                live.calendars[row_id] = count
                if most and count >= most:
                    live.full_calendars.append(row_id)
            else:
                live.gateways[row_id] += count
                caps[row_id] = most
        live.full_gateways += [
            row_id for row_id, most in caps.items() if most and live.gateways[row_id] >= most
        ]
        return live

    def calendar_has_room(self, calendar: Calendar) -> bool:
        """Return whether the calendar may have another call."""
        most = calendar.max_concurrent
        return not most or self.calendars[calendar.id] < most

    def gateway_has_room(self, gateway: Gateway) -> bool:
        """Return whether the gateway may have another call."""
        most = gateway.maximum_call
        return not most or self.gateways[gateway.id] < most


def alone() -> None:
    """Keep other workers from counting and claiming until the end of this transaction.

    Two workers that count at once would both find room under one cap.
    """
    dialect.lock(CallRequest._meta.database, _LOCK)


def count() -> LiveCalls:
    """Count the calls that have not ended."""
    return LiveCalls.of(_LIVE_ROWS.tuples())


def live_rows() -> Any:
    """Return a query for what is live: what it is, the id, how many, and how many it may have."""
    count = fn.COUNT(CallRequest.id)
    by_calendar = (
        CallRequest.select(
            SQL(str(CALENDAR)), Calendar.id, count, fn.COALESCE(Calendar.max_concurrent, 0)
        )
        .join(Alarm)
        .join(Event)
        .join(Calendar)
        .where(_LIVE)
        .group_by(Calendar.id)
    )
    most = fn.COALESCE(Gateway.maximum_call, 0)
    by_gateway = CallRequest.select(SQL(str(GATEWAY)), Gateway.id, count, most)
    agents = Transfer.select(SQL(str(AGENTS)), Gateway.id, fn.COUNT(Transfer.id), most)
    return by_calendar.union_all(
        by_gateway.join(Gateway).where(_LIVE).group_by(Gateway.id)
    ).union_all(agents.join(Gateway).where(Transfer.ended.is_null()).group_by(Gateway.id))


_LIVE_ROWS = Prepared(CallRequest, live_rows)


def ringing(dialled: Collection[str]) -> dict[str, int]:
    """Return the live calls to these dialled numbers: their ids, locked against their end."""
    return {row.dialled: row.id for row in _RINGING.rows(dialled=list(dialled))}


def _ringing() -> Any:
    query = CallRequest.select(CallRequest.id, CallRequest.dialled).where(
        _LIVE, Each("dialled", CallRequest.dialled)
    )
    return dialect.lock_rows(query, "FOR SHARE")


_RINGING = Prepared(CallRequest, _ringing)


def release(call_ids: Collection[int]) -> None:
    """Let requests continue that waited for the end of these calls."""
    _RELEASE.run(calls=list(call_ids))


_RELEASE = Prepared(
    AlarmRequest,
    lambda: AlarmRequest.update(waits_for=0).where(
        AlarmRequest.status == AlarmStatus.PENDING, Each("calls", AlarmRequest.waits_for)
    ),
)


def release_all() -> None:
    """Let requests continue that wait for calls that are over. It repairs missed releases."""
    waiting = AlarmRequest.select(AlarmRequest.waits_for).where(
        AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.waits_for != 0
    )
    ids = {row.waits_for for row in waiting.distinct()}
    if ids:
        live = {row.id for row in CallRequest.select().where(CallRequest.id.in_(ids), _LIVE)}
        release(ids - live)
