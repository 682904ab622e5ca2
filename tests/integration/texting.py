"""Stages that send SMS through a real HTTP gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import time_machine

from telealarm.messaging.dispatcher import MessageDispatcher
from telealarm.messaging.transport import MessageTransport, http_session
from telealarm.methods.context import Transports
from telealarm.models import Message, SmsGateway, SmsTemplate
from telealarm.store.engine.database import Database
from tests.integration.stages import Stages
from tests.lab import sms_gateway as lab

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SMS = 2  # the number of the method


class Texting(Stages):
    """Stages that send what is in the outbox."""

    gateway_server: lab.SmsGateway
    sender: MessageDispatcher

    async def connect(self, server: lab.SmsGateway, transports: Transports) -> None:
        self.gateway_server = server
        self.sender = MessageDispatcher(self.db, self.holder, MessageTransport(transports).send)
        await self.write(lambda: SmsGateway.update(settings={"url": server.url}).execute())
        owner = self.calendar.owner_id
        self.template = await self.write(
            SmsTemplate.create,
            owner=owner,
            label="t",
            sender_phonenumber="Clinic",
            sms_text="Dear {who}, {title}",
        )

    async def sms(self, number: str = "600100", **columns: Any) -> int:
        columns.setdefault("sms_template", self.template)
        columns.setdefault("data", {"who": "Ann"})
        return await self.alarm(number, method=SMS, **columns)

    async def go(self) -> None:
        """Plan, admit and send what is due now, to the end."""
        await self.claim()
        await self.sender.step()
        await self.sender.settled()

    async def status(self, alarm_id: int) -> tuple[int, str]:
        alarm = await self.get(alarm_id)
        return alarm.status, alarm.status_reason

    async def message(self, alarm_id: int) -> Message:
        found = Message.select().where(Message.alarm == alarm_id).order_by(Message.id.desc())
        return await self.write(found.first)


@asynccontextmanager
async def open_texting(db: Database) -> AsyncIterator[Texting]:
    """On a morning whose clock only `at` turns."""
    server = lab.SmsGateway()
    await server.start()
    with at(MORNING):
        async with http_session() as session:
            stages = await Texting.build(db)
            assert isinstance(stages, Texting)
            await stages.connect(server, Transports(session))
            yield stages
            await stages.sender.settled()
    await server.stop()


def at(moment: datetime) -> time_machine.travel:
    """While it is this moment."""
    return time_machine.travel(moment, tick=False)
