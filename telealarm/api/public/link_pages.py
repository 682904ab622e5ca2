"""/links/{token}: the pages behind the links in messages. GET changes nothing.

So a mail scanner that follows every link does no harm. Only a POST carries out the purpose of a
link: the POST of the page's button, or the one-click POST of RFC 8058.
"""

import html
import re
from collections.abc import Callable

from aiohttp import web

from telealarm import i18n
from telealarm.clock import utcnow
from telealarm.models import Alarm, Installation
from telealarm.rules import placeholders, signed_links
from telealarm.rules.signed_links import Link
from telealarm.store import do_not_call
from telealarm.store.engine import recipients
from telealarm.store.engine.database import Database
from telealarm.store.engine.timeline import record
from telealarm.store.messages.compose import Composer
from telealarm.store.outcome import answers
from telealarm.words import AlarmResult, ReplyOutcome, TimelineWord

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "X-Robots-Tag": "noindex, nofollow",
}
PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ font: 1.2em sans-serif; margin: 3em auto; max-width: 30em; padding: 0 1em }}
button {{ font: inherit; padding: .5em 1.5em }}</style></head>
<body><h1>{title}</h1><p>{text}</p>{form}</body></html>
"""
FORM = '<form method="post"><button type="submit">{word}</button></form>'
RESULTS = {"confirm": AlarmResult.CONFIRMED, "cancel": AlarmResult.CANCELLED}


class LinkPages:
    """The pages. `composer` gives the title and the time of the event."""

    def __init__(self, db: Database, composer: Composer) -> None:
        self._db = db
        self._composer = composer

    def add(self, app: web.Application) -> None:
        app.router.add_get("/links/{token}", self._show)
        app.router.add_post("/links/{token}", self._do)

    async def _show(self, request: web.Request) -> web.Response:
        return await self._db.read(self._answer, request, self._look)

    async def _do(self, request: web.Request) -> web.Response:
        return await self._db.write(self._answer, request, self._act)

    def _answer(
        self, request: web.Request, respond: Callable[[Link, Alarm, "LinkPage"], web.Response]
    ) -> web.Response:
        link = signed_links.read(Installation.get().secret, request.match_info["token"])
        alarm = Alarm.get_or_none(Alarm.id == link.alarm_id) if link else None
        if link is None or alarm is None or link.kind not in signed_links.KINDS:
            page = LinkPage(_browsers(request))
            return page.write(404, page.texts.no_link)
        page = LinkPage(recipients.language(alarm))
        if link.expires <= utcnow():
            return page.write(410, page.texts.expired)
        return respond(link, alarm, page)

    def _look(self, link: Link, alarm: Alarm, page: "LinkPage") -> web.Response:
        """Return the page that explains the link, with a button to carry it out."""
        button = str(getattr(page.texts, f"{link.kind}_button"))
        if link.kind == "unsubscribe":
            return page.write(200, page.to_recipient(page.texts.stop_asked, link), button=button)
        about = self._about(alarm, page)
        if alarm.result != AlarmResult.NONE:
            return page.write(200, page.outcome(alarm), about)
        if not answers.is_open(alarm, alarm.event, utcnow()):
            return page.write(410, page.texts.closed, about)
        return page.write(200, "", about, button)

    def _act(self, link: Link, alarm: Alarm, page: "LinkPage") -> web.Response:
        """Carry out the purpose of the link. Return the page that confirms it."""
        now = utcnow()
        if link.kind == "unsubscribe":
            is_mail = "@" in link.recipient
            recipient = {"email" if is_mail else "number": link.recipient}
            if do_not_call.opt_out(alarm.owner_id, **recipient):
                record(
                    alarm.id, TimelineWord.STOP, f"{link.recipient} wants no more messages", at=now
                )
            return page.write(200, page.to_recipient(page.texts.stopped, link))
        if answers.answer(alarm, RESULTS[link.kind], "by a link", now) is ReplyOutcome.CLOSED:
            return page.write(410, page.texts.closed, self._about(alarm, page))
        return page.write(200, page.outcome(alarm), self._about(alarm, page))

    def _about(self, alarm: Alarm, page: "LinkPage") -> str:
        """Return the title and the time of the event."""
        values = self._composer.values(alarm, utcnow()) | {"title": alarm.event.title}
        return placeholders.fill(page.texts.about, values)


class LinkPage:
    """A page in the recipient's language."""

    def __init__(self, language: str | None) -> None:
        self._language = i18n.code(language)
        self.texts = i18n.of(language).written.page

    def to_recipient(self, text: str, link: Link) -> str:
        """Return `text` with the recipient of the link filled in."""
        return text.replace("{recipient}", link.recipient)

    def outcome(self, alarm: Alarm) -> str:
        """Return the text about the alarm's answer."""
        by_result: dict[int, str] = {
            AlarmResult.CONFIRMED: self.texts.confirmed,
            AlarmResult.CANCELLED: self.texts.cancelled,
        }
        return by_result.get(alarm.result, self.texts.answered)

    def write(self, status: int, text: str, title: str = "", button: str = "") -> web.Response:
        """Return the page. Without a `title`, `text` is the title. `button` is a button's word."""
        form = FORM.format(word=html.escape(button)) if button else ""
        body = PAGE.format(
            language=self._language,
            title=html.escape(title or text),
            text=html.escape(text) if title else "",
            form=form,
        )
        return web.Response(status=status, text=body, content_type="text/html", headers=HEADERS)


def _browsers(request: web.Request) -> str:
    """Return the browser's first language. It is used if the recipient is not known."""
    return re.split("[,;]", request.headers.get("Accept-Language", ""))[0].strip()
