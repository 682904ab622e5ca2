"""What the measurements of calls share: a real Asterisk, a crowd of SIPp phones, the service.

Each process is started by tests.lab.processes.Child, ended by its own pid, and dies with us.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lab.databases import Databases, databases
from benchmarks.lab.phones import Phones
from benchmarks.lab.service import Service, open_service
from tests.lab.asterisk import Asterisk

SCRIPT = "Please press 1 to confirm."
# A thousand calls at a time need two ports each; beyond the block that the tests draw from.
SAME = Path(__file__).with_name("same.conf")
RTP = "[general]\nrtpstart = 40000\nrtpend = 49999\n"


@dataclass(frozen=True)
class Rig:
    """Asterisk and phones. `service` starts a TeleAlarm that calls them."""

    asterisk: Asterisk
    phones: Phones
    databases: Databases
    stack: contextlib.AsyncExitStack

    async def service(self, **options: Any) -> Service:
        """Start a service on a new database. The options are those of `open_service`."""
        return await open_service(
            self.stack,
            self.asterisk,
            database=self.databases.new(),
            script=SCRIPT,
            setting={"call_timeout": 30},
            section={"timeout": 8},
            **options,
        )


@contextlib.asynccontextmanager
async def rig(database: str, key: float = 1.0) -> AsyncIterator[Rig]:
    """Start Asterisk and phones that press a key after `key` seconds; end them afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        phones = Phones(key=key)
        phones.start()
        stack.push_async_callback(phones.stop)
        asterisk = quiet_asterisk(phones.port)
        asterisk.configure("rtp.conf", lambda _: RTP)
        asterisk.configure("extensions.conf", lambda text: text + SAME.read_text())
        # The phones answer INVITE alone: the trunk is not asked whether it lives.
        asterisk.configure(
            "pjsip.conf",
            lambda text: text.replace("qualify_frequency = 30", "qualify_frequency = 0"),
        )
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        storage = await stack.enter_async_context(databases(database))
        yield Rig(asterisk, phones, storage, stack)


def quiet_asterisk(trunk_port: int) -> Asterisk:
    """Return an Asterisk, not yet started, that writes errors alone."""
    asterisk = Asterisk(trunk_port)
    asterisk.configure("logger.conf", lambda _: "[general]\n[logfiles]\nconsole = error\n")
    return asterisk
