"""Pauses of dialing, as a whole or through one gateway. Calls that are up continue.

Requests that come due meanwhile wait, and expire as usual. Their timeline says once that they are
held, and once that they are released.
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
    """Return since when all dialing is paused; None if it is not."""
    return Installation.get().paused


def gateways() -> list[Gateway]:
    """Return the paused gateways, by name."""
    return list(Gateway.select().where(Gateway.paused.is_null(False)).order_by(Gateway.name))


def waiting() -> int:
    """Return how many requests are held."""
    return _held().count()


def descriptions() -> list[str]:
    """Return a sentence for each pause."""
    moment = since()
    everything = [f"dialing is paused since {moment:%Y-%m-%d %H:%M:%S}Z"] if moment else []
    return everything + [
        f"gateway {gateway.name} is paused since {gateway.paused:%Y-%m-%d %H:%M:%S}Z"
        for gateway in gateways()
    ]


def gateway_named(name: str) -> Gateway:
    """Return the gateway with this name. Raises Invalid if there is none."""
    gateway = Gateway.get_or_none(Gateway.name == name)
    if gateway is None:
        raise Invalid({"gateway": [f"there is no gateway {name!r}"]})
    return gateway


def pause(gateway: Gateway | None, now: datetime) -> None:
    """Place no more calls through this gateway, or (None) at all."""
    row = gateway or Installation.get()
    if row.paused is None:
        crud.change(row, {"paused": now})
    wake("dialing")


def resume(gateway: Gateway | None, now: datetime) -> None:
    """End the pause of this gateway, or (None) of all dialing. Held requests continue."""
    crud.change(gateway or Installation.get(), {"paused": None})
    if since() is None:
        query = _held()
        for gateway in gateways():
            query = query.where(~_through(gateway))
        _mark(query, "", TimelineWord.RELEASED, "dialing goes on", now)
    wake("dialing")


def hold(now: datetime) -> list[int] | None:
    """Mark due requests that a pause newly holds, with a row in their timeline.

    Returns the ids of the paused gateways; None if all dialing is paused.
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
    """Return the condition that a request is dialled through this gateway."""
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
    requests = list(query)
    for ids in crud.chunks([request.id for request in requests]):
        AlarmRequest.update(status_reason=reason).where(
            AlarmRequest.id.in_(ids), AlarmRequest.status == AlarmStatus.PENDING
        ).execute()
    record_each(requests, what, why, at=now)
