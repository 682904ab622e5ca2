"""What a manager's programs are told: written with the change, sent until it is taken."""

import asyncio
import os
import signal
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
import time_machine
from standardwebhooks import Webhook as Verifier

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import StorageError
from telealarm.models import Alarm, DncContact, DncList, User, Webhook, WebhookDelivery
from telealarm.rules.url_guard import UrlGuard
from telealarm.rules.webhook_retry import PAUSES
from telealarm.store import do_not_call
from telealarm.store.dialing import workers
from telealarm.store.engine.database import Database
from telealarm.store.webhooks import deliveries, webhooks
from telealarm.store.webhooks.deliveries import Delivery
from telealarm.transports.http import WebhookTransport
from telealarm.webhooks.dispatcher import WebhookDispatcher
from telealarm.words import AlarmStatus, Change, DeliveryStatus, Disposition
from tests.integration.stages import HOUR, Stages
from tests.integration.test_cli import Running, telealarm, write
from tests.lab.receiver import Receiver
from tests.lab.speed import limit
from tests.lab.waiting import until

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


class Post:
    """A manager with webhooks, and the courier that tells them, over real HTTP on loopback."""

    def __init__(self, stages: Stages) -> None:
        self.stages = stages
        self.sender = WebhookTransport(UrlGuard(["127.0.0.0/8"]))
        self.courier = WebhookDispatcher(stages.db, stages.holder, self.sender.send)

    async def hook(self, receiver: Receiver, *events: str, path: str = "") -> Webhook:
        values = {"target_url": receiver.url + path, "events": list(events)}
        return await self.stages.write(lambda: webhooks.add(self.owner(), values))

    def owner(self) -> int:
        found: int = User.get(User.username == "manager").id
        return found

    async def optout(self, number: str = "+34600100200") -> None:
        """The shortest change that is told."""

        def write() -> None:
            listed, _ = DncList.get_or_create(owner=self.owner(), name="opted out")
            do_not_call.add({"dnc": listed, "phone_number": number})

        await self.stages.write(write)

    async def send(self) -> None:
        """Send what is due, until nothing that is due waits, and all is kept."""
        while True:
            await self.courier.step()
            await until(self._all_ended, 30, "the deliveries end")
            if not await self._some_due():
                return

    async def _all_ended(self) -> bool:
        return not any(row.status == DeliveryStatus.SENDING for row in await self.rows())

    async def _some_due(self) -> bool:
        now = utcnow()
        rows = await self.rows()
        return any(row.status == DeliveryStatus.PENDING and row.date <= now for row in rows)

    async def rows(self) -> list[WebhookDelivery]:
        query = WebhookDelivery.select().order_by(WebhookDelivery.id)
        return await self.stages.write(list, query)

    async def row(self) -> WebhookDelivery:
        (found,) = await self.rows()
        return found

    async def get(self, webhook: Webhook) -> Webhook:
        return await self.stages.write(Webhook.get_by_id, webhook.id)


@pytest_asyncio.fixture
async def post(db: Database) -> AsyncIterator[Post]:
    with at(MORNING):
        made = Post(await Stages.build(db))
        yield made
        await made.courier.drain(10)
        await made.sender.close()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    server = Receiver()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def slow() -> AsyncIterator[Receiver]:
    server = Receiver("127.0.0.2")
    server.silent = True
    await server.start()
    yield server
    await server.stop()


# What is told


async def test_an_answer_is_told_to_the_manager_and_to_the_alarms_own_address(
    post: Post, receiver: Receiver
) -> None:
    webhook = await post.hook(receiver)
    own = receiver.url + "/confirm?id=7"
    alarm_id = await post.stages.alarm("100", url_confirm=own, url_cancel=receiver.url)
    (call,) = await post.stages.claim()
    await post.stages.place(call)
    await post.stages.end(call, Disposition.ANSWER, 16, "1")
    await post.send()

    signed = [told for told in receiver.told if "webhook-signature" in told.headers]
    assert [told.type for told in signed] == ["alarm.result", "attempt.ended"]
    for told in signed:
        assert Verifier(webhook.secret).verify(told.body, told.headers) == told.json
    result, ended = (told.json for told in signed)
    assert result["timestamp"] == "2026-03-02T09:00:00.000000Z"
    assert (result["data"]["alarm"], result["data"]["result"]) == (alarm_id, 1)
    assert ended["data"]["status"] == AlarmStatus.SUCCESS
    assert ended["data"]["attempt"]["callstatus"] == 16
    assert ended["data"]["attempt"]["alarm_request"] == call.request_id

    (called,) = (told for told in receiver.told if "webhook-signature" not in told.headers)
    assert (called.path, called.json["data"]) == ("/hook/confirm", result["data"])
    words = await post.stages.words(alarm_id)
    assert ("url_called", f"{own} answered 200") in words


