"""From the moment an alarm is due to its INVITE on the trunk, while nothing else happens.

Usage: python -m benchmarks.due_to_invite [--alarms N] [--database sqlite|postgresql|URL]

A real Asterisk, `telealarm serve` in a process of its own, and beside it, in the same run, a plain
loop that sleeps until the same kind of moment and asks Asterisk at once. Prints milliseconds. Each
alarm has a text of its own, so each prompt is rendered.
"""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta

from benchmarks.lab import databases
from benchmarks.lab.meters import percentile
from benchmarks.lab.network import Network, network
from tests.lab.waiting import until


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alarms", type=int, default=100)
    databases.add_option(parser)
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    async with network(given.database) as lab:
        ours: list[float] = []
        plain: list[float] = []
        for n in range(given.alarms):
            ours.append(await alarm(lab, f"1{n:05}"))
            plain.append(await loop(lab, f"2{n:05}"))
    print(f"{'milliseconds':12}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}")
    for name, times in (("telealarm", ours), ("plain loop", plain)):
        values = [percentile(times, percent) for percent in (50, 95, 99, 100)]
        print(f"{name:12}" + "".join(f"{ms:8.1f}" for ms in values))


async def alarm(lab: Network, number: str) -> float:
    """Make an alarm that is due in two seconds; return how late its INVITE came."""
    clinic = lab.service.clinic
    appointment = await clinic.appointment(
        number, due_in=2.0, maxretry=0, data={"doc_name": number, "apt_date": "ten"}
    )
    event = await clinic.rest.get(appointment.event)
    due = datetime.fromisoformat(event["start"]) - timedelta(days=1)
    return await lateness(lab, number, due)


async def loop(lab: Network, number: str) -> float:
    """The same by a loop that does nothing else."""
    due = datetime.now(UTC) + timedelta(seconds=0.3)
    await asyncio.sleep(0.3)
    await lab.originate(number)
    return await lateness(lab, number, due)


async def lateness(lab: Network, number: str, due: datetime) -> float:
    await until(lambda: lab.exchange.calls_to(number), 30, f"{number} is called")
    return (lab.exchange.calls_to(number)[0].at - due).total_seconds() * 1000


if __name__ == "__main__":
    main()
