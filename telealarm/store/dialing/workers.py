"""Workers: their leases, and the work that they leave."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from peewee import Database

from telealarm.clock import utcnow
from telealarm.errors import Fenced, Stale
from telealarm.models import (
    AlarmRequest,
    CalendarFeed,
    CallRequest,
    Installation,
    Message,
    WebhookDelivery,
    Worker,
)
from telealarm.models.base import ClaimableModel
from telealarm.rules import lease
from telealarm.store.dialing import concurrency
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move
from telealarm.store.feeds import feeds
from telealarm.store.messaging import result
from telealarm.store.webhooks import deliveries
from telealarm.words import AlarmStatus, CallStatus, MessageStatus, TimelineWord


def installation() -> str:
    """Return the name of this installation, a part of every channel id. It never changes."""
    database = Installation._meta.database
    name = _names.get(database)
    if name is None:
        name = _names[database] = Installation.get().name
    return name


_names: WeakKeyDictionary[Database, str] = WeakKeyDictionary()


def enter(name: str, now: datetime, lasts: timedelta) -> Holder:
    """Begin a run of the worker `name`. An earlier run that is still alive is fenced off."""
    worker, created = Worker.get_or_create(name=name, defaults={"lease_until": now + lasts})
    if not created:
        worker.fence += 1
        worker.lease_until = now + lasts
        worker.save()
    return Holder(name, worker.fence)


def renew(holder: Holder, now: datetime, lasts: timedelta) -> None:
    """Renew the lease. Raises Fenced if another process runs under this name or took it over."""
    mine = (Worker.name == holder.name) & (Worker.fence == holder.fence)
    if Worker.update(lease_until=now + lasts).where(mine).execute() != 1:
        raise Fenced(
            f"another process runs as worker {holder.name!r}; give each a worker.name of its own"
        )


def leave(holder: Holder) -> None:
    """End a run in order: others may take over its rest at once."""
    mine = (Worker.name == holder.name) & (Worker.fence == holder.fence)
    Worker.update(lease_until=lease.ENDED).where(mine).execute()


def is_alive(name: str, now: datetime) -> bool:
    """Return whether a process holds the lease of the worker `name`."""
    return bool(Worker.select().where((Worker.name == name) & (Worker.lease_until > now)).exists())


def leases(holder: Holder) -> dict[str, datetime]:
    """Return when the leases of the other workers end."""
    rows = Worker.select(Worker.name, Worker.lease_until).where(Worker.name != holder.name)
    return dict(rows.tuples().execute())


def take_over(holder: Holder, lapsed: Mapping[str, datetime]) -> list[str]:
    """Take the rows of every worker whose lease ran out, and of earlier runs of this worker.

    `lapsed`: these workers, with the leases that were seen to run out.

    Returns the names of the workers (maybe this one too) whose live calls must be adopted. Their
    channels are in the Stasis application with that name.
    """
    dead = [
        name
        for name, until in lapsed.items()
        # Fence it off, so that it cannot return unnoticed. If it has renewed, it is not dead.
        if Worker.update(fence=Worker.fence + 1)
        .where((Worker.name == name) & (Worker.lease_until == until))
        .execute()
    ]
    names = []
    for name in [holder.name, *dead]:
        if _inherit(name, holder, utcnow()):
            names.append(name)
    return names


def _inherit(name: str, holder: Holder, now: datetime) -> bool:
    """Take what worker `name` held. Return whether it has calls that may be alive."""

    def older(model: type[ClaimableModel]) -> Any:
        mine = (model.worker == holder.name) & (model.fence == holder.fence)
        return (model.worker == name) & ~mine

    for call in CallRequest.select().where(
        older(CallRequest), CallRequest.status == CallStatus.PENDING
    ):
        # Claimed, never placed: nothing was sent.
        put_back(call, "the service stopped before the call was placed")
    for message in Message.select().where(older(Message), Message.status == MessageStatus.SENDING):
        result.unknown(message, "the service stopped while it was sent", now)
    deliveries.inherit(older(WebhookDelivery))
    feeds.inherit(older(CalendarFeed))
    AlarmRequest.update(worker=holder.name, fence=holder.fence).where(
        older(AlarmRequest), AlarmRequest.status == AlarmStatus.IN_PROCESS
    ).execute()
    live = (
        CallRequest.update(worker=holder.name, fence=holder.fence)
        .where(older(CallRequest), CallRequest.ended.is_null())
        .execute()
    )
    return bool(live)


def put_back(call: CallRequest, why: str) -> None:
    """Put back a claimed call that was not sent. Its request waits again.

    Raises Stale if its worker has just placed it.
    """
    unchanged = (CallRequest.status == call.status) & (CallRequest.fence == call.fence)
    gone = CallRequest.delete().where(
        CallRequest.id == call.id, CallRequest.worker == call.worker, unchanged
    )
    if gone.execute() != 1:
        raise Stale(f"call {call.id} was placed meanwhile")
    concurrency.release([call.id])
    request = call.request
    move(request, AlarmStatus.PENDING, worker=None)
    record(call.alarm_id, TimelineWord.PUT_BACK, why, request_id=request.id)
    wake("dialing")
