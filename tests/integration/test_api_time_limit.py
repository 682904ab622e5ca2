"""A handler that takes longer than its limit answers 503, not never."""

import asyncio
import logging
import threading

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from telealarm.api.core import errors
from tests.integration.api_client import Api


async def test_a_handler_over_its_limit_is_503(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(errors, "TIME_LIMIT", 0.05)
    given_up = asyncio.Event()

    async def endless(request: web.Request) -> web.Response:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        raise AssertionError

    app = web.Application(middlewares=[errors.answer_errors])
    app.router.add_get("/", endless)
    caplog.set_level(logging.ERROR)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as session,
        session.get(server.make_url("/")) as reply,
    ):
        assert reply.status == 503
        assert await reply.json() == {"detail": "This took too long; try again later."}
        assert reply.headers["Retry-After"] == "5"
        request_id = reply.headers["X-Request-ID"]
    assert given_up.is_set()
    assert request_id in caplog.text


async def test_a_database_that_is_held_up_is_503_and_then_serves_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await api.get("calendar/")).status == 200
    go_on = threading.Event()
    held = asyncio.ensure_future(api.db.write(go_on.wait))
    monkeypatch.setattr(errors, "TIME_LIMIT", 0.5)
    try:
        reply = await api.post("survey-template/", {"name": "late"})
        assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    finally:
        go_on.set()
    await held
    monkeypatch.setattr(errors, "TIME_LIMIT", 30.0)
    assert (await api.post("survey-template/", {"name": "in time"})).status == 201