async def test_only_the_address_that_fits_the_answer_is_called(
    post: Post, receiver: Receiver
) -> None:
    for key, path in (("1", "/yes"), ("2", "/no"), ("3", None)):
        await post.stages.alarm(
            key, url_confirm=receiver.url + "/yes", url_cancel=receiver.url + "/no"
        )
        (call,) = await post.stages.claim()
        await post.stages.place(call)
        await post.stages.end(call, Disposition.ANSWER, 16, key)
        receiver.told.clear()
        await post.send()
        assert [told.path for told in receiver.told] == ([f"/hook{path}"] if path else [])


async def test_a_retry_a_failure_and_one_that_was_missed(post: Post, receiver: Receiver) -> None:
    await post.hook(receiver)
    await post.stages.alarm("1", maxretry=1, retry_delay=60)
    (call,) = await post.stages.claim()
    await post.stages.place(call)
    await post.stages.end(call, Disposition.BUSY)
    await post.send()
    assert receiver.types() == ["attempt.ended"]
    assert receiver.told[0].json["data"]["attempt"]["status_reason"] == "busy"
    with at(MORNING + timedelta(minutes=1)):
        (call,) = await post.stages.claim()
        await post.stages.place(call)
        await post.stages.end(call, Disposition.BUSY)
        await post.send()
        assert receiver.types()[1:] == ["attempt.ended", "alarm.failed"]
        assert receiver.told[-1].json["data"]["status"] == AlarmStatus.FAILURE
    await post.stages.alarm("2")
    with at(MORNING + 2 * HOUR):
        await post.stages.claim()
        await post.send()
        assert receiver.types()[3:] == ["alarm.missed"]
        assert receiver.told[-1].json["data"]["status_reason"] == "late"


async def test_each_is_told_what_it_asked_for_and_nobody_what_is_anothers(
    post: Post, receiver: Receiver
) -> None:
    await post.hook(receiver, "do_not_call.added", path="/numbers")
    await post.hook(receiver, "alarm.missed", path="/missed")
    off = await post.hook(receiver, path="/off")

    def prepare() -> None:
        other = User.get(User.username == "other").id
        webhooks.add(other, {"target_url": receiver.url + "/other", "events": []})
        webhooks.change(off, {"status": 0})

    await post.stages.write(prepare)
    await post.optout("+34600100201")
    await post.send()
    (told,) = receiver.told
    assert (told.path, told.json["data"]["phone_number"]) == ("/hook/numbers", "+34600100201")


async def test_a_contact_that_becomes_another_number_is_told(
    post: Post, receiver: Receiver
) -> None:
    await post.hook(receiver, "do_not_call.added")
    await post.optout("+34600100201")

    def edit() -> None:
        contact = DncContact.get()
        do_not_call.change(contact, {"phone_number": "+34600100202"})
        do_not_call.change(contact, {"phone_number": "+34600100202"})

    await post.stages.write(edit)
    await post.send()
    told = [one.json["data"]["phone_number"] for one in receiver.told]
    assert sorted(told) == ["+34600100201", "+34600100202"]


async def test_a_change_that_is_undone_is_not_told(post: Post, receiver: Receiver) -> None:
    await post.hook(receiver)

    def write() -> None:
        listed = DncList.create(owner=post.owner(), name="n")
        do_not_call.add({"dnc": listed, "phone_number": "1"})
        raise StorageError("undone")

    with suppress(StorageError):
        await post.stages.write(write)
    assert await post.rows() == []


# Order, doubles, tries


async def test_the_changes_of_one_alarm_come_in_order_one_by_one(
    post: Post, receiver: Receiver
) -> None:
    await post.hook(receiver)
    receiver.delay = 0.02
    for number in range(6):
        await post.stages.alarm(str(number))
    for call in await post.stages.claim():
        await post.stages.place(call)
        await post.stages.end(call, Disposition.BUSY)
    await post.send()
    assert receiver.most > 1, "those of different alarms need not wait for each other"
    by_alarm: dict[int, list[str]] = {}
    for told in receiver.told:
        by_alarm.setdefault(told.json["data"]["alarm"], []).append(told.type)
    assert list(by_alarm.values()) == [["attempt.ended", "alarm.failed"]] * 6


