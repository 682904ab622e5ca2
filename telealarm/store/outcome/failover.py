"""Failover: the next gateway of a chain, if a gateway was congested or refused a call.

The attempt continues there at once, with its own request. It uses no retry. An attempt tries each
gateway once, so a circular chain also ends.
"""

from collections.abc import Collection

from telealarm.errors import Invalid
from telealarm.models import CallRequest, Gateway
from telealarm.models.gateway import ACTIVE
from telealarm.rules import outcome, phone
from telealarm.words import Disposition

# A longer chain is not followed to its end.
LONGEST = 10


def check(gateway_id: int, failover: Gateway | None) -> None:
    """Raise Invalid if the chain from `failover` leads back to the gateway."""
    seen: set[int] = set()
    while failover is not None and failover.id not in seen:
        if failover.id == gateway_id:
            raise Invalid(
                {"failover": ["must not lead back to this gateway, by itself or by its own"]}
            )
        seen.add(failover.id)
        failover = failover.failover


def way_out(first: Gateway, tried: Collection[int], number: str) -> Gateway | None:
    """Return the first active gateway of the chain that was not tried and takes `number`.

    `first` need not take it. If all were tried (the chain was edited meanwhile), return `first`.
    """
    chain = _chain(first)
    for gateway in chain:
        # A paused gateway gets no calls from others. Its own calls wait for it.
        fits = gateway.id == first.id or (gateway.paused is None and takes(gateway, number))
        if gateway.status == ACTIVE and gateway.id not in tried and fits:
            return gateway
    return first if tried and first.status == ACTIVE else None


def takes(gateway: Gateway, number: str) -> bool:
    """Return whether the gateway dials this number."""
    pattern, prefixes = gateway.number_pattern, gateway.allowed_prefixes
    return phone.is_allowed(number, pattern=pattern, prefixes=prefixes)


def next_gateway(call: CallRequest) -> outcome.Failover | None:
    """Return how the attempt of the ended `call` continues at another gateway of the chain.

    Return None if the gateway was not congested and did not refuse the call, or if the chain has
    no other gateway.
    """
    congested = call.disposition == Disposition.CONGESTION
    if not (congested or call.refused):
        return None
    tried = [*call.request.tried, call.gateway_id]
    gateway = way_out(call.gateway, tried, call.alarm.alarm_phonenumber)
    if gateway is None or gateway.id in tried:
        return None
    why = "congested" if congested else "of no use"
    text = f"gateway {call.gateway.name} is {why}; at once by {gateway.name}"
    return outcome.Failover(tuple(tried), text)


def _chain(first: Gateway) -> list[Gateway]:
    chain: list[Gateway] = []
    gateway: Gateway | None = first
    while gateway is not None and len(chain) < LONGEST and gateway not in chain:
        chain.append(gateway)
        gateway = gateway.failover
    return chain
