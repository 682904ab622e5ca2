"""/links/{token}: the pages behind the links in messages. GET shows and changes nothing.

A mail scanner that follows every link does no harm: what a link is for is done by the POST of
its page's button, or by the one-click POST of RFC 8058.
"""

import html
from datetime import datetime
from functools import partial

from aiohttp import web

from telealarm.clock import utcnow
from telealarm.models import Alarm, Installation
from telealarm.rules import signed
from telealarm.rules.states import AlarmResult, Method
from telealarm.store import answers, do_not_call
from telealarm.store.answers import Answered
from telealarm.store.composing import Composer
from telealarm.store.database import Database
from telealarm.store.timeline import tell

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 1.2em sans-serif; margin: 3em auto; max-width: 30em; padding: 0 1em }}
button {{ font: inherit; padding: .5em 1.5em }}</style></head>
<body><h1>{title}</h1><p>{text}</p>{form}</body></html>
"""
FORM = '<form method="post"><button type="submit">{word}</button></form>'
RESULTS = {"confirm": AlarmResult.CONFIRMED, "cancel": AlarmResult.CANCELLED}
ASKS = {"confirm": "Confirm", "cancel": "Cancel the appointment", "unsubscribe": "Unsubscribe"}
SAID: dict[int, str] = {
    AlarmResult.CONFIRMED: "It is confirmed.",
    AlarmResult.CANCELLED: "It is cancelled.",
}


class LinkPages:
    """The pages. `composer` says what the event is, and when."""

    def __init__(self, db: Database, composer: Composer) -> None:
        self._db = db
        self._composer = composer

    def add(self, app: web.Application) -> None:
        app.router.add_get("/links/{token}", self._show)
        app.router.add_post("/links/{token}", self._do)

    async def _show(self, request: web.Request) -> web.Response:
        return await self._db.read(partial(self._page, request.match_info["token"], utcnow()))

    async def _do(self, request: web.Request) -> web.Response:
        return await self._db.write(partial(self._act, request.match_info["token"], utcnow()))

    def _page(self, token: str, now: datetime) -> web.Response:
        found = self._find(token, now)
        if isinstance(found, web.Response):
            return found
        link, alarm = found
        if link.kind == "unsubscribe":
            text = f"No more messages to {self._address(alarm)}?"
            return _page(200, "Unsubscribe", text, ASKS[link.kind])
        if alarm.result != AlarmResult.NONE:
            return _page(200, self._what(alarm, now), _said(alarm.result))
        if not answers.is_open(alarm, alarm.event, now):
            return _page(410, self._what(alarm, now), "This cannot be answered any more.")
        return _page(200, self._what(alarm, now), "", ASKS[link.kind])

    def _act(self, token: str, now: datetime) -> web.Response:
        found = self._find(token, now)
        if isinstance(found, web.Response):
            return found
        link, alarm = found
        if link.kind == "unsubscribe":
            self._unsubscribe(alarm, now)
            return _page(200, "Unsubscribed", f"No more messages to {self._address(alarm)}.")
        done = answers.answer(alarm, RESULTS[link.kind], "by a link", now)
        if done is Answered.CLOSED:
            return _page(410, self._what(alarm, now), "This cannot be answered any more.")
        return _page(200, self._what(alarm, now), _said(alarm.result))

    def _find(self, token: str, now: datetime) -> tuple[signed.Link, Alarm] | web.Response:
        link = signed.read(Installation.get().secret, token)
        alarm = Alarm.get_or_none(Alarm.id == link.alarm_id) if link else None
        if link is None or alarm is None or link.kind not in signed.KINDS:
            return _page(404, "Not found", "This link is not complete; please open it anew.")
        if link.expires <= now:
            return _page(410, "Expired", "This link does not work any more.")
        return link, alarm

    def _unsubscribe(self, alarm: Alarm, now: datetime) -> None:
        if alarm.method == Method.EMAIL:
            do_not_call.opt_out(alarm.owner_id, email=alarm.alarm_email)
        else:
            do_not_call.opt_out(alarm.owner_id, number=alarm.alarm_phonenumber)
        tell(alarm.id, "stop", f"{self._address(alarm)} wants no more messages", at=now)

    def _address(self, alarm: Alarm) -> str:
        found: str = alarm.alarm_email if alarm.method == Method.EMAIL else alarm.alarm_phonenumber
        return found

    def _what(self, alarm: Alarm, now: datetime) -> str:
        said = self._composer.values(alarm, now)
        return f"{alarm.event.title}, {said['start_date']} {said['start_time']}"


def _said(result: int) -> str:
    return SAID.get(result, "It was answered.")


def _page(status: int, title: str, text: str, button: str = "") -> web.Response:
    form = FORM.format(word=html.escape(button)) if button else ""
    body = PAGE.format(title=html.escape(title), text=html.escape(text), form=form)
    return web.Response(status=status, text=body, content_type="text/html", headers=HEADERS)
