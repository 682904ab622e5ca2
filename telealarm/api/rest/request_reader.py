"""Reads requests: the login, the body and its files. Checks the body by the resource's form."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

from telealarm.api.core import body, links
from telealarm.api.core.addresses import Proxies
from telealarm.api.core.auth import Logins
from telealarm.api.core.errors import ApiError
from telealarm.api.core.links import Links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import REQUIRED, Sent, marked
from telealarm.api.fields.texts import Secret
from telealarm.api.rest import body_schemas, write
from telealarm.api.rest.resource import Resource
from telealarm.api.rest.uploads import Uploads
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.engine import failures
from telealarm.store.engine.database import Database
from telealarm.store.survey.audio_files import AudioFolder, Sound
from telealarm.store.survey.voice_messages import VoiceMessages

log = logging.getLogger(__name__)

T = TypeVar("T")


class RequestReader:
    """Turns a request into what a resource needs. An application has one instance."""

    def __init__(
        self,
        db: Database,
        config: Config,
        recordings: AudioFolder,
        logins: Logins,
        proxies: Proxies,
    ) -> None:
        self._db = db
        self._config = config
        self._recordings = recordings
        self._logins = logins
        self._proxies = proxies
        self._voice_messages = VoiceMessages(config.path(config.recordings.folder))
        self._guard = UrlGuard(config.webhooks.allow)
        self._uploads = Uploads()

    async def context(self, request: web.Request, methods: tuple[str, ...]) -> RequestContext:
        """Return the context of the request.

        Raises ApiError: 401 without a login, 405 for a method that is not allowed here.
        """
        login = await self._logins.login(request)
        if request.method not in methods:
            raise ApiError(
                405, f'Method "{request.method[:40]}" not allowed.', {"Allow": ", ".join(methods)}
            )
        api = self._config.api
        fallback = f"[{api.host}]:{api.port}" if ":" in api.host else f"{api.host}:{api.port}"
        return RequestContext(
            login=login,
            links=Links(links.origin(self._proxies.scheme(request), request.host, fallback)),
            path=request.path,
            query=dict(request.query),
            now=utcnow(),
            recordings=self._recordings,
            guard=self._guard,
            feeds=self._config.feeds,
            voice_messages=self._voice_messages,
        )

    async def sent(self, request: web.Request, resource: Resource, *, partial: bool) -> Sent:
        """Return the fields of the body, checked by the form. Passwords are hashed already."""
        assert resource.form is not None
        upload = resource.upload
        fields = await (self._uploads.read(request, upload) if upload else body.read(request))
        sent = write.read(resource, fields, partial=partial)
        if upload and upload in sent.values and not sent.errors:
            await self._keep(sent.values[upload])
        secrets = marked(resource.form, Secret)
        if request.method == "POST":
            needed = [*secrets, *body_schemas.needed(resource.form)]
            missing = [name for name in needed if sent.values.get(name) is None]
            sent.errors.update((name, [REQUIRED]) for name in missing if name not in sent.errors)
        if not sent.errors:
            for column, password in write.take_passwords(sent):
                sent.values[column] = await self._logins.hashed(password)
        return sent

    async def weigh(
        self, context: RequestContext, resource: Resource, sent: Sent, row_id: int | None
    ) -> None:
        """Run the slow checks. The write that follows reports all other errors."""
        if resource.weigh is not None and not sent.errors:
            await self._db.read(lambda: write.weigh(context, resource, sent, row_id))

    async def write(self, writing: Awaitable[T], sent: Sent) -> T:
        """Await a write. If it fails, delete the sounds of the request."""
        sounds = [value for value in sent.values.values() if isinstance(value, Sound)]
        try:
            return await writing
        except TeleAlarmError:
            for sound in sounds:
                await self._db.write(self._recordings.discard, sound.digest)
            raise

    async def _keep(self, sound: Sound) -> None:
        """Write the file of a sound. The file exists before its row."""
        try:
            await asyncio.to_thread(self._recordings.keep, sound)
        except OSError as error:
            raise failures.of(error, "prompts.folder: a recording cannot be kept", None) from error
