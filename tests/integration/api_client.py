"""The API as a client sees it, and the clinic that most tests begin with."""

import io
import json
import math
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import BaseTestServer
from yarl import URL

from telealarm.api.app import make_app
from telealarm.api.core.addresses import Proxies
from telealarm.api.public.probes import Health
from telealarm.api.server import ApiServer
from telealarm.config.model import Config
from telealarm.store.engine.database import Database

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    # The JSON that came, or None.
    body: Any
    text: str


class Served:
    """An application on a free port of 127.0.0.1, served as the service serves it."""

    def __init__(self, app: web.Application, config: Config, most: int | None = None) -> None:
        self._server = ApiServer(app, Proxies(config.api.trusted_proxies), most)
        self._port = 0

    async def __aenter__(self) -> "Served":
        self._port = await self._server.start("127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._server.stop()

    def make_url(self, path: str) -> URL:
        return URL.build(scheme="http", host="127.0.0.1", port=self._port).join(URL(path))


class Api:
    """Sends requests, as the manager `manager` where nobody else is named."""

    def __init__(
        self, session: aiohttp.ClientSession, server: BaseTestServer | Served, db: Database
    ) -> None:
        self._session = session
        self.origin = str(server.make_url("")).rstrip("/")
        self.db = db

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str | None = "manager",
        password: str = PASSWORD,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request. `path` is absolute, or starts below /rest-api/."""
        sent = dict(headers or {})
        if user is not None:
            sent.setdefault("Authorization", aiohttp.encode_basic_auth(user, password))
        if raw is None and body is not None:
            raw = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if path.startswith("http"):
            address = path
        else:
            address = self.origin + (path if path.startswith("/") else f"/rest-api/{path}")
        async with self._session.request(
            method, address, data=raw and io.BytesIO(raw), headers=sent, allow_redirects=False
        ) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text
            return Reply(
                response.status,
                dict(response.headers),
                json.loads(text) if is_json else None,
                text,
            )

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.send("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return await self.send("POST", path, body, **options)

    async def patch(self, path: str, body: Any, **options: Any) -> Reply:
        return await self.send("PATCH", path, body, **options)

    async def put(self, path: str, body: Any, **options: Any) -> Reply:
        return await self.send("PUT", path, body, **options)

    async def delete(self, path: str, **options: Any) -> Reply:
        return await self.send("DELETE", path, **options)

    async def upload(
        self, path: str, fields: dict[str, str | bytes], *, method: str = "POST", **options: Any
    ) -> Reply:
        """Send a form: texts as its fields, bytes as its files."""
        boundary, form = "b0undary", b""
        for name, value in fields.items():
            file = '; filename="../sound.txt"' if isinstance(value, bytes) else ""
            form += (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n'.encode()
            )
            form += b"\r\n" + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        form += f"--{boundary}--\r\n".encode()
        return await self.send(method, path, raw=form, headers=headers, **options)

    async def recorded(self, name: str = "greeting", **options: Any) -> dict[str, Any]:
        """A new recording, of half a second."""
        reply = await self.upload("audio-files/", {"name": name, "audio_file": tone()}, **options)
        assert reply.status == 201, reply.text
        found: dict[str, Any] = reply.body
        return found

    async def made(self, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """The new row that a POST is answered with."""
        reply = await self.post(path, body, **options)
        assert reply.status == 201, reply.text
        found: dict[str, Any] = reply.body
        return found


@asynccontextmanager
async def serving(
    db: Database,
    config: Config,
    prompts: Path,
    health: Health | None = None,
    most: int | None = None,
) -> AsyncIterator[Api]:
    """The API on this database, as the service serves it. `most`: its connections."""

    async def readiness() -> Health:
        return health or Health({}, {})

    app = make_app(db, config, readiness=readiness, prompts=prompts)
    async with Served(app, config, most) as server, aiohttp.ClientSession() as session:
        yield Api(session, server, db)


def tone(seconds: float = 0.5, rate: int = 16000, pitch: int = 440) -> bytes:
    """A wav file that is not silent."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        waves = (math.sin(2 * math.pi * pitch * n / rate) for n in range(round(seconds * rate)))
        file.writeframes(b"".join(struct.pack("<h", round(12000 * wave)) for wave in waves))
    return out.getvalue()


async def gateways(api: Api) -> tuple[str, str]:
    """What the superuser provides: a gateway and an SMS gateway; their links."""
    gateway = await api.made(
        "gateway/",
        {"name": "trunk", "gateways": "PJSIP/{number}@trunk", "extensions": True},
        user="root",
    )
    sms = await api.made(
        "sms-gateway/", {"name": "sms", "settings": {"url": "http://127.0.0.1:9/"}}, user="root"
    )
    return gateway["url"], sms["url"]


async def sealed_survey(api: Api, user: str = "manager") -> str:
    """A sealed survey of one rating section; its link."""
    template = await api.made("survey-template/", {"name": "Appointment"}, user=user)
    await api.made(
        "section-template/",
        {
            "survey": template["url"],
            "type": 3,
            "question": "Will you come?",
            "script": "Press 1 to confirm, 2 to cancel.",
            "rating_laps": 3,
        },
        user=user,
    )
    sealed = await api.made(template["url"] + "seal/", user=user)
    link: str = sealed["url"]
    return link


@dataclass(frozen=True)
class Clinic:
    """The links of what a manager has set up before the first event."""

    survey: str
    gateway: str
    setting: str
    user: str
    calendar: str


async def clinic(api: Api, user: str = "manager", **calendar: Any) -> Clinic:
    """A clinic that is ready for events, owned by `user`."""
    found = await api.get("gateway/", user="root")
    if not found.body["results"]:
        await gateways(api)
    gateway = (await api.get("gateway/", user="root")).body["results"][0]["url"]
    survey = await sealed_survey(api, user)
    setting = await api.made(
        "calendar-setting/",
        {"label": "clinic", "survey": survey, "aleg_gateway": gateway},
        user=user,
    )
    doctor = await api.made(
        "calendar-user/", {"username": f"doctor of {user}", "password": "x"}, user=user
    )
    book = await api.made(
        "calendar/", {"name": "book", "user": doctor["url"], **calendar}, user=user
    )
    return Clinic(survey, gateway, setting["url"], doctor["url"], book["url"])


def id_of(link: str) -> int:
    """The id that a link ends with."""
    return int(link.rstrip("/").rsplit("/", 1)[1])
