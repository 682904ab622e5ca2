"""The allowed changes of state, a table for each noun. Any other change is an error."""

from collections.abc import Mapping
from enum import IntEnum

from telealarm.errors import IllegalTransition
from telealarm.words import AlarmStatus, CallStatus, DeliveryStatus, EventStatus, MessageStatus

A, C, E, M = AlarmStatus, CallStatus, EventStatus, MessageStatus
D = DeliveryStatus

EVENT: Mapping[IntEnum, frozenset[IntEnum]] = {
    E.PENDING: frozenset({E.COMPLETED, E.PAUSED}),
    E.PAUSED: frozenset({E.PENDING, E.COMPLETED}),
    # An edit moved the event into the future.
    E.COMPLETED: frozenset({E.PENDING}),
}

ALARM: Mapping[IntEnum, frozenset[IntEnum]] = {
    A.PENDING: frozenset({A.IN_PROCESS, A.MISSED, A.CANCELLED}),
    A.IN_PROCESS: frozenset({A.RETRY, A.SUCCESS, A.FAILURE, A.MISSED, A.CANCELLED, A.PENDING}),
    # Back to PENDING: its event was paused or moved before the retry.
    A.RETRY: frozenset({A.IN_PROCESS, A.SUCCESS, A.FAILURE, A.CANCELLED, A.PENDING}),
    # A user may ask for another attempt by hand. Or an answer is saved late: it counts.
    A.FAILURE: frozenset({A.IN_PROCESS, A.SUCCESS}),
    A.SUCCESS: frozenset({A.IN_PROCESS}),
    A.MISSED: frozenset({A.IN_PROCESS, A.PENDING}),
    A.CANCELLED: frozenset({A.IN_PROCESS, A.PENDING}),
}

ALARM_REQUEST: Mapping[IntEnum, frozenset[IntEnum]] = {
    A.PENDING: frozenset({A.IN_PROCESS, A.FAILURE, A.MISSED, A.CANCELLED}),
    # Back to PENDING: claimed, but not to be dialled now (nothing was sent).
    A.IN_PROCESS: frozenset({A.PENDING, A.RETRY, A.SUCCESS, A.FAILURE, A.MISSED, A.CANCELLED}),
}

CALL_REQUEST: Mapping[IntEnum, frozenset[IntEnum]] = {
    C.PENDING: frozenset({C.CALLING, C.ABORT, C.FAILURE, C.RETRY}),
    C.CALLING: frozenset({C.UNKNOWN, C.SUCCESS, C.FAILURE, C.RETRY, C.ABORT}),
    C.UNKNOWN: frozenset({C.CALLING, C.SUCCESS, C.FAILURE, C.RETRY, C.ABORT}),
}

MESSAGE: Mapping[IntEnum, frozenset[IntEnum]] = {
    # To SENT without sending: an earlier try is reported as delivered.
    M.PENDING: frozenset({M.SENDING, M.HELD, M.WITHDRAWN, M.SENT}),
    M.SENDING: frozenset({M.PENDING, M.SENT, M.FAILED, M.HELD, M.UNKNOWN}),
    M.HELD: frozenset({M.PENDING, M.SENT}),
    M.UNKNOWN: frozenset({M.SENT}),
}

DELIVERY: Mapping[IntEnum, frozenset[IntEnum]] = {
    # To FAILED without sending: its webhook was switched off.
    D.PENDING: frozenset({D.SENDING, D.FAILED}),
    D.SENDING: frozenset({D.PENDING, D.DELIVERED, D.FAILED}),
    # A user asked to deliver it again.
    D.DELIVERED: frozenset({D.PENDING}),
    D.FAILED: frozenset({D.PENDING}),
}


def check(table: Mapping[IntEnum, frozenset[IntEnum]], old: IntEnum, new: IntEnum) -> None:
    """Raise IllegalTransition unless `table` lists the change from `old` to `new`."""
    if new not in table.get(old, frozenset()):
        raise IllegalTransition(f"{type(old).__name__}: {old.name} cannot become {new.name}")
