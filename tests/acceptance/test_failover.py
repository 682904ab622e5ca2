"""A trunk that has no line free, and the one behind it."""

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import answers_and_presses, busy, congestion
from tests.lab.exchange import Exchange
from tests.lab.rest import JSON

PATIENT, ENGAGED = "610", "620"


async def test_a_congested_trunk_is_passed_over_and_a_busy_callee_is_not(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    """The first gateway dials by a trunk that says 503, the next by a name that Asterisk does not
    know, the last reaches the phone.
    """
    practice = await practices()
    rest = practice.clinic.rest

    async def gateway(name: str, **fields: str) -> JSON:
        return await rest.post("gateway/", {"name": name, **fields})

    last = await gateway("last", gateways="PJSIP/{number}@trunk")
    nowhere = await gateway("nowhere", gateways="PJSIP/{number}@nowhere", failover=last["url"])
    first = await gateway(
        "first", gateways="PJSIP/{number}@trunk", addprefix="9", failover=nowhere["url"]
    )
    await rest.patch(practice.clinic.setting, {"aleg_gateway": first["url"]})
    await plug(f"9{PATIENT}", congestion())
    await plug(PATIENT, answers_and_presses("1"))
    await plug(f"9{ENGAGED}", busy())
    await plug(ENGAGED, answers_and_presses("1"))

    appointment = await practice.clinic.appointment(PATIENT, maxretry=0)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 1, 1)
    assert len(exchange.calls_to(f"9{PATIENT}")) == len(exchange.calls_to(PATIENT)) == 1
    calls = await practice.clinic.calls(appointment)
    assert {(call["aleg_gateway"], call["disposition"]) for call in calls} == {
        (first["url"], "CONGESTION"),
        (nowhere["url"], "FAILED"),
        (last["url"], "ANSWER"),
    }
    told = [
        row["why"]
        for row in await practice.clinic.timeline(appointment)
        if row["what"] == "failover"
    ]
    assert told == [
        "gateway first is congested; at once by nowhere",
        "gateway nowhere is of no use; at once by last",
    ]

    engaged = await practice.clinic.appointment(ENGAGED, maxretry=0)
    alarm = await practice.settled(engaged)
    assert (alarm["status"], alarm["status_reason"]) == (3, "busy")
    assert exchange.calls_to(ENGAGED) == []
