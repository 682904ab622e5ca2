"""Calls a second and CPU milliseconds a call: TeleAlarm beside bare ARI loops, same phones.

Usage: python -m benchmarks.calls [--calls N] [--rounds N] [--peers bare,same,dialplan] [--old N,N]

One Asterisk and one SIPp whose phones press 1. Each round runs the peers (benchmarks.bare_loop),
then TeleAlarm, one after the other, with the same number of calls due at once. `--old` adds a
TeleAlarm to each round whose database has so many old calls. CPU is that of the service, Asterisk,
SIPp and PostgreSQL. Prints a line a run, and medians at the end.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.lab import databases, rows
from benchmarks.lab.meters import Rate, cpu_ms, load, rate
from benchmarks.lab.rig import Rig, rig
from benchmarks.lab.service import Service, ServiceMeter, in_seconds
from tests.lab.processes import Child

CALL_SECONDS = 110.0


@dataclass(frozen=True)
class Run:
    """What one run gave. CPU is in milliseconds a call, by process."""

    rate: Rate
    confirmed: int
    cpu: dict[str, float]
    load: str
    threads: dict[str, float] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=1000, help="due at once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="bare,same", help="which loops; empty for none")
    parser.add_argument("--old", default="", help="also with so many old calls, like 250000")
    parser.add_argument("--cap", type=float, default=0, help="of the trunk, calls a second")
    parser.add_argument("--log-level", default="info", help="of the service")
    parser.add_argument("--out", type=Path, help="a file for all runs, as JSON")
    databases.add_option(parser)
    given = vars(parser.parse_args())
    out = given.pop("out")
    runs = asyncio.run(run(**given))
    if out:
        text = json.dumps({name: [asdict(r) for r in results] for name, results in runs.items()})
        out.write_text(text)


async def run(
    *,
    calls: int,
    rounds: int,
    peers: str,
    old: str,
    database: str,
    cap: float = 0,
    log_level: str = "info",
) -> dict[str, list[Run]]:
    """Return the runs of each round, by name: `bare`, `same`, `telealarm`, `250000 old`."""
    runs: dict[str, list[Run]] = {}

    def note(name: str, result: Run) -> None:
        runs.setdefault(name, []).append(result)
        show(name, result)

    async with rig(database) as lab:
        services = await start_services(lab, old, cap, log_level)
        media = prompts(lab)
        n = 0
        for _ in range(rounds):
            for shape in filter(None, peers.split(",")):
                n += 1
                note(shape, await run_peer(lab, calls, media, shape, n))
                await asyncio.sleep(1)
            for name, service in services.items():
                n += 1
                note(name, await run_service(lab, service, calls, n))
                await asyncio.sleep(1)
        for name, service in services.items():
            show_trouble(name, service)
    show_medians(runs)
    return runs


async def start_services(lab: Rig, counts: str, cap: float, log_level: str) -> dict[str, Service]:
    """Start TeleAlarm, and one more for each `--old`; each has made two calls, and is ended."""
    services = {}
    for old in [0, *(int(count) for count in filter(None, counts.split(",")))]:
        name = f"{old} old" if old else "telealarm"
        settings = {"log": {"level": log_level}}
        service = await lab.service(settings=settings, worker=f"lab-{len(services)}")
        await service.limit(cap)
        # Prompts are rendered, and the peer has them to play.
        await service.warm_up(prefix=str(70 + len(services)))
        await service.process.terminate()
        if old:
            began = time.monotonic()
            await service.work(rows.add_old_calls, old)
            print(f"{name}: written in {time.monotonic() - began:.0f} s", flush=True)
        services[name] = service
    return services


@dataclass(frozen=True)
class Media:
    """What the peers play: the survey's question and a goodbye, as Asterisk names them."""

    question: str
    goodbye: str


def prompts(lab: Rig) -> Media:
    """Find them among the prompts that TeleAlarm has rendered."""
    wavs = sorted(lab.asterisk.prompts_dir.rglob("*.wav"), key=lambda path: path.stat().st_size)
    # The question is what was rendered for the survey: some 29 kB of speech.
    question = min(wavs, key=lambda path: abs(path.stat().st_size - 29_000))
    print("the peers play", question.name, "and", wavs[0].name, flush=True)
    return Media(_sound(lab, question), _sound(lab, wavs[0]))


