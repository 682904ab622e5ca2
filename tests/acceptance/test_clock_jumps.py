"""The whole service while its clock is put on and back, and after an outage of a week."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.conftest import Plug, Practice, Practices
from tests.lab.behaviours import answers_and_presses, busy
from tests.lab.clinic import Appointment
from tests.lab.exchange import Exchange
from tests.lab.shifted_clock import ShiftedClock
from tests.lab.waiting import until

pytestmark = pytest.mark.long

MADRID = ZoneInfo("Europe/Madrid")
# A Monday; in the night before, the clocks were put on.
MORNING = datetime(2031, 3, 31, 6, 59, 57, tzinfo=MADRID)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


async def wake_up(practice: Practice, number: str, at: str, **alarm: int | str) -> Appointment:
    """A wake-up call at a local time, which is of no use two hours later."""
    rest, clinic = practice.clinic.rest, practice.clinic
    until_when = (datetime.fromisoformat(at) + 2 * HOUR).isoformat()
    event = await rest.post(
        "event/",
        {"title": "Wake up", "start": at, "end": until_when, "calendar": clinic.calendar},
    )
    body = {"event": event["url"], "alarm_phonenumber": number, **alarm}
    made = await rest.post("alarm/", body)
    return Appointment(event["url"], made["url"], number)


async def rung_at(practice: Practice, appointment: Appointment) -> list[str]:
    """When the service placed its calls, by its own clock on the wall."""
    rows = await practice.clinic.timeline(appointment)
    moments = [datetime.fromisoformat(row["at"]) for row in rows if row["what"] == "originate"]
    return [f"{moment.astimezone(MADRID):%a %H:%M}" for moment in moments]


async def test_jumps_of_the_clock_and_an_outage_double_nothing_and_lose_nothing(
    practices: Practices, plug: Plug, exchange: Exchange, tmp_path: Path
) -> None:
    practice = await practices(
        settings={"timezone": "Europe/Madrid"}, calendar={"timezone": "Europe/Madrid"}
    )
    for number in ("471", "472", "474", "475"):
        await plug(number, answers_and_presses("1"))
    await plug("473", busy())
    clock = ShiftedClock(tmp_path)
    clock.turn(MORNING - 12 * HOUR)
    await practice.serve.terminate()
    practice.serve.environment = clock.environment
    await practice.serve.start()

    def rings(*numbers: str) -> list[int]:
        return [len(exchange.calls_to(number)) for number in numbers]

    # Half a day forward: at 07:00 on the wall, not before and once.
    seven = await wake_up(practice, "471", "2031-03-31T07:00:00")
    retried = await wake_up(practice, "473", "2031-03-31T07:00:00", maxretry=1, retry_delay=1800)
    assert rings("471", "473") == [0, 0]
    clock.turn(MORNING)
    await practice.told(seven, "originate", 30)
    await practice.told(retried, "retry", 30)
    assert await rung_at(practice, seven) == ["Mon 07:00"]

    # Back by a second, an hour and a day while one call is up and another is to be retried.
    for back in (timedelta(seconds=1), HOUR, DAY):
        clock.turn(MORNING - back)
    later = await wake_up(practice, "472", "2031-03-31T07:15:00")
    clock.turn(MORNING + HOUR / 2 + timedelta(minutes=1))
    for appointment in (seven, retried, later):
        await practice.settled(appointment)
    assert rings("471", "472", "473") == [1, 1, 2]

    # Down for a week: who still is owed a call is called, of the other it is told.
    lost = await wake_up(practice, "474", "2031-04-02T07:00:00", phonenumber_sms_failure="600999")
    owed = await wake_up(practice, "475", "2031-04-07T06:30:00")
    await practice.serve.terminate()
    clock.turn(MORNING + WEEK)
    await practice.serve.start()
    assert (await practice.settled(owed))["status"] == 5
    alarm = await practice.settled(lost)
    assert (alarm["status"], alarm["status_reason"]) == (6, "late")
    await until(lambda: len(practice.sms.messages) == 1, 30, "the failure is told")
    assert rings("474", "475") == [0, 1]
