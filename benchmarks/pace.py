"""A thousand alarms due in the same second: how they leave by a trunk with a cap.

Usage: python -m benchmarks.pace [--alarms N] [--cap N] [--database URL]

A real Asterisk; each INVITE is noted as it reaches the network behind the trunk. Beside it, in the
same run, a plain loop that sleeps 1/cap between its calls. Prints for both: the seconds from the
first call to the last, how much of the cap that used, and the most calls in any one-second window.
"""

import argparse
import asyncio
import bisect
from datetime import UTC, datetime, timedelta

from peewee import chunked

from benchmarks.network import Network, network
from telealarm.config import file
from telealarm.models import Alarm
from telealarm.store.engine.database import Database, connect
from tests.lab.rest import number_of
from tests.lab.waiting import until


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=1000)
    parser.add_argument("--cap", type=float, default=50)
    parser.add_argument("--database", help="like postgresql://user:password@host/name")
    given = parser.parse_args()
    async with network(given.database) as lab:
        gateway = (await lab.clinic.rest.results("gateway/"))[0]
        await lab.clinic.rest.patch(gateway["url"], {"calls_per_second": given.cap})
        due = datetime.now(UTC) + timedelta(seconds=8)
        await fill(lab, given.alarms, due)
        ours = await calls(lab, "1", given.alarms, given.cap)
        tell("telealarm", ours, given.cap)
        first = min(i.at for i in lab.exchange.invites if i.number.startswith("1"))
        print(f"the first came {(first - due).total_seconds() * 1000:.0f} ms after it was due")

        loop = asyncio.create_task(plain(lab, given.alarms, given.cap))
        tell("plain loop", await calls(lab, "2", given.alarms, given.cap), given.cap)
        await loop


def tell(name: str, moments: list[float], cap: float) -> None:
    took = moments[-1] - moments[0]
    used = (len(moments) - 1) / took / cap
    most = fullest(moments)
    print(f"{name}: {len(moments)} calls in {took:.2f} s, {used:.1%} of the cap, ", end="")
    print(f"at most {most} in a second")


def fullest(moments: list[float]) -> int:
    """The most of them in any window of one second."""
    return max(bisect.bisect_left(moments, at + 1.0) - n for n, at in enumerate(moments))


async def calls(lab: Network, prefix: str, count: int, cap: float) -> list[float]:
    def moments() -> list[float]:
        return [i.monotonic for i in lab.exchange.invites if i.number.startswith(prefix)]

    await until(lambda: len(moments()) >= count, 60 + 2 * count / cap, "all are rung")
    return sorted(moments())


async def fill(lab: Network, count: int, due: datetime) -> None:
    """The alarms, written past the API, which would take longer than until they are due."""
    first = await lab.clinic.appointment("100000", due_in=3600, maxretry=0)
    row_id = number_of(first.alarm)
    database = Database(connect(file.load(lab.serve.config)))

    def write() -> None:
        row = Alarm.get_by_id(row_id)
        rows = [
            {
                "owner": row.owner_id,
                "event": row.event_id,
                "alarm_phonenumber": f"1{n:05}",
                "offset": row.offset,
                "advance_notice": row.advance_notice,
                "due": due,
            }
            for n in range(count)
        ]
        for some in chunked(rows, 500):
            Alarm.insert_many(some).execute()

    await asyncio.to_thread(database.run, write)


async def plain(lab: Network, count: int, cap: float) -> None:
    sent = []
    for n in range(count):
        sent.append(asyncio.create_task(lab.originate(f"2{n:05}")))
        await asyncio.sleep(1 / cap)
    await asyncio.gather(*sent)


if __name__ == "__main__":
    asyncio.run(main())
