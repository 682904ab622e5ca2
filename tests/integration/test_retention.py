"""What has reached its age is deleted, in small batches, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import time_machine
from pydantic import ValidationError

from telealarm import metrics
from telealarm.clock import utcnow
from telealarm.config.model import Config, RecordingsConfig, RetentionConfig
from telealarm.models import (
    Alarm,
    AlarmRequest,
    AuditEntry,
    BaseModel,
    Calendar,
    CalendarUser,
    CallRequest,
    EarlyReport,
    Event,
    IdempotencyKey,
    ImportChange,
    ImportRun,
    InboundSms,
    Message,
    SmsGateway,
    SurveyResult,
    Timeline,
    Transfer,
    WebhookDelivery,
)
from telealarm.retention.sweeper import RetentionSweeper
from telealarm.store.calendars import events
from telealarm.store.engine import dialect
from telealarm.store.engine.database import Database
from telealarm.store.retention import kinds, sweep
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.words import AlarmStatus, CallStatus, DeliveryStatus, MessageStatus
from tests.integration.stages import Stages

MORNING = datetime(2030, 6, 3, 8, tzinfo=UTC)
DAY = timedelta(days=1)
# The days of each kind differ, so that each setting is seen to act on its own rows.
AGES = RetentionConfig(
    calls_days=10,
    results_days=9,
    messages_days=8,
    timelines_days=7,
    inbound_sms_days=6,
    imports_days=5,
    idempotency_hours=1,
    audit_days=12,
    deleted_days=20,
)


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    with at(MORNING):
        yield await Stages.build(db)


class Log:
    """A call and messages of an alarm, all of them as old as the alarm."""

    def __init__(self, stages: Stages, folder: Path) -> None:
        self.stages = stages
        self.recordings = VoiceMessages(folder)

    async def write(self) -> int:
        """Write a log of now. Return the alarm."""
        alarm_id = await self.stages.alarm(str(await self.stages.write(Alarm.select().count)))
        (call,) = await self.stages.claim()
        await self.stages.write(self._rows, alarm_id, call.id)
        return alarm_id

    def _rows(self, alarm_id: int, call_id: int) -> None:
        now, alarm, call = utcnow(), Alarm.get_by_id(alarm_id), CallRequest.get_by_id(call_id)
        ended = {"status": CallStatus.SUCCESS, "settled": now, "ended": now}
        CallRequest.update(ended).where(CallRequest.id == call_id).execute()
        AlarmRequest.update(status=AlarmStatus.SUCCESS).where(
            AlarmRequest.id == call.request_id
        ).execute()
        done = {"status": AlarmStatus.SUCCESS, "result": 1}
        Alarm.update(done).where(Alarm.id == alarm_id).execute()
        section, file = self.stages.section, self.recordings.keep(b"message")
        answer = {"call": call, "section": section, "created_date": now}
        SurveyResult.create(**answer, response="recorded", record_file=file)
        Transfer.create(
            owner=alarm.owner_id,
            call=call,
            section=section,
            gateway=call.gateway_id,
            aleg_uuid=f"agent-{call.id}",
            phone_number="2",
            endpoint="PJSIP/2",
            started=now,
        )
        gateway = SmsGateway.select().first() or SmsGateway.create(name="sms")
        message = {"owner": alarm.owner_id, "alarm": alarm, "recipient": "1", "text": "t"}
        Message.create(**message, status=MessageStatus.SENT, date=now, created_date=now)
        key = {"gateway": gateway, "external_id": f"{alarm_id}", "received": now}
        InboundSms.create(**key, sender="1", text="1", alarm=alarm)
        EarlyReport.create(**key, delivery="delivered", said="")
        run = ImportRun.create(file="f", source="s", created_date=now)
        ImportChange.create(run=run, event=alarm.event_id, after={})
        AuditEntry.create(
            at=now, who="w", road="token", resource="alarm", action="change", owner=alarm.owner_id
        )
        IdempotencyKey.create(
            owner=alarm.owner_id,
            path="/",
            key=f"{alarm_id}",
            digest="",
            status=201,
            headers={},
            body="{}",
            created=now,
        )
        WebhookDelivery.create(
            owner=alarm.owner_id,
            alarm=alarm,
            message_id=f"m{alarm_id}",
            type="alarm.result",
            target_url="",
            endpoint="",
            lane="",
            payload="{}",
            status=DeliveryStatus.DELIVERED,
            date=now,
            created_date=now,
        )


@pytest.fixture
def log(stages: Stages, tmp_path: Path) -> Log:
    return Log(stages, tmp_path / "recordings")


def sweeper(log: Log, ages: RetentionConfig = AGES, recordings_days: int = 3) -> RetentionSweeper:
    recordings = RecordingsConfig(keep_days=recordings_days)
    config = Config(retention=ages, recordings=recordings)
    return RetentionSweeper(log.stages.db, config, log.recordings)


async def count(log: Log, model: type[BaseModel]) -> int:
    return await log.stages.write(model.select().count)


@pytest.mark.parametrize(
    ("model", "age"),
    [
        (IdempotencyKey, timedelta(hours=1)),
        (EarlyReport, DAY),
        (ImportChange, 5 * DAY),
        (ImportRun, 5 * DAY),
        (InboundSms, 6 * DAY),
        (Timeline, 7 * DAY),
        (Message, 8 * DAY),
        (SurveyResult, 9 * DAY),
        (CallRequest, 10 * DAY),
        (Transfer, 10 * DAY),
        (AuditEntry, 12 * DAY),
        (WebhookDelivery, 30 * DAY),
    ],
)
async def test_each_kind_of_rows_goes_at_its_own_age(
    log: Log, model: type[BaseModel], age: timedelta
) -> None:
    await log.write()
    assert await count(log, model) > 0
    for later, left in ((age - timedelta(minutes=1), True), (age + timedelta(minutes=1), False)):
        with at(MORNING + later):
            await sweeper(log, recordings_days=0).step()
            assert (await count(log, model) > 0) is left, later
    # The alarm, its attempt and its result stay.
    assert await log.stages.write(lambda: Alarm.get().result) == 1
    assert await count(log, AlarmRequest) == 1


async def test_a_recording_goes_with_its_file_and_is_counted(log: Log) -> None:
    await log.write()
    folder = log.recordings.path("x").parent
    (file,) = folder.iterdir()
    counter = metrics.RETENTION.labels("recordings")
    before = counter._value.get()
    with at(MORNING + 3 * DAY - timedelta(minutes=1)):
        await sweeper(log).step()
        assert file.exists()
    with at(MORNING + 3 * DAY + timedelta(minutes=1)):
        await sweeper(log).step()
    assert not file.exists()
    assert counter._value.get() == before + 1
    row = await log.stages.write(SurveyResult.get)
    assert (row.response, row.record_file) == ("recorded", "")


async def test_calls_take_their_recordings_with_them(log: Log) -> None:
    await log.write()
    ages = AGES.model_copy(update={"results_days": 0})
    with at(MORNING + 11 * DAY):
        await sweeper(log, ages, recordings_days=0).step()
    assert await count(log, SurveyResult) == 0
    assert list(log.recordings.path("x").parent.iterdir()) == []


async def test_what_is_under_way_and_what_is_young_stays(log: Log) -> None:
    await log.write()
    pending = {"status": MessageStatus.PENDING}
    await log.stages.write(lambda: Message.update(pending).execute())
    await log.stages.write(lambda: CallRequest.update(settled=None).execute())
    sending = {"status": DeliveryStatus.PENDING}
    await log.stages.write(lambda: WebhookDelivery.update(sending).execute())
    with at(MORNING + 40 * DAY):
        await log.write()
        await sweeper(log).step()
        assert await count(log, Message) == 2
        assert await count(log, CallRequest) == 2
        assert await count(log, WebhookDelivery) == 2
        assert await count(log, SurveyResult) == 1
        assert await count(log, InboundSms) == 1


async def test_nothing_goes_if_everything_is_kept_for_ever(log: Log) -> None:
    await log.write()
    names = (name for name in RetentionConfig.model_fields if name.endswith("_days"))
    for_ever = RetentionConfig(**dict.fromkeys(names, 0))
    with at(MORNING + 9000 * DAY):
        await sweeper(log, for_ever, recordings_days=0).step()
    for model in (CallRequest, SurveyResult, Message, Timeline, InboundSms, AuditEntry):
        assert await count(log, model) > 0, model


async def test_what_was_deleted_goes_with_its_whole_log(log: Log) -> None:
    alarm_id = await log.write()
    kept = await log.write()

    def delete() -> None:
        alarm = Alarm.get_by_id(alarm_id)
        events.delete(alarm.event, utcnow())
        Alarm.update(about=alarm_id, origin=alarm_id).where(Alarm.id == kept).execute()

    await log.stages.write(delete)
    ages = RetentionConfig(**{**dict.fromkeys(_days(), 0), "deleted_days": 20})
    with at(MORNING + 19 * DAY):
        await sweeper(log, ages, recordings_days=0).step()
        assert await count(log, Alarm) == 2
    with at(MORNING + 22 * DAY):
        await sweeper(log, ages, recordings_days=0).step()
    assert await count(log, Event) == 1
    (alarm,) = await log.stages.write(lambda: list(Alarm.select()))
    assert (alarm.id, alarm.about_id, alarm.origin_id) == (kept, None, None)
    for model in (CallRequest, SurveyResult, Transfer, Message, AlarmRequest):
        assert await count(log, model) == 1, model
    # What a number of another has sent is no part of the alarm.
    assert await count(log, InboundSms) == 2
    assert len(list(log.recordings.path("x").parent.iterdir())) == 1


async def test_a_deleted_calendar_goes_when_its_events_are_gone(log: Log) -> None:
    await log.write()

    def delete() -> None:
        calendar = Calendar.get()
        events.delete_calendar(calendar, utcnow())
        CalendarUser.update(deleted=utcnow()).execute()

    await log.stages.write(delete)
    with at(MORNING + 25 * DAY):
        await sweeper(log).step()
    for model in (Alarm, Event, Calendar, CalendarUser):
        assert await count(log, model) == 0, model


async def test_a_deleted_event_ahead_stays(log: Log) -> None:
    alarm_id = await log.write()

    def delete() -> None:
        event = Alarm.get_by_id(alarm_id).event
        Event.update(start=MORNING + 400 * DAY, end=MORNING + 401 * DAY).execute()
        events.delete(event, utcnow())

    await log.stages.write(delete)
    with at(MORNING + 100 * DAY):
        await sweeper(log).step()
        assert (await count(log, Event), await count(log, Alarm)) == (1, 0)
    with at(MORNING + 500 * DAY):
        await sweeper(log).step()
        assert await count(log, Event) == 0


async def test_a_batch_is_small_and_one_worker_sweeps_at_a_time(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "BATCH", 2)
    for _ in range(3):
        await log.write()
    sizes = []
    delete = sweep.delete

    def counted(rows: kinds.AgedRows, ids: list[int]) -> list[str] | None:
        sizes.append(len(ids))
        return delete(rows, ids)

    monkeypatch.setattr(sweep, "delete", counted)
    with at(MORNING + 100 * DAY):
        await sweeper(log).step()
    assert await count(log, CallRequest) == 0
    assert max(sizes) == 2
    if dialect.has_notify(log.stages.db.peewee):
        await _while_another_sweeps(log)


async def _while_another_sweeps(log: Log) -> None:
    """With PostgreSQL: another worker holds the lock for as long as its transaction."""
    await log.write()
    two = Database(log.stages.db.peewee)
    two.start()
    held, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold() -> None:
        assert dialect.try_lock(two.peewee, sweep._SWEEPING)
        loop.call_soon_threadsafe(held.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()

    holding = asyncio.create_task(two.write(hold))
    await held.wait()
    try:
        with at(MORNING + 100 * DAY):
            await sweeper(log).step()
            assert await count(log, CallRequest) == 1
    finally:
        go.set()
        await holding
        await two.close()


def test_ages_are_whole_days() -> None:
    with pytest.raises(ValidationError):
        RetentionConfig(calls_days=-1)
    with pytest.raises(ValidationError):
        RetentionConfig(idempotency_hours=0)


def _days() -> list[str]:
    return [name for name in RetentionConfig.model_fields if name.endswith("_days")]
