"""The state of trunks, between who watches them and who dials through them."""

from collections.abc import Mapping
from datetime import datetime

from telealarm.models import AlarmRequest, Gateway, Trunk
from telealarm.models.trunk import DOWN, UNKNOWN, UP
from telealarm.rules import phone
from telealarm.store.engine.database import wake
from telealarm.words import AlarmStatus, Reason

# Of an attempt that waits for a trunk.
WAITS = Reason.TRUNK_DOWN


def keep(worker: str, found: Mapping[str, tuple[str, str]], now: datetime) -> None:
    """State and reason of all trunks that `worker` watches; what waited for one goes on."""
    before = {row.name: row for row in Trunk.select().where(Trunk.worker == worker)}
    freed = False
    for name, (state, why) in found.items():
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


def why_down(gateway: Gateway, worker: str) -> str | None:
    """Why no call can go out through a gateway by this worker's Asterisk; None where it can."""
    name = phone.trunk(gateway.gateways)
    row = Trunk.get_or_none(Trunk.worker == worker, Trunk.name == name, Trunk.state == DOWN)
    return f"trunk {name} is down ({row.why})" if row else None


def state(gateway: Gateway) -> str:
    """`up` where any worker finds its trunk so, `down` where none does, else `unknown`."""
    name = phone.trunk(gateway.gateways)
    states = {row.state for row in Trunk.select().where(Trunk.name == name)}
    return next((one for one in (UP, UNKNOWN, DOWN) if one in states), UNKNOWN)


def _write(row: Trunk, **values: object) -> None:
    Trunk.update(values).where(Trunk.id == row.id).execute()


def _release(now: datetime) -> None:
    AlarmRequest.update(date=now).where(
        AlarmRequest.status == AlarmStatus.PENDING,
        AlarmRequest.status_reason == WAITS,
        AlarmRequest.date > now,
    ).execute()
    wake("dialing")
