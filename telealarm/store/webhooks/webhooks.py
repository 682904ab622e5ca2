"""Webhooks: who is notified of a change. A delivery is a row, written with the change itself."""

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from telealarm.errors import Conflict
from telealarm.models import Alarm, AlarmRequest, DncContact, Webhook, WebhookDelivery
from telealarm.models.gateway import ACTIVE, INACTIVE
from telealarm.store.engine import crud, read_cache
from telealarm.store.engine.database import wake
from telealarm.store.engine.prepared import Given, Prepared
from telealarm.store.webhooks import deliveries
from telealarm.words import AlarmResult, Change

# The most webhooks of a manager: each change creates a delivery for each of them.
MOST = 20
# How long a replaced secret signs beside the new one.
BOTH_SIGN = timedelta(days=1)


def tell(alarm: Alarm, change: Change, now: datetime, request: AlarmRequest | None = None) -> None:
    """Notify the webhooks of the alarm's owner of a change; of a result, its own URL too.

    Call it within the write that makes the change, after the rows have changed.
    """
    hooks = _hooks(alarm.owner_id, change)
    result_url = _own_url(alarm) if change is Change.RESULT else ""
    if not hooks and not result_url:
        return
    notice = _Notice(change, now, {**_of_alarm(alarm), "attempt": _of_attempt(request)}, alarm)
    for webhook in hooks:
        notice.write(alarm.owner_id, webhook.target_url, webhook)
    if result_url:
        notice.write(alarm.owner_id, result_url)


def tell_contact(contact: DncContact, now: datetime) -> None:
    """Notify the webhooks of the list's owner of a new do-not-call contact."""
    data = {
        "dnc_contact": contact.id,
        "dnc_list": contact.dnc_id,
        "phone_number": contact.phone_number,
        "email": contact.email,
    }
    notice = _Notice(Change.DO_NOT_CALL, now, data)
    owner_id = contact.dnc.owner_id
    for webhook in _hooks(owner_id, Change.DO_NOT_CALL):
        notice.write(owner_id, webhook.target_url, webhook)


def add(owner_id: int, values: Mapping[str, Any]) -> Webhook:
    """Create a webhook with a secret. Raises Conflict if the owner has too many."""
    if Webhook.select().where(Webhook.owner == owner_id).count() >= MOST:
        raise Conflict(f"You have {MOST} webhooks, and no more are allowed; delete one.")
    return crud.insert(Webhook, {**values, "owner": owner_id, "secret": new_secret()})


def change(webhook: Webhook, values: Mapping[str, Any]) -> None:
    """Edit a webhook. Switching it on resets its failures; switching it off drops what waits."""
    columns = dict(values)
    if columns.get("status") == ACTIVE and webhook.status != ACTIVE:
        columns |= {"status_reason": "", "failing_since": None}
    crud.change(webhook, columns)
    if webhook.status == INACTIVE:
        deliveries.call_off(webhook)


def rotate(webhook: Webhook, now: datetime) -> None:
    """Create a new secret. The old one signs beside it for a day."""
    old = {"old_secret": webhook.secret, "old_until": now + BOTH_SIGN}
    crud.change(webhook, {**old, "secret": new_secret()})


def new_secret() -> str:
    """Return 32 random bytes in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _hooks(owner_id: int, change: Change) -> list[Webhook]:
    """Return the webhooks to notify of this change."""
    hooks = read_cache.once(("hooks", owner_id), lambda: _ACTIVE.rows(owner=owner_id))
    return [webhook for webhook in hooks if not webhook.events or change in webhook.events]


_ACTIVE = Prepared(
    Webhook,
    lambda: (
        Webhook.select()
        .where(Webhook.owner == Given("owner", Webhook.owner), Webhook.status == ACTIVE)
        .order_by(Webhook.id)
    ),
)


def _own_url(alarm: Alarm) -> str:
    """Return the alarm's own URL for its result; empty if it has none."""
    urls = {AlarmResult.CONFIRMED: alarm.url_confirm, AlarmResult.CANCELLED: alarm.url_cancel}
    return next((url for result, url in urls.items() if result == alarm.result), "")


class _Notice:
    """A change in the form of its deliveries; `write` creates one."""

    def __init__(
        self,
        change: Change,
        now: datetime,
        data: Mapping[str, Any],
        alarm: Alarm | None = None,
    ) -> None:
        self._change = change
        self._now = now
        self._alarm = alarm
        body = {"type": change.value, "timestamp": _stamp(now), "data": data}
        self._payload = json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    def write(self, owner_id: int, url: str, webhook: Webhook | None = None) -> None:
        message_id = f"msg_{uuid4().hex}"
        about = self._alarm.id if self._alarm else message_id
        endpoint = f"{owner_id} {urlsplit(url).netloc.lower()}"
        WebhookDelivery.create(
            owner=owner_id,
            webhook=webhook,
            alarm=self._alarm,
            message_id=message_id,
            type=self._change.value,
            target_url=url,
            endpoint=endpoint,
            lane=f"{webhook.id if webhook else endpoint} {about}",
            payload=self._payload,
            date=self._now,
            created_date=self._now,
        )
        wake("webhooks")


def _of_alarm(alarm: Alarm) -> dict[str, Any]:
    event = alarm.event
    return {
        "alarm": alarm.id,
        "event": event.id,
        "parent_event": event.parent_event_id,
        "title": event.title,
        "event_start": _stamp(event.start),
        "method": alarm.method,
        "alarm_phonenumber": alarm.alarm_phonenumber,
        "alarm_email": alarm.alarm_email,
        "status": alarm.status,
        "status_reason": alarm.status_reason,
        "result": alarm.result,
        "num_attempt": alarm.num_attempt,
    }


def _of_attempt(request: AlarmRequest | None) -> dict[str, Any] | None:
    if request is None:
        return None
    return {
        "alarm_request": request.id,
        "date": _stamp(request.date),
        "status": request.status,
        "status_reason": request.status_reason,
        "callstatus": request.callstatus,
        "duration": request.duration,
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
