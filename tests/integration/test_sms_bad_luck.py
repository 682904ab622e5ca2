"""SMS in bad luck: gateways that want to be left alone, a database away, reports out of order."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from telealarm.clock import utcnow
from telealarm.errors import StorageError
from telealarm.messaging import dispatcher
from telealarm.methods.sms.providers import http as http_kind
from telealarm.models import Alarm, AlarmRequest, DncContact, DncList, EarlyReport, SmsGateway
from telealarm.models.gateway import ACTIVE
from telealarm.store.engine.database import Database
from telealarm.store.messaging import result
from telealarm.store.outcome import answers
from telealarm.words import AlarmStatus, MessageStatus, ReplyOutcome
from tests.integration.stages import HOUR
from tests.integration.texting import MORNING, Texting, at, open_texting
from tests.lab.speed import limit

MINUTE = timedelta(minutes=1)


@pytest_asyncio.fixture
async def texting(db: Database) -> AsyncIterator[Texting]:
    async with open_texting(db) as stages:
        with_id = {"url": stages.gateway_server.url, "message_id": "id"}
        await stages.write(SmsGateway.update(settings=with_id).execute)
        yield stages


async def report(texting: Texting, message_id: str, delivered: bool, said: str = "") -> str:
    def tell() -> str:
        return result.report(SmsGateway.get(), message_id, delivered, said, utcnow())

    outcome: str = await texting.write(tell)
    return outcome


def words(timeline: list[tuple[str, str]]) -> list[str]:
    return [what for what, _ in timeline]


# A gateway that cannot now


async def test_a_gateway_that_asks_to_be_left_alone_is(texting: Texting) -> None:
    server = texting.gateway_server
    server.mood, server.retry_after = "busy", 600
    first = await texting.sms("600001")
    await texting.go()
    assert server.requests == 1
    server.mood = "accept"
    await texting.sms("600002")
    for minute in range(1, 5):
        with at(MORNING + minute * MINUTE):
            await texting.go()
    # Nothing at all goes there, for five minutes at the most; what it refused waits for the ten.
    assert server.requests == 1
    with at(MORNING + 5 * MINUTE + timedelta(seconds=1)):
        await texting.go()
    assert [sms.to for sms in server.messages] == ["600002"]
    with at(MORNING + 9 * MINUTE):
        await texting.go()
    assert server.requests == 2
    with at(MORNING + 10 * MINUTE + timedelta(seconds=1)):
        await texting.go()
    assert [sms.to for sms in server.messages] == ["600002", "600001"]
    alarm = await texting.get(first)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)


async def test_the_pause_after_a_failed_try_doubles(texting: Texting) -> None:
    texting.gateway_server.mood = "fail"
    await texting.sms()
    tried = []
    for second in range(0, 1300, 5):
        with at(MORNING + timedelta(seconds=second)):
            await texting.go()
        if texting.gateway_server.requests > len(tried):
            tried.append(second)
    assert tried == [0, 10, 30, 70, 150, 310, 610, 910, 1210]


async def test_a_message_for_a_gateway_that_is_switched_off_expires_or_goes_when_it_is_on(
    texting: Texting,
) -> None:
    late = await texting.sms("600001", max_lateness=600, phonenumber_sms_failure="600999")
    waits = await texting.sms("600002")
    await texting.claim()  # both are in the outbox
    switch: Callable[[int], Any] = lambda to: SmsGateway.update(status=to).execute()  # noqa: E731
    await texting.write(switch, 0)
    await texting.go()
    with at(MORNING + 11 * MINUTE):
        await texting.go()
        assert await texting.status(late) == (AlarmStatus.MISSED, "late")
        assert (await texting.status(waits))[0] == AlarmStatus.IN_PROCESS
    assert texting.gateway_server.requests == 0
    assert "gateway sms is inactive" in dict(await texting.words(waits))["put_back"]
    await texting.write(switch, ACTIVE)
    with at(MORNING + 12 * MINUTE):
        await texting.go()
    assert {sms.to for sms in texting.gateway_server.messages} == {"600002", "600999"}
    assert (await texting.status(waits))[0] == AlarmStatus.SUCCESS


# What it says, and what we keep


async def test_a_gateways_words_are_kept_whatever_they_hold(texting: Texting) -> None:
    server = texting.gateway_server
    server.words = {"id": "a\x00b\ud800" + "x" * 300, "note": "\x00\ud800 ü \x1b[31m"}
    taken = await texting.sms("600001")
    await texting.go()
    await texting.go()
    assert len(server.messages) == 1
    message = await texting.message(taken)
    assert (message.status, len(message.reference)) == (MessageStatus.SENT, 200)
    assert message.reference.isprintable() and message.said.isprintable()
    server.mood = "refuse"
    refused = await texting.sms("600002")
    await texting.go()
    assert await texting.status(refused) == (AlarmStatus.FAILURE, "refused")


@pytest.mark.parametrize("committed", [False, True])
async def test_a_database_that_is_away_when_the_gateway_took_it_doubles_nothing(
    texting: Texting, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    class Faulty:
        """The database, which fails twice once the message was taken: before its commit, or
        after it, so that nobody can tell.
        """

        faults = 2

        def __getattr__(self, name: str) -> Any:
            return getattr(texting.db, name)

        async def write(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            if not texting.gateway_server.messages or not self.faults:
                return await texting.db.write(fn, *args, **kwargs)
            self.faults -= 1
            if committed and self.faults:
                await texting.db.write(fn, *args, **kwargs)
            raise StorageError("The database did not commit.")

    monkeypatch.setattr(dispatcher, "KEEP_AGAIN_SECONDS", (0.01, 0.01, 0.01))
    monkeypatch.setattr(texting.sender, "_db", Faulty())
    alarm_id = await texting.sms(maxretry=3)
    for _ in range(3):
        await texting.go()
    assert len(texting.gateway_server.messages) == 1
    alarm = await texting.get(alarm_id)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)
    assert words(await texting.words(alarm_id)) == ["due", "sms_sent", "result"]


# Delivery reports


async def test_a_report_that_comes_before_we_know_that_it_was_taken_counts(
    texting: Texting,
) -> None:
    outcomes = []

    async def at_once(own_id: str) -> None:
        outcomes.append(await report(texting, own_id, True, "DELIVRD"))
        outcomes.append(await report(texting, own_id, False, "EXPIRED"))

    texting.gateway_server.told = at_once
    alarm_id = await texting.sms()
    await texting.go()
    assert outcomes == ["kept", "kept"]
    message = await texting.message(alarm_id)
    assert (message.status, message.delivery, message.said) == (
        MessageStatus.SENT,
        "delivered",
        "DELIVRD",
    )
    assert await texting.write(EarlyReport.select().count) == 0
    assert words(await texting.words(alarm_id)) == ["due", "sms_sent", "sms_delivered", "result"]
    # While nothing is being sent it can be of nothing.
    assert await report(texting, "sms-2", True) == "unknown_message"
    assert await report(texting, message.reference, False) == "known"


async def test_a_report_by_our_id_comes_before_the_answer_or_instead_of_it(
    texting: Texting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_kind, "TIMEOUT_SECONDS", limit(1))

    async def at_once(_: str) -> None:
        assert await report(texting, texting.gateway_server.messages[-1].id, True) == "delivered"

    texting.gateway_server.told = at_once
    for mood in ("accept", "take_and_hang", "swallow"):
        texting.gateway_server.mood = mood  # type: ignore[assignment]
        alarm_id = await texting.sms(maxretry=3)
        await texting.go()
        alarm = await texting.get(alarm_id)
        assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1), mood
        assert (await texting.message(alarm_id)).delivery == "delivered"
        assert "sms_unknown" not in words(await texting.words(alarm_id))
    with at(MORNING + HOUR / 2):
        await texting.go()
    assert len(texting.gateway_server.messages) == 3


async def answer(texting: Texting, alarm_id: int) -> None:
    done = await texting.write(
        lambda: answers.answer(Alarm.get_by_id(alarm_id), 1, "by SMS", utcnow())
    )
    assert done is ReplyOutcome.TAKEN


async def delivered(texting: Texting, alarm_id: int) -> None:
    first = texting.gateway_server.messages[0]
    assert await report(texting, first.id, True) == "delivered"


@pytest.mark.parametrize("proof", [answer, delivered])
@pytest.mark.parametrize("in_the_outbox", [False, True])
async def test_what_proves_that_it_arrived_calls_the_next_try_off(
    texting: Texting, in_the_outbox: bool, proof: Callable[[Texting, int], Any]
) -> None:
    texting.gateway_server.mood = "swallow"
    alarm_id = await texting.sms(maxretry=3, retry_delay=60)
    await texting.go()
    assert await texting.status(alarm_id) == (AlarmStatus.RETRY, "unknown")
    texting.gateway_server.mood = "accept"
    with at(MORNING + MINUTE):
        if in_the_outbox:
            await texting.claim()
        await proof(texting, alarm_id)
        await texting.go()
    with at(MORNING + 30 * MINUTE):
        await texting.go()
    assert len(texting.gateway_server.messages) == 1
    alarm = await texting.get(alarm_id)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)
    waiting = AlarmRequest.status.in_([AlarmStatus.PENDING, AlarmStatus.IN_PROCESS])
    assert await texting.write(AlarmRequest.select().where(waiting).count) == 0


async def test_what_was_delivered_although_the_gateway_said_500_is_not_sent_again(
    texting: Texting,
) -> None:
    texting.gateway_server.mood = "fail"
    alarm_id = await texting.sms()
    await texting.go()
    message = await texting.message(alarm_id)
    assert message.status == MessageStatus.HELD
    assert await report(texting, message.uid, True) == "delivered"
    alarm = await texting.get(alarm_id)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)
    texting.gateway_server.mood = "accept"
    with at(MORNING + 30 * MINUTE):
        await texting.go()
    assert texting.gateway_server.messages == []


async def test_bad_news_of_unknown_fate_is_told_again_unless_it_is_reported(
    texting: Texting,
) -> None:
    texting.gateway_server.mood = "refuse"
    for _ in range(2):
        await texting.sms(phonenumber_sms_failure="600999")
    await texting.claim()
    await texting.sender.step()
    await texting.sender.settled()
    texting.gateway_server.mood = "swallow"
    await texting.go()
    first, second = texting.gateway_server.sent_to("600999")
    assert await report(texting, first.id, True) == "delivered"
    for minute in range(1, 10):
        with at(MORNING + minute * MINUTE):
            await texting.go()
    sent = [sms.id for sms in texting.gateway_server.sent_to("600999")]
    # Three times at the most, with one id to tell them apart by.
    assert (sent.count(first.id), sent.count(second.id)) == (1, 3)


# Do-not-call


async def test_bad_news_is_not_told_to_a_number_that_asked_for_no_more(texting: Texting) -> None:
    def list_it() -> None:
        dnc = DncList.create(owner=texting.calendar.owner_id, name="d")
        DncContact.create(dnc=dnc, phone_number="+34600999")

    await texting.write(list_it)
    texting.gateway_server.mood = "refuse"
    alarm_id = await texting.sms(phonenumber_sms_failure="0034600999")
    await texting.go()
    texting.gateway_server.mood = "accept"
    await texting.go()
    assert texting.gateway_server.messages == []
    assert dict(await texting.words(alarm_id))["sms_not_sent"] == (
        "0034600999 is on a do-not-call list"
    )
