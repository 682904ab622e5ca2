"""What all measurements share: a real Asterisk, a crowd of SIPp phones, TeleAlarm, CPU meters.

Run every script of this folder with the Python of a TeleAlarm checkout (`make install` there, then
`tests/lab/setup.sh .venv/bin/python tests` for Asterisk, SIPp, PostgreSQL):

    TELEALARM_REPO=/path/to/checkout /path/to/checkout/.venv/bin/python calls.py --calls 1000

Every child process is started by tests.lab.processes.Child, ended by its own pid, and dies with us.
"""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPO = Path(os.environ.get("TELEALARM_REPO", "."))
sys.path.insert(0, str(REPO))

import tests.lab.asterisk as lab_asterisk  # noqa: E402
import tests.lab.serve as lab_serve  # noqa: E402
from tests.lab.asterisk import Asterisk  # noqa: E402
from tests.lab.clinic import Clinic  # noqa: E402
from tests.lab.ports import HOST, free_udp_port  # noqa: E402
from tests.lab.postgres import Postgres  # noqa: E402
from tests.lab.processes import Child  # noqa: E402
from tests.lab.rest import Rest, number_of  # noqa: E402

# A thousand calls at a time need two ports each; outside of the block that the tests draw from.
lab_asterisk.rtp_ports = lambda: (40000, 49999)

TICK = os.sysconf("SC_CLK_TCK")
LOGIN = ("benchmark", "correct horse battery")
SCRIPT = "Please press 1 to confirm."
KEY_PCAP = Path("/usr/share/sip-tester/dtmf_2833_1.pcap")

UAS = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="presses">
  <recv request="INVITE"/>
  <send><![CDATA[

      SIP/2.0 180 Ringing
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:crowd@[local_ip]:[local_port]>
      Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]-[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:crowd@[local_ip]:[local_port]>
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=phone 1 1 IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0 101
      a=rtpmap:0 PCMU/8000
      a=rtpmap:101 telephone-event/8000
      a=fmtp:101 0-16

  ]]></send>
  <recv request="ACK"/>
  <recv request="BYE" timeout="%(key_ms)d" ontimeout="press" next="over"/>
  <label id="press"/>
  <nop><action><exec play_pcap_audio="%(pcap)s"/></action></nop>
  <recv request="BYE" timeout="%(again_ms)d" ontimeout="press" next="over"/>
  <label id="over"/>
  <send><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
</scenario>
"""


class Phones:
    """One SIPp that answers every number, presses 1 after `key` seconds (again every 4 s until it
    is hung up on), and waits for BYE.
    """

    def __init__(self, key: float = 1.0, again: float = 4.0) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="perf-sipp-"))
        self.port = free_udp_port()
        self._media = free_udp_port()
        (self.folder / "uas.xml").write_text(
            UAS % {"key_ms": key * 1000, "again_ms": again * 1000, "pcap": KEY_PCAP}
        )
        self._child: Child | None = None

    def start(self) -> None:
        argv = [
            "sipp",
            "-sf",
            self.folder / "uas.xml",
            "-i",
            HOST,
            "-p",
            str(self.port),
            "-mi",
            HOST,
            "-mp",
            str(self._media),
            "-nostdin",
            "-cp",
            str(free_udp_port()),
            "-trace_err",
            "-error_file",
            self.folder / "errors",
        ]
        self._child = Child(argv, self.folder / "screen", cwd=self.folder)

    @property
    def pid(self) -> int:
        return self._child.pid

    async def stop(self) -> None:
        if self._child:
            await self._child.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def cpu_ms(*pids: int, tree: bool = False) -> float:
    """User and system milliseconds of processes and of their children that have ended."""
    total = 0.0
    for pid in pids:
        for one in [pid, *(_children(pid) if tree else [])]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
                total += sum(map(int, words[11:15])) * 1000 / TICK
    return total


def threads_ms(pid: int) -> dict[str, float]:
    """User and system milliseconds by thread name."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = (task / "stat").read_text()
            name = re.search(r"\((.*)\)", text)[1]
            words = text.rpartition(")")[2].split()
            found[name] = found.get(name, 0) + sum(map(int, words[11:13])) * 1000 / TICK
    return found


def rss_kb(pid: int) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def postgres_pid(server: Postgres) -> int:
    return server._child.pid