async def test_what_is_not_taken_is_tried_for_a_day_and_then_given_up_and_sent_by_hand(
    post: Post, receiver: Receiver
) -> None:
    webhook = await post.hook(receiver)
    await post.optout()
    receiver.status = 500
    now = MORNING
    for count, pause in enumerate([*PAUSES, None], 1):
        with at(now):
            await post.send()
            row = await post.row()
            assert len(receiver.told) == len(row.tries) == count
            if pause is None:
                assert row.status == DeliveryStatus.FAILED
            else:
                assert row.status == DeliveryStatus.PENDING
                now += timedelta(seconds=pause)
                assert row.date == now
    assert timedelta(hours=23) < now - MORNING < timedelta(hours=25)
    assert row.tries[0] == {
        "at": "2026-03-02T09:00:00.000Z",
        "status": 500,
        "seconds": row.tries[0]["seconds"],
        "why": "HTTP 500",
    }
    assert (await post.get(webhook)).failing_since == MORNING
    with at(now + 7 * DAY):
        receiver.status = 204
        await post.stages.write(deliveries.redeliver, row, utcnow())
        await post.send()
        row = await post.row()
        assert (row.status, row.tries[-1]["status"]) == (DeliveryStatus.DELIVERED, 204)
        last = receiver.told[-1]
        assert Verifier(webhook.secret).verify(last.body, last.headers)
    assert len({told.id for told in receiver.told}) == 1
    assert len({told.body for told in receiver.told}) == 1
    assert len({told.headers["webhook-timestamp"] for told in receiver.told}) == len(receiver.told)
    assert (await post.get(webhook)).failing_since is None


async def test_an_address_that_must_not_be_called_is_given_up_at_once(post: Post) -> None:
    private = {"target_url": "http://10.0.0.1/", "events": []}
    await post.stages.write(lambda: webhooks.add(post.owner(), private))
    await post.optout()
    await post.send()
    row = await post.row()
    assert row.status == DeliveryStatus.FAILED
    assert row.tries[0]["why"].startswith("10.0.0.1 is not public (private)")


async def test_a_slow_endpoint_holds_up_no_other_and_gets_few_at_a_time(
    post: Post, receiver: Receiver, slow: Receiver
) -> None:
    await post.hook(slow)
    for number in range(80):
        await post.optout(str(1000 + number))
    await post.hook(receiver)
    for number in range(20):
        await post.optout(str(2000 + number))
    running = asyncio.create_task(post.courier.run())
    await until(lambda: len(receiver.told) == 20, 30, "the other is told")
    assert len(slow.told) == slow.most == deliveries.ENDPOINT
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_endpoint_that_fails_for_days_is_switched_off_and_can_be_switched_on(
    post: Post, receiver: Receiver
) -> None:
    webhook = await post.hook(receiver)
    receiver.status = 503
    now = MORNING
    while now < MORNING + 5 * DAY:
        with at(now):
            if (await post.get(webhook)).status == 0:
                break
            if (now - MORNING) % DAY == timedelta():
                await post.optout(str(now.day))
            await post.send()
        now += HOUR
    assert 3 * DAY <= now - MORNING <= 4 * DAY + HOUR
    found = await post.get(webhook)
    assert found.status_reason == ("it has taken nothing since 2026-03-02T09:00:00+00:00: HTTP 503")
    assert {row.status for row in await post.rows()} == {DeliveryStatus.FAILED}
    with at(now):
        before = len(await post.rows())
        await post.optout("901")
        assert len(await post.rows()) == before
        await post.stages.write(webhooks.change, found, {"status": 1})
        receiver.status = 200
        await post.optout("902")
        await post.send()
        found = await post.get(webhook)
        assert (found.status, found.status_reason, found.failing_since) == (1, "", None)
        assert (await post.rows())[-1].status == DeliveryStatus.DELIVERED


async def test_an_endpoint_that_is_gone_is_switched_off_at_once(
    post: Post, receiver: Receiver
) -> None:
    webhook = await post.hook(receiver)
    receiver.status = 410
    await post.optout()
    await post.send()
    found = await post.get(webhook)
    assert (found.status, found.status_reason) == (0, "it wants no more: HTTP 410")


async def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(
    post: Post, receiver: Receiver
) -> None:
    webhook = await post.hook(receiver)
    old = webhook.secret
    await post.stages.write(webhooks.rotate, webhook, utcnow())
    new = (await post.get(webhook)).secret
    assert new != old
    await post.optout("1")
    await post.send()
    (told,) = receiver.told
    for secret in (old, new):
        assert Verifier(secret).verify(told.body, told.headers)
    with at(MORNING + DAY):
        await post.optout("2")
        await post.send()
        told = receiver.told[-1]
        assert Verifier(new).verify(told.body, told.headers)
        assert len(told.headers["webhook-signature"].split()) == 1


