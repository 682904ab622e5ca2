"""The whole service under a clock of its own: a night of summer time, jumps, and an outage."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.acceptance.conftest import Plug, Practice, Practices
from tests.lab.behaviours import answers_and_presses, busy
from tests.lab.clinic import Appointment
from tests.lab.clock import Clock
from tests.lab.exchange import Exchange
from tests.lab.waiting import until

MADRID = ZoneInfo("Europe/Madrid")
# The evening before the clocks are put on, from 02:00 to 03:00.
SATURDAY = datetime(2031, 3, 29, 22, 0, tzinfo=MADRID)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@pytest.fixture
def clock() -> Iterator[Clock]:
    made = Clock(SATURDAY)
    yield made
    made.remove()


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


async def rung_at(practice: Practice, appointment: Appointment) -> list[datetime]:
    """When the service placed its calls, by its own clock."""
    rows = await practice.clinic.timeline(appointment)
    return [datetime.fromisoformat(row["at"]) for row in rows if row["what"] == "originate"]


async def test_a_night_of_summer_time_jumps_and_an_outage(
    practices: Practices, plug: Plug, exchange: Exchange, clock: Clock
) -> None:
    practice = await practices(
        clock=clock,
        settings={"timezone": "Europe/Madrid"},
        calendar={"timezone": "Europe/Madrid"},
    )
    for number in ("471", "472", "474", "475", "476"):
        await plug(number, answers_and_presses("1"))
    await plug("473", busy())

    def rings(number: str) -> int:
        return len(exchange.calls_to(number))

    # A wake-up call rings at 07:00 on the wall, though the night is an hour shorter; and one in
    # the hour that there is not, an hour later.
    gap = await wake_up(practice, "471", "2031-03-30T02:30:00")
    seven = await wake_up(practice, "472", "2031-03-30T07:00:00")
    clock.set(datetime(2031, 3, 30, 1, 59, 58, tzinfo=MADRID))
    clock.set(datetime(2031, 3, 30, 3, 29, 58, tzinfo=MADRID))
    await practice.told(gap, "originate", 30)
    clock.set(datetime(2031, 3, 30, 6, 59, 58, tzinfo=MADRID))
    await practice.told(seven, "originate", 30)
    for appointment, wall in ((gap, (3, 30)), (seven, (7, 0))):
        (moment,) = await rung_at(practice, appointment)
        assert (moment.astimezone(MADRID).hour, moment.astimezone(MADRID).minute) == wall

    # Put back by an hour, and by a day: nobody is rung again, and the retry is not lost.
    retried = await wake_up(practice, "473", "2031-03-30T07:00:00", maxretry=1, retry_delay=1800)
    await practice.told(retried, "retry", 30)
    for back in (timedelta(seconds=1), HOUR, DAY):
        clock.turn(-back)
    later = await wake_up(practice, "474", "2031-03-30T07:15:00")
    clock.set(datetime(2031, 3, 30, 7, 31, tzinfo=MADRID))
    for appointment in (gap, seven, retried, later):
        await practice.settled(appointment)
    assert [rings(number) for number in ("471", "472", "473", "474")] == [1, 1, 2, 1]

    # Down for a week: who still is owed a call is called, of the other it is told.
    lost = await wake_up(practice, "475", "2031-04-02T07:00:00", phonenumber_sms_failure="600999")
    owed = await wake_up(practice, "476", "2031-04-06T06:00:00")
    await practice.serve.terminate()
    clock.turn(WEEK)
    await practice.serve.start()
    assert (await practice.settled(owed))["status"] == 5
    alarm = await practice.settled(lost)
    assert (alarm["status"], alarm["status_reason"]) == (6, "late")
    await until(lambda: len(practice.sms.messages) == 1, 30, "the failure is told")
    assert [rings(number) for number in ("475", "476")] == [0, 1]
    assert clock.now.astimezone(UTC) > SATURDAY + WEEK
