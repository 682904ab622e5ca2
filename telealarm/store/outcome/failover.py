"""Failover: the next gateway of a chain, if a gateway was congested or refused a call.

The attempt continues there at once, with its own request. It uses no retry. An attempt tries each
gateway once, so a circular chain also ends.
"""

from collections.abc import Collection

from telealarm.errors import Invalid
from telealarm.models import Alarm, CalendarUserProfile, CallRequest, Gateway
from telealarm.models.gateway import ACTIVE
from telealarm.rules import outcome, phone
from telealarm.rules.dial_route import Route
from telealarm.store import numbers
from telealarm.store.alarms import eligibility
from telealarm.words import Disposition, Reason

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


def way_out(first: Gateway, tried: Collection[int], alarm: Alarm) -> Gateway | None:
    """Return the first active gateway of the chain that was not tried and takes the number.

    `first` need not take it. If all were tried (the chain was edited meanwhile), return `first`.
    """
    chain = _chain(first)
    for gateway in chain:
        # A paused gateway gets no calls from others. Its own calls wait for it.
        fits = gateway.id == first.id or (gateway.paused is None and takes(gateway, alarm))
        if gateway.status == ACTIVE and gateway.id not in tried and fits:
            return gateway
    return first if tried and first.status == ACTIVE else None


def takes(gateway: Gateway, alarm: Alarm) -> bool:
    """Return whether the gateway dials the number of the alarm."""
    return not refusal(gateway, alarm)[0]


def refusal(
    gateway: Gateway, alarm: Alarm, profile: CalendarUserProfile | None = None
) -> tuple[str, str]:
    """Return why the gateway does not dial the number of the alarm: the reason, and a sentence.

    Both are empty if it does. A number that its calendar user could reach when the alarm was
    written is refused only if the gateway would dial another one. `profile` is its calendar user's,
    if the caller has it.
    """
    number = numbers.of_alarm(alarm)
    profile = profile or eligibility.profile_of(alarm)
    route = numbers.route(gateway, profile.calendar_setting if profile else None)
    if emergency := route.emergency(number):
        return Reason.EMERGENCY_NUMBER, (
            f"{emergency} is an emergency number, which gateway {gateway.name} does not dial;"
            " `extensions` of a gateway says that it reaches your own phones only"
        )
    if why := route.unwanted(number):
        return Reason.WRONG_NUMBER, why
    if not phone.is_template(gateway.gateways):
        return Reason.WRONG_NUMBER, f"gateway {gateway.name} has no dial string"
    prefixes = profile.permissions["prefixes"] if profile else []
    if Route().permits(number, prefixes) and not route.permits(number, prefixes):
        return Reason.NUMBER_NOT_PERMITTED, (
            f"gateway {gateway.name} would dial {route.dialled(number)}, which the calendar user"
            " may not reach"
        )
    return "", ""


def next_gateway(call: CallRequest) -> outcome.Failover | None:
    """Return how the attempt of the ended `call` continues at another gateway of the chain.

    Return None if the gateway was not congested and did not refuse the call, or if the chain has
    no other gateway.
    """
    congested = call.disposition == Disposition.CONGESTION
    if not (congested or call.refused):
        return None
    tried = [*call.request.tried, call.gateway_id]
    gateway = way_out(call.gateway, tried, call.alarm)
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
