"""A thousand alarms that are due in the same second: how they leave by a trunk with a cap.

Usage: python -m benchmarks.pace [--alarms N] [--rounds N] [--cap N] [--database KIND]

A real Asterisk; each INVITE is noted as it reaches the network behind the trunk, which answers 404.
Beside it, in the same run, a plain loop that sleeps 1/cap between its calls. Prints for both: the
seconds from the first call to the last, how much of the cap that used, and the most calls in any
window of one second. For TeleAlarm also how late the first call is, how far each call is behind the
ideal moment (due + n / cap), and the CPU milliseconds of a call. Rounds of both alternate.
"""

import argparse
import asyncio
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.lab import databases
from benchmarks.lab.meters import cpu_ms, load, most_in_a_second, percentiles
from benchmarks.lab.network import Network, network
from benchmarks.lab.service import in_seconds
from tests.lab.exchange import Invite
from tests.lab.waiting import until

LEAD_SECONDS = 8.0


@dataclass(frozen=True)
class Pace:
    """How a crowd left: the share of the cap that it used, and the most calls in a second."""

    share: float
    most: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alarms", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--cap", type=float, default=50, help="calls a second")
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, alarms: int, rounds: int, cap: float, database: str) -> dict[str, Pace]:
    """Return the medians of the rounds of `telealarm` and `plain loop`, but the most of `most`."""
    paces: dict[str, list[Pace]] = {"telealarm": [], "plain loop": []}
    async with network(database) as lab:
        await lab.service.limit(cap)
        for n in range(rounds):
            paces["telealarm"].append(await crowd(lab, f"{n + 1}1", alarms, cap))
            paces["plain loop"].append(await looped(lab, f"{n + 1}2", alarms, cap))
    return {name: typical(found) for name, found in paces.items()}


def typical(paces: list[Pace]) -> Pace:
    share = statistics.median(pace.share for pace in paces)
    return Pace(share, max(pace.most for pace in paces))


async def crowd(lab: Network, prefix: str, alarms: int, cap: float) -> Pace:
    """Have TeleAlarm call a crowd that is due at once."""
    due = in_seconds(LEAD_SECONDS + alarms / 500)
    await lab.service.fill(alarms, due, prefix=prefix)
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1))
    pid = lab.service.process.pid
    before = cpu_ms(pid)
    invites = await calls(lab, prefix, alarms, cap)
    cpu = (cpu_ms(pid) - before) / len(invites)
    pace = show("telealarm", invites, cap)
    late = [1000 * (i.at - due).total_seconds() for i in invites]
    behind = [ms - 1000 * n / cap for n, ms in enumerate(late)]
    print(
        f"telealarm: the first {late[0]:.0f} ms after it was due; behind the ideal:"
        f" {percentiles(behind, 50, 99)}; {cpu:.2f} CPU-ms a call  load {load()}",
        flush=True,
    )
    return pace


async def looped(lab: Network, prefix: str, alarms: int, cap: float) -> Pace:
    """Have the plain loop call as many."""
    loop = asyncio.create_task(plain(lab, prefix, alarms, cap))
    pace = show("plain loop", await calls(lab, prefix, alarms, cap), cap)
    await loop
    return pace


async def calls(lab: Network, prefix: str, count: int, cap: float) -> list[Invite]:
    """Return the INVITEs to numbers of this prefix and seven digits, when all have come."""

    def invites() -> list[Invite]:
        return [i for i in lab.calls_to(prefix) if len(i.number) == len(prefix) + 7]

    await until(lambda: len(invites()) >= count, 60 + 2 * count / cap, "all are called")
    return invites()


def show(name: str, invites: list[Invite], cap: float) -> Pace:
    moments = sorted(invite.monotonic for invite in invites)
    seconds = max(moments[-1] - moments[0], 1e-9)
    pace = Pace((len(moments) - 1) / seconds / cap, most_in_a_second(moments))
    print(
        f"{name}: {len(moments)} calls in {seconds:.2f} s, {pace.share:.1%} of the cap,"
        f" at most {pace.most} in a second",
        flush=True,
    )
    return pace


async def plain(lab: Network, prefix: str, count: int, cap: float) -> None:
    """A loop that sleeps 1/cap between its calls."""
    sent = []
    for n in range(count):
        sent.append(asyncio.create_task(lab.originate(f"{prefix}{n:07}")))
        await asyncio.sleep(1 / cap)
    await asyncio.gather(*sent)


if __name__ == "__main__":
    main()
