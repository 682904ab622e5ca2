"""`make demo`: a clinic's morning on a real Asterisk with real SIP phones.

Ann confirms, Bob is busy first and cancels then, Carol never answers. The morning is played
through the REST API alone, and what the API says in the end is compared with what the phones
and the SMS gateway saw for themselves.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from tests.lab import kept, speed
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour, answers_and_presses, busy_once_then_answers
from tests.lab.behaviours import never_answers as rings_for_ever
from tests.lab.clinic import Appointment, Clinic
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.rest import JSON, Rest
from tests.lab.serve import Serve
from tests.lab.sms_gateway import SmsGateway

LIMIT_SECONDS = 80.0
RESULTS = {0: "no answer", 1: "CONFIRMED", 2: "CANCELLED", 3: "RESCHEDULED"}
STATUSES = {3: "FAILURE", 5: "SUCCESS", 6: "MISSED", 7: "CANCELLED"}
STARTED = time.monotonic()


@dataclass
class Patient:
    """A patient, her phone, how the morning is meant to end, and what the phone is to see."""

    name: str
    number: str
    behaviour: Behaviour
    expected: str
    sees: list[str]
    phone: Phone | None = None
    appointment: Appointment | None = None
    told: int = 0
    row: dict[str, object] = field(default_factory=dict)


class DemoFailed(Exception):
    """What the API says is not what happened."""


def say(text: str) -> None:
    """A line with the seconds since the start."""
    print(f"[{time.monotonic() - STARTED:5.1f}] {text}", flush=True)


class Demo:
    def __init__(self) -> None:
        self.exchange = Exchange()
        self.sms = SmsGateway()
        self.login = ("clinic", secrets.token_urlsafe(9))
        self.patients = [
            Patient(
                "Ann",
                "15550101",
                answers_and_presses("1", first_key=4.0),
                "CONFIRMED",
                ["ringing", "answered", "key 1", "hung up by network"],
            ),
            Patient(
                "Bob",
                "15550102",
                busy_once_then_answers("2", first_key=4.0),
                "CANCELLED",
                ["busy", "ringing", "answered", "key 2", "hung up by network"],
            ),
            Patient(
                "Carol",
                "15550103",
                rings_for_ever(),
                "unreachable",
                ["ringing", "cancelled", "ringing", "cancelled"],
            ),
        ]
        self.serve: Serve | None = None

    async def play(self, stack: AsyncExitStack) -> str:
        """The whole morning; returns what is counted in the last line. Raises DemoFailed."""
        await self._start(stack)
        assert self.serve
        rest = await stack.enter_async_context(Rest(self.serve.url, *self.login))
        clinic = Clinic(rest)
        say("the clinic's software sets up gateways, survey, setting, user and calendar by REST")
        await clinic.open(sms_url=self.sms.url)
        for patient in self.patients:
            patient.appointment = await clinic.appointment(
                patient.number,
                due_in=2.0,
                phonenumber_sms_failure="15550199",
                require_result=True,
            )
            say(f"{patient.name:6} appointment tomorrow, reminder in 2 s: POST event/, alarm/")
        await self._watch(clinic)
        return await self._compare(clinic)

    async def _start(self, stack: AsyncExitStack) -> None:
        await self.exchange.start()
        stack.push_async_callback(self.exchange.stop)
        await self.sms.start()
        stack.push_async_callback(self.sms.stop)
        asterisk = Asterisk(self.exchange.port)
        stack.push_async_callback(asterisk.stop)
        await asterisk.start()
        say(f"Asterisk runs: ARI at {asterisk.ari_url}, SIP at 127.0.0.1:{asterisk.sip_port}")
        for patient in self.patients:
            patient.phone = Phone(patient.number, patient.behaviour, self.exchange)
            stack.push_async_callback(patient.phone.stop)
            await patient.phone.start()
            say(f"{patient.name:6} SIPp phone {patient.number} is plugged in")
        self.serve = Serve(asterisk)
        stack.push_async_callback(self.serve.stop)
        await self.serve.user_add(*self.login)
        await self.serve.start()
        say(f"TeleAlarm serves {self.serve.url}/rest-api/ on a new SQLite file")

    async def _watch(self, clinic: Clinic) -> None:
        """Print each step as the API tells it, until every alarm is settled and told."""
        started = time.monotonic()
        while time.monotonic() - started < speed.limit(LIMIT_SECONDS):
            open_ends = 0
            for patient in self.patients:
                assert patient.appointment
                settled = await clinic.settled(patient.appointment)
                rows = await clinic.timeline(patient.appointment)
                for row in rows[patient.told :]:
                    say(f"{patient.name:6} {row['what']:12} {row['why']}".rstrip())
                patient.told = len(rows)
                words = [row["what"] for row in rows]
                told = words.count("sms_queued") == words.count("sms_sent")
                open_ends += not (settled and told)
            if not open_ends:
                return
            await asyncio.sleep(0.2)
        seconds = time.monotonic() - started
        raise DemoFailed(f"not every alarm was settled within {seconds:.0f} s; {speed.account()}")

    async def _compare(self, clinic: Clinic) -> str:
        """The table, from the API alone; then held against what phones and gateway saw."""
        print(f"\n{'patient':8}{'number':10}{'calls':>6}  {'status':9}{'result':13}{'SMS':>4}")
        counts = {"calls": 0, "confirmed": 0, "cancelled": 0, "unreachable": 0, "sms": 0}
        wrong = []
        for patient in self.patients:
            assert patient.appointment and patient.phone
            alarm = await clinic.alarm(patient.appointment)
            calls = await clinic.calls(patient.appointment)
            words = [row["what"] for row in await clinic.timeline(patient.appointment)]
            status, result = STATUSES[alarm["status"]], RESULTS[alarm["result"]]
            ending = "unreachable" if status == "FAILURE" else result
            sms = words.count("sms_sent")
            print(
                f"{patient.name:8}{patient.number:10}{len(calls):>6}  {status:9}{result:13}{sms:>4}"
            )
            counts["calls"] += len(calls)
            counts["sms"] += sms
            if ending.lower() in counts:
                counts[ending.lower()] += 1
            wrong += await self._differences(patient, alarm, calls, ending)
        print("\nthe nested log, GET alarm-request/{event}/get_nested_alarm_request/:")
        for patient in self.patients:
            assert patient.appointment
            print(json.dumps(await clinic.nested(patient.appointment), indent=2))
        if counts["sms"] != len(self.sms.messages):
            wrong.append(f"the SMS gateway took {len(self.sms.messages)} messages")
        if wrong:
            raise DemoFailed("; ".join(wrong))
        return " ".join(f"{name}={count}" for name, count in counts.items())

    async def _differences(
        self, patient: Patient, alarm: JSON, calls: list[JSON], ending: str
    ) -> list[str]:
        """What the phone saw otherwise than the API says, or the morning was meant."""
        assert patient.phone
        last = patient.sees[-1]
        with suppress(AssertionError):  # the phone may still be writing its last word
            await patient.phone.until(last, 3, times=patient.sees.count(last))
        saw = await patient.phone.events()
        rings = saw.count("ringing") + saw.count("busy")
        keys = [word.removeprefix("key ") for word in saw if word.startswith("key ")]
        wrong = []
        if saw != patient.sees:
            wrong.append(f"{patient.name}'s phone saw {saw}, not {patient.sees}")
        if not patient.phone.running:
            wrong.append(f"{patient.name}'s phone is dead")
        if ending != patient.expected:
            wrong.append(f"{patient.name} is {ending}, not {patient.expected}")
        if rings != len(calls):
            wrong.append(f"{patient.name}'s phone saw {rings} calls, the API says {len(calls)}")
        if keys and str(alarm["result"]) != keys[-1]:
            wrong.append(f"{patient.name} pressed {keys}, the API says {alarm['result']}")
        if patient.expected == "CONFIRMED" and not patient.phone.heard.seconds_heard() > 1:
            wrong.append(f"{patient.name} heard nothing")
        return wrong


async def main(keep: bool) -> int:
    """Play the morning; the exit status. With `keep` all runs on until a SIGTERM."""
    demo = Demo()
    async with AsyncExitStack() as stack:
        try:
            counts = await demo.play(stack)
        except Exception as error:  # noqa: BLE001 - the last line tells it
            if demo.serve is not None:
                print(demo.serve.tail(15), file=sys.stderr)
            print(f"demo: failed {error}", flush=True)
            return 1
        if keep:
            assert demo.serve
            kept.describe(demo.serve.url, *demo.login)
        print(f"demo: ok {counts}", flush=True)
        if keep:
            kept.ready()
            stop = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await stop.wait()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running")
    parser.add_argument("--stop", action="store_true", help="end what was left running")
    options = parser.parse_args()
    kept.stop()
    if options.stop:
        raise SystemExit(0)
    if options.keep:
        kept.leave_behind()
    try:
        status = asyncio.run(main(options.keep))
        sys.stdout.flush()
        os._exit(status) if options.keep else sys.exit(status)
    except KeyboardInterrupt:
        print("demo: failed interrupted", flush=True)
        sys.exit(130)
