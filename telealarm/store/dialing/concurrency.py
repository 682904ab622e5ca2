"""The live calls, and their share of the caps."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from peewee import fn

from telealarm.models import Alarm, AlarmRequest, Calendar, CallRequest, Event, Gateway, Transfer
from telealarm.store.engine import dialect
from telealarm.store.engine.prepared import Each, Prepared
from telealarm.words import AlarmStatus

# The number of the lock for claiming: any fixed number.
_LOCK = 7_135_712

_LIVE = CallRequest.ended.is_null()


@dataclass
class LiveCalls:
    """How many calls have not ended, by calendar and by gateway."""

    calendars: Counter[int] = field(default_factory=Counter)
    gateways: Counter[int] = field(default_factory=Counter)

    def full_calendars(self) -> list[int]:
        """Return the ids of the calendars that have reached their cap."""
        if not self.calendars:
            return []
        rows = Calendar.select().where(Calendar.id.in_(list(self.calendars)))
        return [row.id for row in rows if not self.calendar_has_room(row)]

    def full_gateways(self) -> list[int]:
        """Return the ids of the gateways that have reached their cap."""
        if not self.gateways:
            return []
        rows = Gateway.select().where(Gateway.id.in_(list(self.gateways)))
        return [row.id for row in rows if not self.gateway_has_room(row)]

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
    by_gateway = CallRequest.select(CallRequest.gateway, fn.COUNT(CallRequest.id)).where(_LIVE)
    by_calendar = (
        CallRequest.select(Event.calendar, fn.COUNT(CallRequest.id))
        .join(Alarm)
        .join(Event)
        .where(_LIVE)
    )
    live = LiveCalls(
        calendars=Counter(dict(by_calendar.group_by(Event.calendar).tuples().execute())),
        gateways=Counter(dict(by_gateway.group_by(CallRequest.gateway).tuples().execute())),
    )
    agents = Transfer.select(Transfer.gateway).where(Transfer.ended.is_null())
    live.gateways.update(gateway for (gateway,) in agents.tuples().execute())
    return live


def ringing(dialled: Collection[str]) -> dict[str, int]:
    """Return the live calls to these dialled numbers: their ids, locked against their end."""
    return {row.dialled: row.id for row in _RINGING.rows(dialled=list(dialled))}


def _ringing() -> Any:
    query = CallRequest.select(CallRequest.id, CallRequest.dialled).where(
        _LIVE, CallRequest.dialled.in_(Each("dialled", CallRequest.dialled))
    )
    return dialect.lock_rows(query, "FOR SHARE")


_RINGING = Prepared(CallRequest, _ringing)


def release(call_ids: Collection[int]) -> None:
    """Let requests continue that waited for the end of these calls."""
    AlarmRequest.update(waits_for=0).where(
        AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.waits_for.in_(list(call_ids))
    ).execute()


def release_all() -> None:
    """Let requests continue that wait for calls that are over. It repairs missed releases."""
    waiting = AlarmRequest.select(AlarmRequest.waits_for).where(
        AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.waits_for != 0
    )
    ids = {row.waits_for for row in waiting.distinct()}
    if ids:
        live = {row.id for row in CallRequest.select().where(CallRequest.id.in_(ids), _LIVE)}
        release(ids - live)