async def test_two_workers_send_each_once_and_the_changes_of_an_alarm_in_order(
    post: Post, receiver: Receiver
) -> None:
    """Each worker writes by a thread and a connection of its own, as two processes do."""
    await post.hook(receiver)
    receiver.delay = 0.1  # so long that both have their share
    ids = [await post.stages.alarm(str(number)) for number in range(30)]
    kinds = (Change.ATTEMPT_ENDED, Change.RESULT, Change.FAILED)

    def tell() -> None:
        for kind in kinds:
            for alarm in Alarm.select().where(Alarm.id.in_(ids)).order_by(Alarm.id):
                webhooks.tell(alarm, kind, utcnow())

    await post.stages.write(tell)
    two = Database(post.stages.db.peewee)
    two.start()
    couriers = [
        post.courier,
        WebhookDispatcher(
            two,
            await two.write(workers.enter, "two", utcnow(), timedelta(seconds=30)),
            post.sender.send,
        ),
    ]
    running = [asyncio.create_task(one.run()) for one in couriers]

    async def all_told() -> bool:
        return all(row.status == DeliveryStatus.DELIVERED for row in await post.rows())

    try:
        await until(all_told, 60, "all are told")
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await two.close()
    assert list(Counter(told.id for told in receiver.told).values()) == [1] * 90
    by_alarm: dict[int, list[str]] = {}
    for told in receiver.told:
        by_alarm.setdefault(told.json["data"]["alarm"], []).append(told.type)
    assert by_alarm == {one: [kind.value for kind in kinds] for one in ids}


async def test_a_lane_that_another_worker_is_just_claiming_from_is_left_alone(
    post: Post, receiver: Receiver
) -> None:
    """Until the first worker commits, the second cannot see that it is about to send."""
    await post.hook(receiver)
    alarm = await post.stages.get(await post.stages.alarm())
    await post.stages.write(webhooks.tell, alarm, Change.ATTEMPT_ENDED, utcnow())
    two = Database(post.stages.db.peewee)
    two.start()
    other = await two.write(workers.enter, "two", utcnow(), timedelta(seconds=30))
    claimed, resume = threading.Event(), threading.Event()

    def take_slowly() -> list[Delivery]:
        found = deliveries.take(post.stages.holder, utcnow(), [])
        claimed.set()
        resume.wait(limit(30))
        return found

    async def tell_and_take() -> list[Delivery]:
        await two.write(webhooks.tell, alarm, Change.RESULT, utcnow())
        return await two.write(deliveries.take, other, utcnow(), [])

    try:
        first = asyncio.create_task(post.stages.write(take_slowly))
        await until(claimed.is_set, 30, "the first has claimed")
        second = asyncio.create_task(tell_and_take())
        await asyncio.wait([second], timeout=1)  # on SQLite it waits for the first
        resume.set()
        assert [one.row.type for one in await first] == ["attempt.ended"]
        assert await second == []
    finally:
        resume.set()
        await two.close()


async def test_an_end_that_cannot_be_kept_is_sent_again_with_the_same_id(
    post: Post, receiver: Receiver
) -> None:
    await post.hook(receiver)
    await post.optout()
    claimed = await post.stages.write(deliveries.take, post.stages.holder, utcnow(), [])
    assert len(claimed) == 1
    await post.send()
    assert (await post.row()).status == DeliveryStatus.DELIVERED
    assert [told.id for told in receiver.told] == [claimed[0].row.message_id]


async def test_killed_after_the_receiver_took_it_it_comes_again_with_the_same_id(
    config: Config, tmp_path: Path, receiver: Receiver
) -> None:
    path = write(
        tmp_path,
        database=config.database,
        key_file=str(config.key_path),
        webhooks={"allow": ["127.0.0.0/8"]},
    )
    words = ("user", "add", "ann", "--superuser", "--password-stdin", "--config", str(path))
    done = await asyncio.to_thread(telealarm, *words, stdin="a long secret\n")
    assert done.returncode == 0, done.stderr
    login = aiohttp.encode_basic_auth("ann", "a long secret")
    service = Running(path, tmp_path)
    try:
        await service.up()
        receiver.on_told = lambda: os.kill(service.child.pid, signal.SIGKILL)
        async with aiohttp.ClientSession(headers={"Authorization": login}) as http:

            async def made(resource: str, body: dict[str, Any]) -> dict[str, Any]:
                async with http.post(f"{service.url}/rest-api/{resource}/", json=body) as reply:
                    assert reply.status == 201, await reply.text()
                    found: dict[str, Any] = await reply.json()
                    return found

            webhook = await made("webhook", {"target_url": receiver.url})
            listed = await made("dnc-list", {"name": "opted out"})
            contact = {"dnc": listed["url"], "phone_number": "600"}
            with suppress(aiohttp.ClientError):  # it may die before it answers us
                await made("dnc-contact", contact)
            await until(lambda: not service.child.running, 30, "the service is killed")
            receiver.on_told = lambda: None
            service = Running(path, tmp_path)
            await service.up()
            await until(lambda: len(receiver.told) == 2, 30, "it is told again")
        assert list(Counter(told.id for told in receiver.told).values()) == [2]
        for told in receiver.told:
            assert Verifier(webhook["secret"]).verify(told.body, told.headers) == told.json
    finally:
        await service.child.terminate(10)
