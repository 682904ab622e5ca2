"""Serves resources and tasks over HTTP: permission, transaction, reply."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import hdrs, web
from peewee import ModelSelect

from telealarm.api.core import body, links
from telealarm.api.core.errors import ApiError, reply
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form, Sent, marked, read
from telealarm.api.fields.texts import Credential, Secret
from telealarm.api.rest import body_schemas, csv, lists, ordered, write
from telealarm.api.rest.idempotency import Once
from telealarm.api.rest.request_reader import RequestReader
from telealarm.api.rest.resource import Action, Resource
from telealarm.api.rest.tasks import Task
from telealarm.clock import utcnow
from telealarm.errors import NotVisible, StorageError
from telealarm.rules.audio import WAV
from telealarm.store.access import visibility
from telealarm.store.access.idempotency import Answer
from telealarm.store.engine.database import Database
from telealarm.store.engine.list_counts import Counts
from telealarm.store.engine.together import Together, together
from telealarm.store.survey.audio_files import Sound

log = logging.getLogger(__name__)

T = TypeVar("T")
Reply = TypeVar("Reply", bound=web.StreamResponse)


class Routes:
    """Serves resources. An application has one instance."""

    def __init__(self, db: Database, reader: RequestReader, once: Once) -> None:
        self._db = db
        self._reader = reader
        self._once = once
        self._counts = Counts()
        self._creates: dict[str, Together[RequestContext, Sent, Answer]] = {}
        self._recounts: set[asyncio.Task[None]] = set()

    def add(self, app: web.Application, resource: Resource) -> None:
        """Add the routes of a resource: its list, its rows, its actions."""
        path = f"{links.BASE}{resource.name}/"
        self._creates[resource.name] = _creation(resource)
        if resource.listed:
            app.router.add_route("*", path, self._guarded(self._list, resource))
        app.router.add_route("*", path + "{id}/", self._guarded(self._row, resource))
        for action in resource.actions:

            async def act(
                request: web.Request, resource: Resource, action: Action = action
            ) -> web.StreamResponse:
                return await self._act(request, resource, action)

            app.router.add_route("*", f"{path}{{id}}/{action.name}/", self._guarded(act, resource))

    def add_task(self, app: web.Application, task: Task) -> None:
        """Add the route of a task."""

        async def carry_out(request: web.Request) -> web.Response:
            return await self._carry_out(request, task)

        app.router.add_route("*", links.BASE + task.path, carry_out)

    async def root(self, request: web.Request, names: list[str]) -> web.Response:
        """Return the list of resources."""
        allow = ("GET", "HEAD", "OPTIONS")
        context = await self._reader.context(request, allow)
        if request.method == "OPTIONS":
            return _allowing(reply(200, {"name": "TeleAlarm"}), allow)
        resources = {name: f"{context.links.origin}{links.BASE}{name}/" for name in names}
        return _allowing(reply(200, resources), allow)

    def _guarded(
        self,
        serve: Callable[[web.Request, Resource], Awaitable[web.StreamResponse]],
        resource: Resource,
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await serve(request, resource)

        return handler

    async def _list(self, request: web.Request, resource: Resource) -> web.Response:
        context = await self._reader.context(request, resource.methods)
        if request.method == "OPTIONS":
            return _options(resource, resource.methods)
        write.check_allowed(context.login, resource, request.method)
        if request.method == "POST":
            return await self._create(request, resource, context)

        if csv.wanted(context):
            return _allowing(await self._sheet(resource, context), resource.methods)
        page = await self._db.read(lists.of_resource, context, resource, self._counts)
        for query in self._counts.stale():
            task = asyncio.create_task(self._recount(query))
            self._recounts.add(task)
            task.add_done_callback(self._recounts.discard)
        return _allowing(reply(200, page), resource.methods)

    async def _recount(self, query: "ModelSelect[Any]") -> None:
        """Count a list again, after the reply. So no list waits for its new count."""
        try:
            await self._db.read(self._counts.recount, query, utcnow())
        except StorageError as error:
            log.warning("a list could not be counted again: %s", error)
        finally:
            self._counts.done(query)

    async def _sheet(self, resource: Resource, context: RequestContext) -> web.Response:
        header = body_schemas.reply(resource)["properties"]
        text, following = await self._db.read(csv.of_resource, context, resource, header)
        response = web.Response(text=text, content_type="text/csv", charset="utf-8")
        response.headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{resource.name}.csv"'
        if following:
            response.headers[hdrs.LINK] = f'<{following}>; rel="next"'
        return response

    async def _create(
        self, request: web.Request, resource: Resource, context: RequestContext
    ) -> web.Response:
        sent = await self._reader.sent(request, resource, partial=False)
        await self._reader.weigh(context, resource, sent, None)

        form = resource.form or Form
        secret = bool({**marked(form, Secret), **marked(form, Credential)})
        asked = _asked(sent) if resource.upload else await request.read()
        create = self._creates[resource.name]
        writing = self._once.write(
            request, context, create, context, sent, body=asked, secret=secret
        )
        return await self._reader.write(writing, sent)

    async def _row(self, request: web.Request, resource: Resource) -> web.Response:
        context = await self._reader.context(request, resource.row_methods)
        if request.method == "OPTIONS":
            return _options(resource, resource.row_methods)
        write.check_allowed(context.login, resource, request.method)
        row_id = _id(request)
        if request.method in ("PUT", "PATCH"):
            shown = await self._change(request, resource, context, row_id)
        elif request.method == "DELETE":
            await self._delete(resource, context, row_id)
            return _allowing(web.Response(status=204), resource.row_methods)
        else:
            shown = await self._db.read(
                lambda: resource.show(
                    context, visibility.find(context.login, resource.model, row_id, by=resource.key)
                )
            )
        return _allowing(reply(200, shown), resource.row_methods)

    async def _change(
        self, request: web.Request, resource: Resource, context: RequestContext, row_id: int
    ) -> dict[str, Any]:
        if resource.upload:
            # Do not read a file for a row that does not exist.
            await self._db.read(
                visibility.find, context.login, resource.model, row_id, by=resource.key
            )
        sent = await self._reader.sent(request, resource, partial=request.method == "PATCH")
        await self._reader.weigh(context, resource, sent, row_id)

        def shown() -> dict[str, Any]:
            row = visibility.find(context.login, resource.model, row_id, by=resource.key)
            return resource.show(context, row)

        def work() -> tuple[int | None, dict[str, Any]]:
            changed = write.change(context, resource, sent, row_id)
            return getattr(changed, "order_id", None), shown()

        order_id, after = await self._reader.write(self._db.write(work), sent)
        if order_id is None:
            return after
        await ordered.outcome(self._db, order_id)
        return await self._db.read(shown)

    async def _delete(self, resource: Resource, context: RequestContext, row_id: int) -> None:
        await self._db.write(lambda: write.remove(context, resource, row_id))

    async def _act(
        self, request: web.Request, resource: Resource, action: Action
    ) -> web.StreamResponse:
        context = await self._reader.context(request, action.methods)
        if request.method == "OPTIONS":
            return _options(resource, action.methods)
        write.check_allowed(context.login, resource, action.method)
        row_id = _id(request)
        asked = await body.read(request) if action.method != "GET" else {}
        sent = write.read_action(action, asked)

        if action.ordered:
            order_id = await self._db.write(write.act, context, resource, action, sent, row_id)
            order = await ordered.outcome(self._db, order_id)
            return reply(200, order.result, _headers(action.methods, None))

        def work() -> Answer:
            shown = write.act(context, resource, action, sent, row_id)
            link = shown["url"] if action.status == 201 else None
            return Answer(action.status, shown, _headers(action.methods, link))

        if action.method == "GET" or not action.writes:
            answer = await self._db.read(work)
            if isinstance(answer.body, Path):
                return _allowing(await _file(answer.body), action.methods)
            return reply(answer.status, answer.body, answer.headers)
        return await self._once.write(request, context, work, body=await request.read())

    async def _carry_out(self, request: web.Request, task: Task) -> web.Response:
        context = await self._reader.context(request, task.methods)
        if request.method == "OPTIONS":
            described = {"name": task.path.strip("/"), "parses": ["application/json"]}
            return _allowing(reply(200, described), task.methods)
        if task.superusers_only and not context.login.is_superuser:
            raise ApiError(403, write.FORBIDDEN)
        asked = await body.read(request) if task.method == "POST" else {}
        sent = read(task.form, asked, read_only=frozenset(), partial=False)

        def work() -> Answer:
            answer = write.carry_out(context, task, sent)
            return Answer(200, answer, _headers(task.methods, None))

        if task.method == "GET" or not task.writes:
            answer = await self._db.read(work)
            return reply(answer.status, answer.body, answer.headers)
        asked_bytes = await request.read()
        return await self._once.write(
            request, context, work, body=asked_bytes, secret=task.personal
        )


def _creation(resource: Resource) -> Together[RequestContext, Sent, Answer]:
    """Return the write that creates rows of the resource, each for one request."""

    @together
    def create(news: Sequence[write.New]) -> list[Answer]:
        # If the write is repeated, it begins with what was sent.
        news = [(context, sent.copy()) for context, sent in news]
        return [
            Answer(201, shown, _headers(resource.methods, shown["url"]))
            for shown in write.answer_all(resource, news)
        ]

    return create


def _id(request: web.Request) -> int:
    row_id = links.row_id(request.match_info["id"])
    if row_id is None:
        raise NotVisible
    return row_id


def _options(resource: Resource, methods: tuple[str, ...]) -> web.Response:
    parses = "multipart/form-data" if resource.upload else "application/json"
    described = {"name": resource.name, "parses": [parses]}
    return _allowing(reply(200, described), methods)


async def _file(path: Path) -> web.StreamResponse:
    """Return the sound file. Raises NotVisible if it no longer exists."""
    if not await asyncio.to_thread(path.is_file):
        raise NotVisible
    return web.FileResponse(path, headers={"Content-Type": WAV, "Cache-Control": "private"})


def _asked(sent: Sent) -> bytes:
    """Return the fields of an upload as bytes.

    The body itself has another boundary each time it is sent. These bytes stay the same.
    """
    fields = {
        name: value.digest if isinstance(value, Sound) else value
        for name, value in sent.values.items()
    }
    return json.dumps(fields, sort_keys=True, default=str).encode()


def _headers(methods: tuple[str, ...], link: str | None) -> dict[str, str]:
    """Return the headers of an answer: the allowed methods, and the link to the new row."""
    headers = {str(hdrs.ALLOW): ", ".join(methods)}
    if link is not None:
        headers[hdrs.LOCATION] = link
    return headers


def _allowing(response: Reply, methods: tuple[str, ...]) -> Reply:
    response.headers[hdrs.ALLOW] = ", ".join(methods)
    return response
