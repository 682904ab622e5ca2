"""Dialing is stopped, as a whole or through one gateway, and let go on. Calls that are up go on.

What comes due meanwhile waits as it is, and expires as any other. Its timeline tells once that it
is held, and once that it is released.
"""

from datetime import datetime

from peewee import Expression, ModelSelect

from telealarm.errors import Invalid
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    Event,
    Gateway,
    Installation,
)
from telealarm.store.engine import crud
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record_each
from telealarm.words import AlarmStatus, Reason, TimelineWord

# The status_reason of a waiting request that a pause holds.
REASON = Reason.DIALING_PAUSED


def since() -> datetime | None:
    """Since when nothing is dialled at all; None where that is not so."""
    return Installation.get().paused


def gateways() -> list[Gateway]:
    """The gateways that nothing is dialled through, by name."""
    return list(Gateway.select().where(Gateway.paused.is_null(False)).order_by(Gateway.name))


def waiting() -> int:
    """How many requests are held."""
    return _held().count()


def said() -> list[str]:
    """What is paused, a sentence each."""
    moment = since()
    everything = [f"dialing is paused since {moment:%Y-%m-%d %H:%M:%S}Z"] if moment else []
    return everything + [
        f"gateway {one.name} is paused since {one.paused:%Y-%m-%d %H:%M:%S}Z" for one in gateways()
    ]


def gateway_named(name: str) -> Gateway:
    """Raises Invalid where there is none of this name."""
    found = Gateway.get_or_none(Gateway.name == name)
    if found is None:
        raise Invalid({"gateway": [f"there is no gateway {name!r}"]})
    return found


def pause(gateway: Gateway | None, now: datetime) -> None:
    """Nothing more is placed, through this gateway or (None) at all."""
    row = gateway or Installation.get()
    if row.paused is None:
        crud.change(row, {"paused": now})
    wake("dialing")


def resume(gateway: Gateway | None, now: datetime) -> None:
    """The pause of this gateway, or (None) that of everything, is over: what waits goes at once."""
    crud.change(gateway or Installation.get(), {"paused": None})
    if since() is None:
        query = _held()
        for one in gateways():
            query = query.where(~_through(one))
        _mark(query, "", TimelineWord.RELEASED, "dialing goes on", now)
    wake("dialing")


def holds(gateway: Gateway) -> bool:
    """Whether nothing may be dialled through it now."""
    return gateway.paused is not None or since() is not None


def hold(now: datetime) -> list[int] | None:
    """What is due and newly held by a pause has it told.

    Returns the ids of the gateways that are paused; None where nothing is dialled at all.
    """
    due = AlarmRequest.select().where(
        AlarmRequest.status == AlarmStatus.PENDING,
        AlarmRequest.date <= now,
        AlarmRequest.status_reason != REASON,
    )
    if since() is not None:
        _mark(due, REASON, TimelineWord.HELD, "dialing is paused", now)
        return None
    paused = gateways()
    for gateway in paused:
        through = _through(gateway)
        _mark(
            due.where(through), REASON, TimelineWord.HELD, f"gateway {gateway.name} is paused", now
        )
    return [gateway.id for gateway in paused]


def _held() -> "ModelSelect[AlarmRequest]":
    return AlarmRequest.select().where(
        AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.status_reason == REASON
    )


def _through(gateway: Gateway) -> Expression:
    """The condition that a request is dialled through this gateway."""
    alarms = (
        Alarm.select(Alarm.id)
        .join(Event)
        .join(Calendar)
        .join(CalendarUserProfile, on=CalendarUserProfile.user == Calendar.user)
        .join(CalendarSetting)
        .where(CalendarSetting.aleg_gateway == gateway.id)
    )
    return AlarmRequest.alarm.in_(alarms)


def _mark(
    query: "ModelSelect[AlarmRequest]", reason: str, what: str, why: str, now: datetime
) -> None:
    found = list(query)
    for ids in crud.chunks([request.id for request in found]):
        AlarmRequest.update(status_reason=reason).where(
            AlarmRequest.id.in_(ids), AlarmRequest.status == AlarmStatus.PENDING
        ).execute()
    record_each(found, what, why, at=now)