class Serve(lab_serve.Serve):
    """`telealarm serve` by variant.py, which reads VARIANT_* from `environment`."""

    async def start(self) -> None:
        argv = [sys.executable, HERE / "variant.py", "serve", "--config", self.config]
        environment = {
            **os.environ,
            "TELEALARM_REPO": str(REPO),
            "PYTHONPATH": str(REPO),
            **self.environment,
        }
        self._child = Child(argv, self.log, cwd=self.folder, env=environment)
        import aiohttp

        async with asyncio.timeout(90), aiohttp.ClientSession() as http:
            while not await self._healthy(http):
                if not self._child.running:
                    raise RuntimeError(f"telealarm serve ended:\n{self.tail()}")
                await asyncio.sleep(0.05)

    async def ready(self) -> None:
        """Return when /readyz is 200: Asterisk is connected."""
        import aiohttp

        async with aiohttp.ClientSession() as http:
            for _ in range(300):
                async with http.get(f"{self.url}/readyz") as reply:
                    if reply.status == 200:
                        return
                    why = await reply.text()
                await asyncio.sleep(0.1)
        raise RuntimeError(f"not ready: {why}")


@dataclass
class Rig:
    asterisk: Asterisk
    phones: Phones
    stack: contextlib.AsyncExitStack
    postgres: Postgres | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    async def service(
        self,
        *,
        database: str | None = None,
        environment: dict[str, str] | None = None,
        settings: dict[str, Any] | None = None,
        cap: float = 0,
        worker: str = "lab",
    ) -> "Ours":
        serve = Serve(self.asterisk, database=database, settings=settings, worker=worker)
        serve.environment = dict(environment or {})
        self.stack.push_async_callback(serve.stop)
        await serve.user_add(*LOGIN)
        await serve.start()
        await serve.ready()
        clinic = Clinic(await self.stack.enter_async_context(Rest(serve.url, *LOGIN)))
        await clinic.open(
            sms_url="http://127.0.0.1:9/",
            script=SCRIPT,
            setting={"call_timeout": 30},
            section={"timeout": 8},
        )
        if cap:
            gateway = (await clinic.rest.results("gateway/"))[0]
            await clinic.rest.patch(gateway["url"], {"calls_per_second": cap})
        return Ours(serve, clinic)


@dataclass
class Ours:
    serve: Serve
    clinic: Clinic
    database_: Any = None

    def database(self) -> Any:
        """Our own connection to its database, beside the service's."""
        if self.database_ is None:
            from telealarm.config import file
            from telealarm.store.engine.database import Database, connect

            config = file.load(self.serve.config)
            self.database_ = Database(connect(config))
        from telealarm import models

        self.database_.peewee.bind(models.ALL)  # of several services, this one's is asked now
        return self.database_

    async def fill(self, count: int, due: datetime, prefix: str = "1") -> tuple[int, int]:
        """`count` events with an alarm each, written past the API; first and last alarm id."""
        made = await self.clinic.appointment("100000", due_in=86400, maxretry=0)
        alarm_id, event_id = number_of(made.alarm), number_of(made.event)

        def write() -> tuple[int, int]:
            from peewee import chunked

            from telealarm.models import Alarm, Event

            event, alarm = Event.get_by_id(event_id), Alarm.get_by_id(alarm_id)
            start = due + timedelta(days=1)
            same = {
                f.name: getattr(
                    event, f.name if not hasattr(f, "object_id_name") else f.object_id_name
                )
                for f in Event._meta.sorted_fields[1:]
            }
            rows = [
                {**same, "start": start, "end": start + timedelta(minutes=30)} for _ in range(count)
            ]
            last = Event.select().order_by(Event.id.desc()).get().id
            for some in chunked(rows, 200):
                Event.insert_many(some).execute()
            events = [
                e.id for e in Event.select(Event.id).where(Event.id > last).order_by(Event.id)
            ]
            before = Alarm.select().order_by(Alarm.id.desc()).get().id
            rows = [
                {
                    "owner": alarm.owner_id,
                    "event": events[n],
                    "alarm_phonenumber": f"{prefix}{n:07}",
                    "offset": alarm.offset,
                    "advance_notice": alarm.advance_notice,
                    "due": due,
                }
                for n in range(count)
            ]
            for some in chunked(rows, 500):
                Alarm.insert_many(some).execute()
            return before + 1, Alarm.select().order_by(Alarm.id.desc()).get().id

        return await asyncio.to_thread(self.database().run, write)

    async def grow(self, old: int) -> None:
        """So many alarms that were called long ago, with request, call and eight timeline rows each,
        copied from one that was. The service must not run.
        """

        def write() -> None:
            from benchmarks.claim import multiply
            from telealarm.models import Alarm, AlarmRequest, CallRequest, Timeline

            def last(model: Any) -> int:
                return model.select().order_by(model.id.desc()).get().id

            call = (
                CallRequest.select()
                .where(CallRequest.settled.is_null(False))
                .order_by(CallRequest.id)
                .get()
            )
            alarm0, request0 = last(Alarm), last(AlarmRequest)
            multiply(Alarm.get_by_id(call.alarm_id), old)
            multiply(AlarmRequest.get_by_id(call.request_id), old, alarm=f"{alarm0} + i")
            multiply(
                call,
                old,
                alarm=f"{alarm0} + i",
                request=f"{request0} + i",
                aleg_uuid="'old-' || i",
                phone_number="'5' || i",
                dialled="'5' || i",
            )
            told = (
                Timeline.select().where(Timeline.alarm == call.alarm_id).order_by(Timeline.id).get()
            )
            for _ in range(8):
                multiply(told, old, alarm=f"{alarm0} + i", request=f"{request0} + i")
            Alarm._meta.database.execute_sql("ANALYZE")

        await asyncio.to_thread(self.database().run, write)

    async def settled(self, first: int, last: int, seconds: float) -> dict[str, Any]:
        """Wait until the calls of these alarms are settled; when they ended."""
        count = last - first + 1
        deadline = time.monotonic() + seconds

        def look() -> int:
            from telealarm.models import CallRequest

            return (
                CallRequest.select()
                .where(CallRequest.alarm.between(first, last), CallRequest.settled.is_null(False))
                .count()
            )

        while (done := await asyncio.to_thread(self.database().look, look)) < count:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)

        def ends() -> list[Any]:
            from telealarm.models import Alarm, CallRequest

            return list(
                CallRequest.select(
                    CallRequest.call_time,
                    CallRequest.started,
                    CallRequest.ended,
                    CallRequest.settled,
                    CallRequest.disposition,
                    Alarm.result,
                )
                .join(Alarm)
                .where(CallRequest.alarm.between(first, last))
                .tuples()
            )

        rows = await asyncio.to_thread(self.database().look, ends)
        return {"done": done, "rows": rows}