def _sound(lab: Rig, wav: Path) -> str:
    folder = lab.asterisk._folder
    return f"sound:{str(folder.inside(wav.relative_to(folder.path))).removesuffix('.wav')}"


class Meter:
    """CPU milliseconds since it was made: Asterisk, SIPp, PostgreSQL, and a service."""

    def __init__(self, lab: Rig, service_pid: int | None) -> None:
        self._lab = lab
        self._service_pid = service_pid
        self._before = self._read()

    def per_call(self, calls: int) -> dict[str, float]:
        now = self._read()
        return {name: (now[name] - self._before[name]) / calls for name in now}

    def _read(self) -> dict[str, float]:
        times = {"asterisk": cpu_ms(self._lab.asterisk.pid), "sipp": cpu_ms(self._lab.phones.pid)}
        if self._service_pid:
            times["service"] = cpu_ms(self._service_pid)
        if self._lab.databases.server:
            times["postgresql"] = self._lab.databases.cpu_ms()
        return times


async def run_peer(lab: Rig, calls: int, media: Media, shape: str, n: int) -> Run:
    """One run of a bare loop, in a process of its own."""
    asterisk = lab.asterisk
    meter = Meter(lab, None)
    argv = [sys.executable, "-m", "benchmarks.bare_loop", "--shape", shape, "--calls", str(calls)]
    argv += ["--ari", asterisk.ari_url, "--user", asterisk.ari_user]
    argv += ["--password", asterisk.ari_password]
    argv += ["--media", media.question, "--goodbye", media.goodbye]
    argv += ["--prefix", str(90 + n % 9), "--start", str(time.time() + 1)]
    output = lab.phones.folder / f"{shape}-{n}"
    child = Child(argv, output)
    if await child.wait(CALL_SECONDS + 20):
        raise RuntimeError(child.tail())
    result = json.loads(child.tail(1))
    await asyncio.sleep(1)
    cpu = {**meter.per_call(calls), "service": result["cpu_ms"] / calls}
    return Run(rate(result["began"], result["ends"]), result["keys"], cpu, load())


async def run_service(lab: Rig, service: Service, calls: int, n: int) -> Run:
    """One run of TeleAlarm; it is ended afterwards, so that it costs the next run nothing."""
    await service.process.start()
    await service.process.ready()
    due = in_seconds(2 + calls / 250)
    first, last = await service.fill(calls, due, prefix=str(10 + n % 60))
    await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1.2))
    meter, threads = Meter(lab, service.process.pid), ServiceMeter(service.process.pid)
    ended = await service.settled(first, last, CALL_SECONDS)
    await asyncio.sleep(1)
    count = max(1, len(ended))
    cpu, by_thread = meter.per_call(count), threads.threads_ms(count)
    await service.process.terminate()
    ends = [call.ended.timestamp() for call in ended if call.ended]
    confirmed = sum(call.confirmed for call in ended)
    return Run(rate(due.timestamp(), ends), confirmed, cpu, load(), by_thread)


def show(name: str, run: Run) -> None:
    cpu = "  ".join(f"{process} {ms:.2f}" for process, ms in sorted(run.cpu.items()))
    print(
        f"{name:14} {run.rate.count:5} ended, {run.confirmed:5} confirmed;"
        f" {run.rate.overall:6.1f}/s (middle {run.rate.middle:6.1f}/s); CPU-ms a call: {cpu}"
        f"  threads {run.threads}  load {run.load}",
        flush=True,
    )


def show_trouble(name: str, service: Service) -> None:
    lines = service.process.log.read_text(errors="replace").splitlines()
    bad = [line for line in lines if " ERROR " in line or "WARNING" in line]
    if bad:
        print(f"{name}: {len(bad)} warnings or errors in its log, like {bad[:3]}")


def show_medians(runs: dict[str, list[Run]]) -> None:
    print("\nmedians")
    for name, results in runs.items():
        overall = statistics.median(result.rate.overall for result in results)
        middle = statistics.median(result.rate.middle for result in results)
        cpu = {
            process: statistics.median(result.cpu[process] for result in results)
            for process in sorted(results[0].cpu)
        }
        costs = "  ".join(f"{process} {ms:.2f}" for process, ms in cpu.items())
        print(f"{name:14} {overall:6.1f}/s (middle {middle:6.1f}/s)  CPU-ms a call: {costs}")


if __name__ == "__main__":
    main()
