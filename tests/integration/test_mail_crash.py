"""kill -9 between the mail server's 250 and our commit. The server's own log is the count."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from telealarm.config.model import Config
from tests.integration.test_cli import Running, telealarm, write
from tests.lab.clinic import Appointment, Clinic
from tests.lab.mail_server import Letter, MailServer
from tests.lab.rest import Rest
from tests.lab.waiting import until

pytestmark = pytest.mark.long

SUCCESS, FAILURE = 5, 3


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[MailServer]:
    made = MailServer(tmp_path)
    await made.start()
    yield made
    await made.stop()


async def unknown(service: Running) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{service.url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    return next(one for one in lines if one.startswith("telealarm_messages_unknown_total "))


async def test_what_was_taken_has_an_unknown_fate_and_is_sent_again_by_its_policy_alone(
    config: Config, tmp_path: Path, server: MailServer
) -> None:
    path = write(
        tmp_path, database=config.database, key_file=str(config.key_path), smtp=server.settings()
    )
    words = ("user", "add", "clinic", "--superuser", "--password-stdin", "--config", str(path))
    done = await asyncio.to_thread(telealarm, *words, stdin="a long secret\n")
    assert done.returncode == 0, done.stderr
    service = Running(path, tmp_path)

    def kill(letter: Letter) -> None:
        """At the first mail to each, before our process can hear the 250."""
        if len(to(letter.recipient)) == 1:
            os.kill(service.child.pid, signal.SIGKILL)

    def to(recipient: str) -> list[Letter]:
        return [one for one in server.letters if one.recipient == recipient]

    server.on_taken = kill
    try:
        await service.up()
        async with Rest(service.url, "clinic", "a long secret") as rest:
            clinic = Clinic(rest)
            await clinic.open(sms_url="http://127.0.0.1:9/")
            mail = {"method": "3", "retry_delay": 0}
            miss, redial = [
                await clinic.appointment("", due_in=2, alarm_email=f"{name}@x.y", **mail, **more)
                for name, more in (("miss", {"on_unknown": "miss"}), ("redial", {"maxretry": 1}))
            ]
            for _ in range(2):
                await service.child.wait(30)
                # The next mail may end it before it has said that it is up.
                service = Running(path, tmp_path)
            await service.up()

            async def ended(one: Appointment, status: int) -> None:
                async def is_so() -> bool:
                    return bool((await clinic.alarm(one))["status"] == status)

                await until(is_so, 30, f"{one.alarm} has status {status}")

            await ended(miss, FAILURE)
            await ended(redial, SUCCESS)
            for one, said in ((miss, "failure"), (redial, "redial")):
                what = [row["what"] for row in await clinic.timeline(one)]
                assert {"mail_unknown", said} <= set(what)
            assert (await clinic.alarm(miss))["status_reason"] == "unknown"
        assert await unknown(service) == "telealarm_messages_unknown_total 1.0"
        assert len(to("miss@x.y")) == 1
        first, second = to("redial@x.y")
        assert first.message["Message-ID"] == second.message["Message-ID"]
    finally:
        await service.child.terminate(10)
