"""Transfers: calls to agents that are placed during a survey."""

from dataclasses import dataclass
from datetime import datetime

from telealarm.models import Alarm, CallRequest, Transfer
from telealarm.models.gateway import ACTIVE
from telealarm.rules import phone
from telealarm.rules.dial_route import Route
from telealarm.rules.phone_number import PhoneNumber
from telealarm.sections.call_transfer import Response, TimelineWord
from telealarm.store import numbers
from telealarm.store.alarms import eligibility
from telealarm.store.dialing import concurrency
from telealarm.store.dialing.calls import Call, held, of
from telealarm.store.engine import regions
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.timeline import record
from telealarm.store.survey.session_progress import answer
from telealarm.words import Disposition


@dataclass(frozen=True)
class Agent:
    """A call to an agent."""

    id: int
    section: int
    gateway: int
    channel_id: str
    endpoint: str
    number: str
    taken: bool
    ended: bool


def begin(call: Call, section_id: int, number: str) -> Agent | None:
    """Write and return the call to a section's agent. It counts as a call of its gateway.

    Return None if no call may be placed. An empty `number` is the alarm's number. The gateway is
    that of the callee's call. A number that it does not accept is not dialled.
    """
    row = held(call)
    agent = _number(row.alarm, number)
    try:
        endpoint = _endpoint(row, agent, of_section=bool(number))
    except ValueError as error:
        answer(row, section_id, Response.FAILED)
        record(row.alarm_id, TimelineWord.FAILED, str(error), request_id=row.request_id)
        return None
    laps = Transfer.select().where(Transfer.call == row.id).count()
    created = Transfer.create(
        owner=row.owner_id,
        call=row,
        section=section_id,
        gateway=row.gateway_id,
        aleg_uuid=f"{row.aleg_uuid}-agent-{laps + 1}",
        phone_number=agent.written,
        endpoint=endpoint,
    )
    record(row.alarm_id, TimelineWord.CALLED, f"to {agent.written}", request_id=row.request_id)
    return _describe(created)


def latest(call: Call, section_id: int) -> Agent | None:
    """Return the last call to an agent of this section, or None."""
    mine = (Transfer.call == call.id) & (Transfer.section == section_id)
    row = Transfer.select().where(mine).order_by(Transfer.id.desc()).get_or_none()
    return _describe(row) if row else None


def answered(agent: Agent, now: datetime) -> None:
    """Save that the agent has picked up, and hears who is waiting."""
    Transfer.update(answered=now, disposition=Disposition.ANSWER).where(
        Transfer.id == agent.id
    ).execute()


def taken(call: Call, agent: Agent, now: datetime) -> None:
    """Save that the agent accepts the call. This is the section's result, however the talk ends."""
    row = of(call)
    Transfer.update(taken=now).where(Transfer.id == agent.id).execute()
    answer(row, agent.section, Response.TAKEN)
    record(row.alarm_id, TimelineWord.TAKEN, f"by {agent.number}", request_id=row.request_id)


def end(
    call: Call, agent: Agent, how: str, disposition: Disposition | None, cause: int, now: datetime
) -> None:
    """Save that the agent's channel is gone: once. `how`: the result if nobody accepted."""
    row = Transfer.get_by_id(agent.id)
    if row.ended is not None:
        return
    how_it_went = row.disposition or disposition or ""
    Transfer.update(ended=now, disposition=how_it_went, hangup_cause=cause).where(
        Transfer.id == agent.id
    ).execute()
    if row.taken is not None:
        seconds = round((now - row.taken).total_seconds())
        record(call.alarm_id, TimelineWord.ENDED, f"after {seconds} s", request_id=call.request_id)
        return
    answer(of(call), agent.section, how)
    record(call.alarm_id, TimelineWord.FAILED, f"{agent.number}: {how}", request_id=call.request_id)


def orphans(holder: Holder) -> list[Agent]:
    """Return this worker's calls to agents whose callee is gone."""
    rows = (
        Transfer.select()
        .join(CallRequest)
        .where(
            Transfer.ended.is_null(),
            CallRequest.ended.is_null(False),
            CallRequest.worker == holder.name,
        )
    )
    return [_describe(row) for row in rows]


def orphan_ended(agent: Agent, now: datetime) -> None:
    """Save that an agent's channel without a callee was hung up."""
    Transfer.update(ended=now).where(Transfer.id == agent.id, Transfer.ended.is_null()).execute()


def _number(alarm: Alarm, of_section: str) -> PhoneNumber:
    """Return the agent's number: that of the section, else the alarm's."""
    if of_section:
        return numbers.known(of_section, regions.of_event(alarm.event))
    return numbers.of_alarm(alarm, "phonenumber_transfer")


def _endpoint(row: CallRequest, number: PhoneNumber, *, of_section: bool) -> str:
    """Return the endpoint to dial. Raises ValueError with the reason if no call may be placed."""
    gateway = row.gateway
    if not number.written:
        raise ValueError("neither the section nor the alarm names a number")
    if gateway.status != ACTIVE:
        raise ValueError(f"gateway {gateway.name} is inactive")
    profile = eligibility.profile_of(row.alarm)
    route = numbers.route(gateway, profile.calendar_setting if profile else None)
    if emergency := route.emergency(number):
        raise ValueError(
            f"{emergency} is an emergency number, which gateway {gateway.name} does not dial"
        )
    if why := route.unwanted(number):
        raise ValueError(f"gateway {gateway.name} does not take {number.written}: {why}")
    prefixes = profile.permissions["prefixes"] if profile else []
    # An alarm's own number was checked when the alarm was written; a withdrawn right keeps it.
    checked = of_section or Route().permits(number, prefixes)
    if checked and not route.permits(number, prefixes):
        raise ValueError(f"the calendar user may not reach {number.written}")
    concurrency.alone()
    if gateway.maximum_call and concurrency.count().gateways[gateway.id] >= gateway.maximum_call:
        raise ValueError(f"gateway {gateway.name} has {gateway.maximum_call} calls already")
    return phone.endpoint(gateway.gateways, route.dialled(number))


def _describe(row: Transfer) -> Agent:
    return Agent(
        id=row.id,
        section=row.section_id,
        gateway=row.gateway_id,
        channel_id=row.aleg_uuid,
        endpoint=row.endpoint,
        number=row.phone_number,
        taken=row.taken is not None,
        ended=row.ended is not None,
    )
