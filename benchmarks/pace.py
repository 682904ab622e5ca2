"""A thousand alarms that are due in the same second: how they leave by a trunk with a cap.

Usage: python -m benchmarks.pace [--alarms N] [--cap N] [--database sqlite|postgresql|URL]

A real Asterisk; each INVITE is noted as it reaches the network behind the trunk, which answers 404.
Beside it, in the same run, a plain loop that sleeps 1/cap between its calls. Prints for both: the
seconds from the first call to the last, how much of the cap that used, and the most calls in any
window of one second. For TeleAlarm also how late the first call is, how far each call is behind the
ideal moment (due + n / cap), and the CPU milliseconds of a call.
"""

import argparse
import asyncio
from datetime import UTC, datetime

from benchmarks.lab import databases
from benchmarks.lab.meters import cpu_ms, load, most_in_a_second, percentiles
from benchmarks.lab.network import Network, network
from benchmarks.lab.service import in_seconds
from tests.lab.exchange import Invite
from tests.lab.waiting import until

LEAD_SECONDS = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alarms", type=int, default=1000)
    parser.add_argument("--cap", type=float, default=50, help="calls a second")
    databases.add_option(parser)
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    async with network(given.database) as lab:
        await lab.service.limit(given.cap)
        due = in_seconds(LEAD_SECONDS + given.alarms / 500)
        await lab.service.fill(given.alarms, due, prefix="1")
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1))
        pid = lab.service.process.pid
        before = cpu_ms(pid)
        invites = await calls(lab, "1", given.alarms, given.cap)
        cpu = (cpu_ms(pid) - before) / len(invites)
        show("telealarm", invites, given.cap)
        late = [1000 * (i.at - due).total_seconds() for i in invites]
        behind = [ms - 1000 * n / given.cap for n, ms in enumerate(late)]
        print(
            f"telealarm: the first {late[0]:.0f} ms after it was due; behind the ideal:"
            f" {percentiles(behind, 50, 99)}; {cpu:.2f} CPU-ms a call  load {load()}",
            flush=True,
        )
        loop = asyncio.create_task(plain(lab, given.alarms, given.cap))
        show("plain loop", await calls(lab, "2", given.alarms, given.cap), given.cap)
        await loop


async def calls(lab: Network, prefix: str, count: int, cap: float) -> list[Invite]:
    """Return the INVITEs to numbers of eight digits with this prefix, when all have come."""

    def invites() -> list[Invite]:
        return [invite for invite in lab.calls_to(prefix) if len(invite.number) == 8]

    await until(lambda: len(invites()) >= count, 60 + 2 * count / cap, "all are called")
    return invites()


def show(name: str, invites: list[Invite], cap: float) -> None:
    moments = sorted(invite.monotonic for invite in invites)
    seconds = max(moments[-1] - moments[0], 1e-9)
    print(
        f"{name}: {len(moments)} calls in {seconds:.2f} s,"
        f" {(len(moments) - 1) / seconds / cap:.1%} of the cap,"
        f" at most {most_in_a_second(moments)} in a second",
        flush=True,
    )


async def plain(lab: Network, count: int, cap: float) -> None:
    """A loop that sleeps 1/cap between its calls."""
    sent = []
    for n in range(count):
        sent.append(asyncio.create_task(lab.originate(f"2{n:07}")))
        await asyncio.sleep(1 / cap)
    await asyncio.gather(*sent)


if __name__ == "__main__":
    main()
