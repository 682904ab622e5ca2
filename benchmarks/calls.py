"""P1, P2: calls/s and CPU-ms a call, TeleAlarm beside a bare ARI loop, same Asterisk, same phones.

Usage: python calls.py [--calls 1000] [--rounds 3] [--database sqlite|postgresql] [--peers bare,same]
                       [--ours name=ENV1:value+ENV2:value ...] [--level info] [--out results.json]

Interleaved: each round runs every peer, then ours, one after the other. `--ours` may be given
several times to compare variants (see variant.py), for example
    --ours plain --ours uvloop=VARIANT_UVLOOP:1 --ours quiet=LOG:warning --ours old=OLD:500000
Prints a line a run, and medians at the end.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from datetime import UTC, datetime

from rig import HERE, Rig, cpu_ms, load, postgres_pid, rates, rig, threads_ms

from tests.lab.processes import Child


def told(name: str, run: dict) -> None:
    c = run["cpu"]
    print(
        f"{name:14} n={run['n']:5} ok={run['ok']:5} {run['all']:6.1f}/s (middle {run['mid']:6.1f}/s) CPU-ms/call:"
        f" service {c['service']:.2f}  asterisk {c['asterisk']:.2f}  sipp {c['sipp']:.2f}"
        f"  pg {c.get('pg', 0):.2f}  | threads {run.get('threads', '')} load {run['load']}",
        flush=True,
    )


class Meter:
    def __init__(self, lab: Rig, service: int | None) -> None:
        self.lab, self.service = lab, service

    def read(self) -> dict[str, float]:
        found = {"asterisk": cpu_ms(self.lab.asterisk.pid), "sipp": cpu_ms(self.lab.phones.pid)}
        if self.service:
            found["service"] = cpu_ms(self.service)
        if self.lab.postgres:
            found["pg"] = cpu_ms(postgres_pid(self.lab.postgres), tree=True)
        return found


async def bare(lab: Rig, calls: int, media: str, goodbye: str, shape: str, n: int) -> dict:
    meter = Meter(lab, None)
    before = meter.read()
    argv = [
        sys.executable,
        HERE / "bare_loop.py",
        "--ari",
        lab.asterisk.ari_url,
        "--user",
        lab.asterisk.ari_user,
        "--password",
        lab.asterisk.ari_password,
        "--media",
        media,
        "--goodbye",
        goodbye,
        "--calls",
        str(calls),
        "--shape",
        shape,
        "--prefix",
        str(90 + n),
        "--start",
        str(time.time() + 1),
    ]
    out = lab.phones.folder / f"bare-{n}-{shape}"
    child = Child(argv, out)
    await child.wait(130)
    said = json.loads(out.read_text().splitlines()[-1])
    await asyncio.sleep(1)
    after = meter.read()
    cpu = {k: (after[k] - before[k]) / calls for k in after}
    cpu["service"] = said["cpu_ms"] / calls
    return {
        **rates(said["began"], said["ends"]),
        "ok": said["keys"],
        "cpu": cpu,
        "load": load(),
        "events": said["events"] / calls,
        "requests": said["requests"] / calls,
        "bad": said["bad"],
    }


async def ours(lab: Rig, service, calls: int, n: int, seconds: float = 110, tag: str = "") -> dict:
    if not service.serve.running:
        await service.serve.start()
        await service.serve.ready()
    due = datetime.fromtimestamp(time.time() + 2 + calls / 250, UTC)
    first, last = await service.fill(calls, due, prefix=str(10 + n))
    await asyncio.sleep(max(0, due.timestamp() - 1.2 - time.time()))
    meter = Meter(lab, service.serve.pid)
    before, threads = meter.read(), threads_ms(service.serve.pid)
    out = await service.settled(first, last, seconds)
    await asyncio.sleep(1)
    after, now = meter.read(), threads_ms(service.serve.pid)
    await service.serve.terminate()  # nothing of it is there while the next is measured
    ends = [row[2].timestamp() for row in out["rows"] if row[2]]
    done = max(1, len(ends))
    return {
        **rates(due.timestamp(), ends),
        "ok": sum(row[5] == 1 for row in out["rows"]),
        "cpu": {k: (after[k] - before[k]) / done for k in after},
        "load": load(),
        "threads": {
            k: round((now[k] - threads.get(k, 0)) / done, 2)
            for k in now
            if now[k] - threads.get(k, 0) > done * 0.05
        },
    }


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--peers", default="bare")
    parser.add_argument("--ours", action="append")
    parser.add_argument("--cap", type=float, default=0)
    parser.add_argument("--out")
    given = parser.parse_args()
    results: dict[str, list[dict]] = {}
    async with rig(postgres=given.database == "postgresql") as lab:
        services = {}
        for one in given.ours or ["telealarm"]:
            name, _, words = one.partition("=")
            environment = dict(word.split(":", 1) for word in words.split("+") if word)
            settings = {"log": {"level": environment.pop("LOG")}} if "LOG" in environment else None
            old = int(environment.pop("OLD", 0))
            database = lab.postgres.new_database() if lab.postgres else None
            services[name] = await lab.service(
                database=database,
                environment=environment,
                settings=settings,
                cap=given.cap,
                worker=f"lab-{len(services)}",
            )
            # A call, so that prompts are rendered, and the peer has them to play.
            await ours(lab, services[name], 2, 70 + len(services), 30)
            if old:
                began = time.time()
                await services[name].grow(old)
                print(f"{name}: {old} old calls written in {time.time() - began:.0f} s", flush=True)
        wavs = sorted(lab.asterisk.prompts_dir.rglob("*.wav"), key=lambda p: p.stat().st_size)
        # The question is what was rendered for the survey: all others are below the language's own.
        spoken = min(wavs, key=lambda p: abs(p.stat().st_size - 29000))
        media = f"sound:{lab.asterisk._folder.inside(spoken.relative_to(lab.asterisk._folder.path)).removesuffix('.wav')}"
        small = wavs[0]
        goodbye = f"sound:{lab.asterisk._folder.inside(small.relative_to(lab.asterisk._folder.path)).removesuffix('.wav')}"
        print("prompts", [(p.name, p.stat().st_size) for p in wavs], media, flush=True)
        n = 0
        for _ in range(given.rounds):
            for shape in filter(None, given.peers.split(",")):
                n += 1
                run = await bare(lab, given.calls, media, goodbye, shape, n % 9)
                results.setdefault(shape, []).append(run)
                told(shape, run)
                await asyncio.sleep(1)
            for name, service in services.items():
                n += 1
                run = await ours(lab, service, given.calls, n % 60)
                results.setdefault(name, []).append(run)
                told(name, run)
                await asyncio.sleep(1)
        for name, service in services.items():
            if not service.serve.log.exists():
                continue
            bad = [
                line
                for line in service.serve.tail(100000).splitlines()
                if " ERROR " in line or "WARNING" in line
            ]
            if bad:
                print(name, "log:", len(bad), "warnings or errors, like", bad[:3])
    print("\nmedians")
    for name, runs in results.items():

        def med(f):
            return statistics.median(f(r) for r in runs)

        keys = runs[0]["cpu"]
        print(
            f"{name:14} {med(lambda r: r['all']):6.1f}/s middle {med(lambda r: r['mid']):6.1f}/s  "
            + "  ".join(f"{k} {med(lambda r, k=k: r['cpu'][k]):.2f}" for k in keys)
        )
    if given.out:
        with open(given.out, "w") as file:
            json.dump(results, file, indent=1)


asyncio.run(main())
