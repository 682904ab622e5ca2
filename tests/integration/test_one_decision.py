"""One decision for calls, SMS and mails: what follows an attempt whose fate is unknown."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
import time_machine

from telealarm import methods
from telealarm.clock import utcnow
from telealarm.config.model import ApiConfig, Config, SmtpConfig
from telealarm.errors import TransportError
from telealarm.messaging.dispatcher import MessageDispatcher
from telealarm.methods import email, sms
from telealarm.methods.base import AlarmMethod
from telealarm.models import (
    Alarm,
    AlarmRequest,
    DncContact,
    DncList,
    Event,
    MailTemplate,
    Message,
    SmsTemplate,
)
from telealarm.store.alarms import alarms
from telealarm.store.calendars import events
from telealarm.store.dialing.admission import Admission
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.messages.compose import Composer
from telealarm.words import AlarmStatus, EventStatus
from tests.integration.stages import Stages

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
METHODS = pytest.mark.parametrize(
    "method", methods.alarm_methods().values(), ids=lambda method: method.name
)


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


class Attempts(Stages):
    """Stages whose calls, SMS and mails all end the same: it cannot be told whether they went
    out. `meanwhile` happens while the attempt is being made.
    """

    dispatcher: MessageDispatcher
    templates: dict[str, Any]

    async def connect(self) -> None:
        time_zones.configure(self.db.peewee, "UTC")
        self.composer = Composer(
            Config(
                api=ApiConfig(public_url="https://clinic.example"),
                smtp=SmtpConfig(host="mail.clinic.example", sender="noreply@clinic.example"),
            )
        )
        self.admission = Admission(self.holder, self.composer)
        self.dispatcher = MessageDispatcher(self.db, self.holder, self._send)
        self.error = TransportError("no answer", unknown=True)
        self._meanwhile: Callable[[], Awaitable[Any]] | None = None
        owner = self.calendar.owner_id

        def write() -> dict[str, Any]:
            mail = MailTemplate.create(
                owner=owner, label="m", subject="{title}", message_plaintext="Dear patient,"
            )
            by_sms = SmsTemplate.create(owner=owner, label="s", sms_text="{title}")
            return {"mail_template": mail, "sms_template": by_sms}

        self.templates = await self.write(write)

    async def _send(self, _: Message) -> Any:
        if self._meanwhile is not None:
            await self._meanwhile()
        raise self.error

    async def attempt(
        self,
        method: AlarmMethod,
        meanwhile: Callable[[], Awaitable[Any]] | None = None,
        **columns: Any,
    ) -> int:
        """Attempt an alarm of an event that lasts from now on for an hour, once."""
        alarm_id = await self.alarm(
            "600100",
            method=method.number,
            alarm_email="ann@example.com",
            **self.templates,
            **columns,
        )
        self._meanwhile = meanwhile
        await self.go()
        return alarm_id

    async def go(self) -> None:
        """Attempt what is due."""
        for call in await self.claim():
            await self.place(call)
            if self._meanwhile is not None:
                await self._meanwhile()
            await self.end(call, None, 0)
        await self.dispatcher.step()
        await self.dispatcher.settled()

    async def status(self, alarm_id: int) -> tuple[int, str]:
        alarm = await self.get(alarm_id)
        return alarm.status, alarm.status_reason

    async def failure(self, alarm_id: int) -> str:
        return dict(await self.words(alarm_id))["failure"]

    async def waiting(self) -> list[datetime]:
        """When each attempt that waits is to be made."""

        def read() -> list[datetime]:
            rows = AlarmRequest.select().where(AlarmRequest.status == AlarmStatus.PENDING)
            return [row.date for row in rows]

        return await self.db.write(read)


@pytest_asyncio.fixture
async def attempts(db: Database) -> AsyncIterator[Attempts]:
    with at(MORNING):
        stages = await Attempts.build(db)
        assert isinstance(stages, Attempts)
        await stages.connect()
        yield stages


@METHODS
async def test_a_retry_that_would_come_too_late_is_a_failure_at_once(
    attempts: Attempts, method: AlarmMethod
) -> None:
    alarm_id = await attempts.attempt(
        method, maxretry=1, retry_delay=7200, phonenumber_sms_failure="600999"
    )
    assert await attempts.status(alarm_id) == (AlarmStatus.FAILURE, "unknown")
    why = "unknown: no retry at 2026-03-02T11:00:00+00:00, late"
    assert await attempts.failure(alarm_id) == why
    assert await attempts.waiting() == []
    bad_news = Message.select().where(Message.purpose == "failure")
    assert await attempts.write(bad_news.count) == 1


@METHODS
async def test_a_retry_for_which_the_calling_hours_open_too_late_is_a_failure_at_once(
    attempts: Attempts, method: AlarmMethod
) -> None:
    alarm_id = await attempts.attempt(
        method, maxretry=1, retry_delay=600, daily_start=time(8), daily_stop=time(9, 5)
    )
    assert await attempts.status(alarm_id) == (AlarmStatus.FAILURE, "unknown")
    why = "unknown: no retry at 2026-03-02T09:10:00+00:00, calling_hours"
    assert await attempts.failure(alarm_id) == why
    assert await attempts.waiting() == []


@METHODS
async def test_a_retry_may_wait_for_the_calling_hours(
    attempts: Attempts, method: AlarmMethod
) -> None:
    hours = {"daily_start": time(8), "daily_stop": time(9, 5), "max_lateness": 2 * 86400}
    alarm_id = await attempts.attempt(method, maxretry=1, retry_delay=600, **hours)
    assert await attempts.status(alarm_id) == (AlarmStatus.RETRY, "unknown")
    assert await attempts.waiting() == [MORNING + timedelta(minutes=10)]


@METHODS
async def test_nobody_is_retried_who_is_listed_meanwhile(
    attempts: Attempts, method: AlarmMethod
) -> None:
    def opt_out() -> None:
        listed = DncList.create(owner=attempts.calendar.owner_id, name="out")
        DncContact.create(dnc=listed, phone_number="600100", email="ann@example.com")

    alarm_id = await attempts.attempt(
        method, partial(attempts.write, opt_out), maxretry=1, retry_delay=60
    )
    assert await attempts.status(alarm_id) == (AlarmStatus.FAILURE, "unknown")
    why = "unknown: no retry at 2026-03-02T09:01:00+00:00, do_not_call"
    assert await attempts.failure(alarm_id) == why


@METHODS
async def test_an_unknown_fate_is_retried_by_the_policy_for_failed(
    attempts: Attempts, method: AlarmMethod
) -> None:
    policy = {"failed": {"delay": 300, "count": 1}}
    alarm_id = await attempts.attempt(method, maxretry=0, retry_policy=policy)
    assert await attempts.status(alarm_id) == (AlarmStatus.RETRY, "unknown")
    assert await attempts.waiting() == [MORNING + timedelta(minutes=5)]
    assert ("redial", "on_unknown is redial") in await attempts.words(alarm_id)
    with at(MORNING + timedelta(minutes=5)):
        await attempts.go()
    assert await attempts.status(alarm_id) == (AlarmStatus.FAILURE, "unknown")
    assert await attempts.failure(alarm_id) == "unknown"


@METHODS
async def test_an_unknown_fate_is_not_retried_if_the_alarm_says_miss(
    attempts: Attempts, method: AlarmMethod
) -> None:
    alarm_id = await attempts.attempt(method, maxretry=3, on_unknown="miss")
    assert await attempts.status(alarm_id) == (AlarmStatus.FAILURE, "unknown")
    assert await attempts.failure(alarm_id) == "unknown"


@METHODS
async def test_what_is_called_off_while_it_is_attempted_is_not_attempted_again(
    attempts: Attempts, method: AlarmMethod
) -> None:
    def cancel() -> None:
        alarms.cancel(list(Alarm.select()), "cancelled", utcnow())

    alarm_id = await attempts.attempt(method, partial(attempts.write, cancel), maxretry=1)
    assert await attempts.status(alarm_id) == (AlarmStatus.CANCELLED, "cancelled")
    assert await attempts.waiting() == []


@METHODS
async def test_what_is_paused_while_it_is_attempted_is_pending_until_it_is_resumed(
    attempts: Attempts, method: AlarmMethod
) -> None:
    def pause() -> None:
        events.set_status(Event.get(), EventStatus.PAUSED, utcnow())

    alarm_id = await attempts.attempt(method, partial(attempts.write, pause), maxretry=1)
    assert (await attempts.status(alarm_id))[0] == AlarmStatus.PENDING
    assert await attempts.waiting() == []


@pytest.mark.parametrize("method", [sms.METHOD, email.METHOD], ids=["sms", "email"])
@pytest.mark.parametrize("permanent", [False, True])
async def test_what_is_called_off_while_a_gateway_refuses_it_is_told_to_nobody(
    attempts: Attempts, method: AlarmMethod, permanent: bool
) -> None:
    def cancel() -> None:
        alarms.cancel(list(Alarm.select()), "cancelled", utcnow())

    attempts.error = TransportError("not now", permanent=permanent)
    alarm_id = await attempts.attempt(
        method, partial(attempts.write, cancel), phonenumber_sms_failure="600999"
    )
    assert await attempts.status(alarm_id) == (AlarmStatus.CANCELLED, "cancelled")
    assert await attempts.waiting() == []
    bad_news = Message.select().where(Message.purpose == "failure")
    assert await attempts.write(bad_news.count) == 0