@contextlib.asynccontextmanager
async def rig(key: float = 1.0, postgres: bool = False):
    async with contextlib.AsyncExitStack() as stack:
        phones = Phones(key=key)
        phones.start()
        stack.push_async_callback(phones.stop)
        asterisk = Asterisk(phones.port)
        asterisk.configure("logger.conf", lambda _: "[general]\n[logfiles]\nconsole = error\n")
        # SIPp's scenario answers INVITE alone: the trunk is not asked whether it lives.
        asterisk.configure(
            "pjsip.conf",
            lambda text: text.replace("qualify_frequency = 30", "qualify_frequency = 0"),
        )
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        server = None
        if postgres:
            server = DurablePostgres()
            await asyncio.to_thread(server.start)
            stack.push_async_callback(asyncio.to_thread, server.stop)
        yield Rig(asterisk, phones, stack, server)


class DurablePostgres(Postgres):
    """The lab's server, but with fsync and autovacuum as a default installation has them."""

    def start(self) -> None:
        import tests.lab.postgres as module

        real = module.Child

        def child(argv, *args, **kwargs):
            weak = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
            kept, skip = [], False
            for n, word in enumerate(argv):
                if word == "-c" and n + 1 < len(argv) and argv[n + 1] in weak:
                    skip = True
                    continue
                if skip:
                    skip = False
                    continue
                kept.append(word)
            return real(kept, *args, **kwargs)

        module.Child = child
        try:
            super().start()
        finally:
            module.Child = real

    def stop(self) -> None:
        import signal

        if self._child is not None:
            self._child.signal(signal.SIGINT)
            self._child._process.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)


def rates(start: float, ends: list[float]) -> dict[str, float]:
    """Calls/s over all, and of the middle 80 %."""
    ends = sorted(ends)
    n = len(ends)
    lo, hi = ends[n // 10], ends[n * 9 // 10]
    return {
        "n": n,
        "all": n / (ends[-1] - start),
        "mid": (n * 9 // 10 - n // 10) / max(hi - lo, 1e-9),
        "took": ends[-1] - start,
    }


def load() -> str:
    return Path("/proc/loadavg").read_text().split()[0]
