"""From the moment an alarm is due to its INVITE on the trunk, while nothing else happens.

Usage: python -m benchmarks.due_to_invite [--alarms N] [--database sqlite|postgresql|URL]

A real Asterisk, `telealarm serve` in a process of its own, and beside it, in the same run, a plain
loop that sleeps until the same kind of moment and asks Asterisk at once. Their moments alternate,
half a second apart. Prints milliseconds. Each alarm has a text of its own, so each prompt is
rendered.
"""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta

from benchmarks.lab import databases
from benchmarks.lab.meters import percentile
from benchmarks.lab.network import Network, network
from benchmarks.lab.service import in_seconds
from tests.lab.waiting import until

LEAD_SECONDS = 3.0
# For the alarms to be written before the first of them is due.
WRITE_SECONDS_EACH = 0.15
APART_SECONDS = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alarms", type=int, default=100)
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, alarms: int, database: str) -> dict[str, list[float]]:
    """Return the milliseconds of `telealarm` and `plain loop`."""
    async with network(database) as lab:
        start = in_seconds(LEAD_SECONDS + alarms * WRITE_SECONDS_EACH)
        moments = [start + timedelta(seconds=2 * n * APART_SECONDS) for n in range(alarms)]
        dues = [await alarm(lab, f"1{n:05}", due) for n, due in enumerate(moments)]
        late: dict[str, list[float]] = {"telealarm": [], "plain loop": []}
        for n, due in enumerate(dues):
            late["telealarm"].append(await lateness(lab, f"1{n:05}", due))
            at = due + timedelta(seconds=APART_SECONDS)
            await asyncio.sleep((at - datetime.now(UTC)).total_seconds())
            await lab.originate(f"2{n:05}")
            late["plain loop"].append(await lateness(lab, f"2{n:05}", at))
    print(f"{'milliseconds':12}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}")
    for name, times in late.items():
        values = [percentile(times, percent) for percent in (50, 95, 99, 100)]
        print(f"{name:12}" + "".join(f"{ms:8.1f}" for ms in values))
    return late


async def alarm(lab: Network, number: str, due: datetime) -> datetime:
    """Make an alarm of this moment; return the moment that its row has."""
    clinic = lab.service.clinic
    due_in = (due - datetime.now(UTC)).total_seconds()
    appointment = await clinic.appointment(
        number, due_in=due_in, maxretry=0, data={"doc_name": number, "apt_date": "ten"}
    )
    event = await clinic.rest.get(appointment.event)
    return datetime.fromisoformat(event["start"]) - timedelta(days=1)


async def lateness(lab: Network, number: str, due: datetime) -> float:
    await until(lambda: lab.exchange.calls_to(number), 30, f"{number} is called")
    return (lab.exchange.calls_to(number)[0].at - due).total_seconds() * 1000


if __name__ == "__main__":
    main()
