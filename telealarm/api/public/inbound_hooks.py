"""/hooks/sms/{gateway}/{secret}/: requests from SMS gateways. The secret in the path is the login.

`inbound/` gets replies. `report/` gets delivery reports. They arrive as JSON, as a form, or in the
query. The gateway's settings name its fields.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from telealarm.api.core import body
from telealarm.api.core.errors import ApiError, reply
from telealarm.clock import utcnow
from telealarm.errors import Invalid, NotVisible
from telealarm.methods.sms.provider import found_at
from telealarm.models import SmsGateway
from telealarm.rules import phone
from telealarm.rules.text import safe
from telealarm.store.engine.database import Database
from telealarm.store.messages import sms_gateways
from telealarm.store.messages.compose import Composer
from telealarm.store.messaging import replies, result
from telealarm.words import ReportOutcome

LARGEST = 64 * 1024
PATH = "/hooks/sms/{gateway}/{secret}/"
# The words of a report, if the gateway's settings name no others.
DELIVERED = ("delivered", "delivrd", "success", "ok")
FAILED = ("failed", "undelivered", "undeliv", "rejected", "rejectd", "expired", "error", "deleted")


class Hooks:
    """The two hooks. `composer` writes the answers to replies."""

    def __init__(self, db: Database, composer: Composer) -> None:
        self._db = db
        self._composer = composer

    def add(self, app: web.Application) -> None:
        for method in ("GET", "POST"):
            app.router.add_route(method, PATH + "inbound/", self._inbound)
            app.router.add_route(method, PATH + "report/", self._report)

    async def _inbound(self, request: web.Request) -> web.Response:
        gateway, sent = await self._read(request)
        names = {"id": "id", "from": "from", "text": "text"} | gateway.settings.get("inbound", {})
        fields = _fields(sent, names, needed=("from",))
        if not phone.is_dialable(phone.clean(fields["from"])):
            raise Invalid({names["from"]: ["must be the sender's phone number"]})
        outcome = await self._db.write(
            replies.reply,
            gateway,
            fields["id"],
            fields["from"],
            fields["text"],
            self._composer,
            utcnow(),
        )
        return reply(200, {"outcome": outcome})

    async def _report(self, request: web.Request) -> web.Response:
        gateway, sent = await self._read(request)
        configured = gateway.settings.get("report", {})
        names = {
            "id": configured.get("id", "id"),
            "status": configured.get("status", "status"),
            "said": configured.get("said", "error"),
        }
        fields = _fields(sent, names, needed=("id", "status"))
        status = fields["status"].casefold()
        delivered = {word.casefold() for word in configured.get("delivered", DELIVERED)}
        failed = {word.casefold() for word in configured.get("failed", FAILED)}
        if status not in delivered | failed:
            return reply(200, {"outcome": ReportOutcome.IGNORED})  # not final yet
        words = f"{fields['status']} {fields['said']}".strip()
        outcome = await self._db.write(
            result.report, gateway, fields["id"], status in delivered, words, utcnow()
        )
        return reply(200, {"outcome": outcome})

    async def _read(self, request: web.Request) -> tuple[SmsGateway, Any]:
        """Return the gateway, and the fields that it sent. Raises NotVisible, ApiError."""
        row_id, secret = request.match_info["gateway"], request.match_info["secret"]
        number = int(row_id) if row_id.isascii() and row_id.isdigit() and len(row_id) < 10 else 0
        gateway = await self._db.read(SmsGateway.get_or_none, SmsGateway.id == number)
        if gateway is None or not sms_gateways.is_secret(gateway, secret, utcnow()):
            raise NotVisible
        if request.content_length is not None and request.content_length > LARGEST:
            raise ApiError(413, "64 KiB is the most.")
        raw = await body.whole(request)
        if len(raw) > LARGEST:
            raise ApiError(413, "64 KiB is the most.")
        if not raw:
            return gateway, dict(request.query)
        if request.content_type == "application/x-www-form-urlencoded":
            form = parse_qsl(raw.decode(errors="replace"), keep_blank_values=True)
            return gateway, {**request.query, **dict(form)}
        try:
            return gateway, json.loads(raw.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise ApiError(
                400, "The body must be JSON, or a form as application/x-www-form-urlencoded."
            ) from None


def _fields(sent: Any, names: dict[str, str], needed: tuple[str, ...]) -> dict[str, str]:
    """Return the fields as texts. Raises Invalid with each missing or wrong field."""
    values: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for field, path in names.items():
        value = sent.get(path) if isinstance(sent, dict) and path in sent else found_at(sent, path)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
            value = str(value)
        if value is None and field == "text":
            errors[path] = ["this field is required; it may be empty"]
            continue
        if value is None:
            value = ""
        if not isinstance(value, str):
            errors[path] = ["must be a text"]
        elif field in needed and not value.strip():
            errors[path] = ["this field is required"]
        elif len(value) > (200 if field != "text" else 10_000):
            errors[path] = ["is too long"]
        elif not safe(value, lines=field in ("text", "said")):
            errors[path] = ["must not hold control characters"]
        else:
            values[field] = value.strip()
    if errors:
        raise Invalid(errors)
    return values
