"""How late one calendar's few calls leave while another calendar has ten thousand due.

Usage: python -m benchmarks.neighbour [--blast N] [--cap N] [--seconds N] [--database KIND]

A real Asterisk; each INVITE is noted as it reaches the network behind the trunk, which answers 404.
`--blast` alarms of one calendar are due at once through a trunk with a cap; one alarm of a
neighbour's calendar by the same trunk is due every two seconds meanwhile. Prints how the blast
leaves, and how late the neighbour's calls are.
"""

import argparse
import asyncio
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.lab import databases
from benchmarks.lab.meters import cpu_ms, load, most_in_a_second, percentiles
from benchmarks.lab.network import Network, network
from tests.lab.clinic import Clinic
from tests.lab.rest import number_of

BETWEEN_SECONDS = 2
# For the blast to be written before it is due.
LEAD_SECONDS = 12.0
WRITTEN_A_SECOND = 1200


@dataclass(frozen=True)
class Due:
    """A call that is to leave at a moment."""

    number: str
    at: datetime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--blast", type=int, default=10_000, help="alarms due at once")
    parser.add_argument("--cap", type=float, default=50, help="calls a second")
    parser.add_argument("--seconds", type=int, default=60, help="how long it is watched")
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, blast: int, cap: float, seconds: int, database: str) -> list[float]:
    """Return how many milliseconds late each of the neighbour's calls was."""
    async with network(database) as lab:
        await lab.service.limit(cap)
        neighbour = await move_in(lab.service.clinic)
        start = time.time() + LEAD_SECONDS + blast / WRITTEN_A_SECOND
        dues = await appointments(neighbour, start, seconds)
        due = datetime.fromtimestamp(start, UTC)
        await lab.service.fill(blast, due, prefix="2")
        print(f"blast: written {start - time.time():.1f} s before it is due", flush=True)
        before = cpu_ms(lab.service.process.pid)
        await asyncio.sleep(max(0.0, start + seconds + BETWEEN_SECONDS - time.time()))
        cpu = cpu_ms(lab.service.process.pid) - before
        show_blast(lab, blast, due)
        print(f"service {cpu:.0f} CPU-ms  load {load()}")
        return lateness(lab, dues)


async def move_in(clinic: Clinic) -> Clinic:
    """Open a second calendar with the clinic's setting, and so its trunk."""
    rest = clinic.rest
    login = {"username": "neighbour", "password": "caluser3", "email": "n@example.com"}
    user = await rest.post("calendar-user/", login)
    profile = f"calendar-user-profile/{number_of(user['url'])}/"
    await rest.patch(profile, {"calendar_setting": str(number_of(clinic.setting))})
    body = {"name": "neighbour", "max_concurrent": "0", "user": user["url"]}
    calendar = await rest.post("calendar/", body)
    neighbour = Clinic(rest)
    neighbour.setting = clinic.setting
    neighbour.calendar = calendar["url"]
    neighbour._user = user["url"]
    return neighbour


async def appointments(neighbour: Clinic, start: float, seconds: int) -> list[Due]:
    """Make the neighbour's alarms; the first is due two seconds after the blast."""
    dues = []
    for n in range(seconds // BETWEEN_SECONDS - 1):
        at = start + BETWEEN_SECONDS * (n + 1)
        number = f"3{n:07}"
        alarm = await neighbour.appointment(number, due_in=at - time.time(), maxretry=0)
        event = await neighbour.rest.get(alarm.event)
        dues.append(Due(number, datetime.fromisoformat(event["start"]) - timedelta(days=1)))
    return dues


def show_blast(lab: Network, blast: int, due: datetime) -> None:
    invites = lab.calls_to("2")
    moments = sorted(invite.monotonic for invite in invites)
    seconds = max(moments[-1] - moments[0], 0.1)
    first = 1000 * (min(invite.at for invite in invites) - due).total_seconds()
    print(
        f"blast: {len(moments)} of {blast} left, {len(moments) / seconds:.1f}/s,"
        f" at most {most_in_a_second(moments)} in a second; the first {first:.0f} ms after due"
    )


def lateness(lab: Network, dues: list[Due]) -> list[float]:
    left = {invite.number: invite.at for invite in lab.calls_to("3")}
    late = [1000 * (left[d.number] - d.at).total_seconds() for d in dues if d.number in left]
    print(f"neighbour: {len(late)} of {len(dues)} called, late by {percentiles(late, 50, 90, 99)}")
    # One that was never called is later than all.
    return late + [math.inf] * (len(dues) - len(late))


if __name__ == "__main__":
    main()
