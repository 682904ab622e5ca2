"""The state of trunks, as the workers report it and as dialing needs it."""

from collections.abc import Mapping
from datetime import datetime

from telealarm.models import AlarmRequest, Gateway, Trunk
from telealarm.models.trunk import DOWN, UNKNOWN, UP
from telealarm.rules import phone
from telealarm.store.engine.database import wake
from telealarm.words import AlarmStatus, Reason

# The status_reason of an attempt that waits for a trunk.
WAITS = Reason.TRUNK_DOWN


def keep(worker: str, states: Mapping[str, tuple[str, str]], now: datetime) -> None:
    """Store state and reason of all trunks of `worker`. Attempts that waited for one continue."""
    before = {row.name: row for row in Trunk.select().where(Trunk.worker == worker)}
    freed = False
    for name, (state, why) in states.items():
        row = before.pop(name, None)
        if row is None:
            Trunk.create(worker=worker, name=name, state=state, why=why[:300], since=now)
        elif row.state != state:
            freed = freed or row.state == DOWN
            _write(row, state=state, why=why[:300], since=now)
        elif row.why != why[:300]:
            _write(row, why=why[:300])
    for row in before.values():
        freed = freed or row.state == DOWN
        row.delete_instance()
    if freed:
        _release(now)


def down(worker: str) -> dict[str, str]:
    """Return why this worker's Asterisk cannot call through trunks: those that are down."""
    rows = Trunk.select().where(Trunk.worker == worker, Trunk.state == DOWN)
    return {row.name: f"trunk {row.name} is down ({row.why})" for row in rows}


def state(gateway: Gateway) -> str:
    """Return `up` if a worker has its trunk up, `down` if all have it down, else `unknown`."""
    name = phone.trunk(gateway.gateways)
    states = {row.state for row in Trunk.select().where(Trunk.name == name)}
    return next((value for value in (UP, UNKNOWN, DOWN) if value in states), UNKNOWN)


def _write(row: Trunk, **values: object) -> None:
    Trunk.update(values).where(Trunk.id == row.id).execute()


def _release(now: datetime) -> None:
    AlarmRequest.update(date=now).where(
        AlarmRequest.status == AlarmStatus.PENDING,
        AlarmRequest.status_reason == WAITS,
        AlarmRequest.date > now,
    ).execute()
    wake("dialing")
