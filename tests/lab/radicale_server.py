"""A real CalDAV server, Radicale, and a calendar of it that changes under a feed."""

import sys
from pathlib import Path
from uuid import uuid4

import aiohttp

from tests.lab.ports import HOST, free_tcp_port
from tests.lab.processes import Child
from tests.lab.waiting import until

USER, PASSWORD = "practice", "s3cret"

_MAKE = """<?xml version="1.0" encoding="utf-8"?>
<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"/>"""


class RadicaleServer:
    """The process. Each `RadicaleCalendar` has a calendar of its own there."""

    def __init__(self, folder: Path) -> None:
        self.port = free_tcp_port()
        users = folder / "users"
        users.write_text(f"{USER}:{PASSWORD}\n")
        self.child = Child(
            [
                *(sys.executable, "-m", "radicale", "--config", ""),
                *("--server-hosts", f"{HOST}:{self.port}"),
                *("--auth-type", "htpasswd", "--auth-htpasswd-filename", str(users)),
                *("--auth-htpasswd-encryption", "plain", "--auth-delay", "0"),
                *("--storage-filesystem-folder", str(folder / "collections")),
            ],
            folder / "radicale.log",
        )


class RadicaleCalendar:
    """A calendar, into which another program of the practice puts events."""

    def __init__(self, server: RadicaleServer) -> None:
        self.port = server.port
        self.url = f"http://{HOST}:{self.port}/{USER}/{uuid4().hex}/"
        login = aiohttp.encode_basic_auth(USER, PASSWORD)
        self.session = aiohttp.ClientSession(headers={"Authorization": login})

    async def start(self) -> None:
        await until(self._answers, 30, "Radicale answers")
        assert await self._send("MKCALENDAR", "", _MAKE) == 201

    async def stop(self) -> None:
        await self.session.close()

    async def put(self, uid: str, event: str) -> None:
        """Write a VEVENT, given as its lines without BEGIN and END."""
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//practice//EN", "BEGIN:VEVENT"]
        lines += ["DTSTAMP:20261101T000000Z", *event.strip().splitlines()]
        text = "\r\n".join([*lines, "END:VEVENT", "END:VCALENDAR", ""])
        assert await self._send("PUT", f"{uid}.ics", text) in (201, 204)

    async def get(self, uid: str) -> str:
        """The resource as it is there."""
        async with self.session.get(f"{self.url}{uid}.ics") as reply:
            assert reply.status == 200
            return (await reply.text()).replace("\r\n ", "")

    async def delete(self, uid: str) -> None:
        assert await self._send("DELETE", f"{uid}.ics", "") in (200, 204)

    async def _send(self, method: str, path: str, body: str) -> int:
        async with self.session.request(method, self.url + path, data=body.encode()) as reply:
            return reply.status

    async def _answers(self) -> bool:
        try:
            async with self.session.get(f"http://{HOST}:{self.port}/.web/") as reply:
                return reply.status < 500
        except aiohttp.ClientError:
            return False
