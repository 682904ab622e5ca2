"""Deliveries: from the change that created them to the endpoint."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import Expression

from telealarm.errors import Conflict
from telealarm.models import Webhook, WebhookDelivery
from telealarm.models.gateway import ACTIVE, INACTIVE
from telealarm.rules.webhook_retry import again, is_given_up
from telealarm.store.engine import dialect
from telealarm.store.engine.claim import Holder, claim, oldest
from telealarm.store.engine.crud import first
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move
from telealarm.words import DeliveryStatus, TimelineWord

# The most deliveries at a time: in all, of one manager, to one host of one manager.
ALL, OWNER, ENDPOINT = 64, 32, 4
# If a delivery is sent by hand again and again, this many tries are kept.
TRIES = 50


@dataclass(frozen=True)
class Delivery:
    """A claimed delivery. `secrets` sign it, the newest first."""

    row: WebhookDelivery
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Try:
    """How a try ended: `status` (HTTP) if there was an answer; `why` if it was no 2xx.

    `permanent`: another try cannot help. `gone`: the endpoint wants no more deliveries.
    """

    at: datetime
    seconds: float
    status: int | None = None
    why: str = ""
    permanent: bool = False
    gone: bool = False


def take(holder: Holder, now: datetime, sending: Collection[Delivery]) -> list[Delivery]:
    """Claim the deliveries that may be sent now, in addition to those in `sending`.

    The oldest come first. A manager, a host or a lane that has its share is skipped.
    """
    _put_back(holder, [delivery.row.id for delivery in sending])
    taken: list[WebhookDelivery] = []
    load = _Load([delivery.row for delivery in sending])
    while load.room > 0:
        due = oldest(
            WebhookDelivery,
            now,
            load.room,
            pending=DeliveryStatus.PENDING,
            where=load.not_full(),
        )
        claimed = claim(due, holder, now, claimed=DeliveryStatus.SENDING, admit=load.admit)
        if not claimed:
            break
        taken += claimed
    return [Delivery(row, _secrets(row.webhook, now)) for row in taken]


def inherit(condition: Expression) -> None:
    """Send again what a lost worker was sending: its fate is unknown."""
    back = WebhookDelivery.update(status=DeliveryStatus.PENDING, worker=None)
    if back.where(condition, WebhookDelivery.status == DeliveryStatus.SENDING).execute():
        wake("webhooks")


def ended(delivery: Delivery, attempt: Try) -> None:
    """Store how a try ended, and decide what follows: nothing, another try, or giving up."""
    row, now = delivery.row, attempt.at
    webhook = Webhook.get_or_none(Webhook.id == row.webhook_id) if row.webhook_id else None
    count = row.attempt + 1
    if not attempt.why:
        _keep(row, DeliveryStatus.DELIVERED, attempt, attempt=count)
        _record(row, TimelineWord.URL_CALLED, f"{row.target_url} answered {attempt.status}")
        if webhook is not None and webhook.failing_since is not None:
            Webhook.update(failing_since=None).where(Webhook.id == webhook.id).execute()
        return
    off = attempt.gone or (webhook is not None and webhook.status != ACTIVE)
    following = None if attempt.permanent or off else again(count, now)
    status = DeliveryStatus.FAILED if following is None else DeliveryStatus.PENDING
    _keep(row, status, attempt, attempt=count, date=following or row.date, worker=None)
    after = "given up" if following is None else f"again at {following.isoformat('T', 'seconds')}"
    _record(row, TimelineWord.URL_FAILED, f"{row.target_url}: {attempt.why}; {after}")
    if webhook is not None and webhook.status == ACTIVE:
        _count_failure(webhook, attempt, is_last=following is None)


def call_off(webhook: Webhook) -> None:
    """Give up what waits for a webhook that is switched off."""
    WebhookDelivery.update(status=DeliveryStatus.FAILED).where(
        WebhookDelivery.webhook == webhook.id, WebhookDelivery.status == DeliveryStatus.PENDING
    ).execute()


def redeliver(row: WebhookDelivery, now: datetime) -> None:
    """Send it now, with a new schedule of tries. Raises Conflict if that is not possible."""
    if row.status == DeliveryStatus.SENDING:
        raise Conflict("It is being sent just now.")
    if row.webhook is not None and row.webhook.status != ACTIVE:
        raise Conflict("Its webhook is switched off; switch it on first.")
    if row.status == DeliveryStatus.PENDING:
        WebhookDelivery.update(date=now, attempt=0).where(
            WebhookDelivery.id == row.id, WebhookDelivery.status == row.status
        ).execute()
    else:
        move(row, DeliveryStatus.PENDING, date=now, attempt=0, worker=None)
    wake("webhooks")


def next_due(now: datetime) -> datetime | None:
    """Return when the next delivery after `now` is due."""
    row = first(
        WebhookDelivery.select(WebhookDelivery.date)
        .where(WebhookDelivery.status == DeliveryStatus.PENDING, WebhookDelivery.date > now)
        .order_by(WebhookDelivery.date)
    )
    return row.date if row else None


class _Load:
    """The deliveries that are being sent, counted by manager, host and lane."""

    def __init__(self, sending: list[WebhookDelivery]) -> None:
        self.room = ALL
        self._owners: Counter[int] = Counter()
        self._endpoints: Counter[str] = Counter()
        self._lanes: set[str] = set()
        for row in sending:
            self._count(row)

    def not_full(self) -> Expression:
        """Return the condition that a delivery may be sent in addition."""
        owners = [key for key, count in self._owners.items() if count >= OWNER]
        endpoints = [key for key, count in self._endpoints.items() if count >= ENDPOINT]
        return (
            WebhookDelivery.owner.not_in(owners)
            & WebhookDelivery.endpoint.not_in(endpoints)
            & WebhookDelivery.lane.not_in(_sending_lanes())
        )

    def admit(self, row: WebhookDelivery) -> bool:
        """Return whether the row may be sent in addition, and count it if so."""
        if (
            self._owners[row.owner_id] >= OWNER
            or self._endpoints[row.endpoint] >= ENDPOINT
            or row.lane in self._lanes
            or not _is_next(row)
        ):
            return False
        self._count(row)
        return True

    def _count(self, row: WebhookDelivery) -> None:
        self.room -= 1
        self._owners[row.owner_id] += 1
        self._endpoints[row.endpoint] += 1
        self._lanes.add(row.lane)


def _sending_lanes() -> Any:
    """Select the lanes of which a delivery is being sent, by any worker."""
    other = WebhookDelivery.alias()
    return other.select(other.lane).where(other.status == DeliveryStatus.SENDING)


def _is_next(row: WebhookDelivery) -> bool:
    """Return whether no other delivery of its lane is being sent or comes first, on any worker.

    Another worker may hold an earlier delivery at this moment without sending it. The query for due
    deliveries then skips it.
    """
    if not dialect.try_lock_name(WebhookDelivery._meta.database, "webhook lane", row.lane):
        return False
    date, pending = WebhookDelivery.date, WebhookDelivery.status == DeliveryStatus.PENDING
    earlier = (date < row.date) | ((date == row.date) & (WebhookDelivery.id < row.id))
    before = (WebhookDelivery.status == DeliveryStatus.SENDING) | (pending & earlier)
    return not WebhookDelivery.select().where(WebhookDelivery.lane == row.lane, before).exists()


def _put_back(holder: Holder, sending: list[int]) -> None:
    """Put back what this worker claimed and does not send: its end could not be stored."""
    inherit(
        (WebhookDelivery.worker == holder.name)
        & (WebhookDelivery.fence == holder.fence)
        & WebhookDelivery.id.not_in(sending)
    )


def _secrets(webhook: Webhook | None, now: datetime) -> tuple[str, ...]:
    if webhook is None:
        return ()
    if webhook.old_secret and webhook.old_until and now < webhook.old_until:
        return (webhook.secret, webhook.old_secret)
    return (webhook.secret,)


def _keep(row: WebhookDelivery, status: DeliveryStatus, tried: Try, **values: Any) -> None:
    entry = {
        "at": tried.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "status": tried.status,
        "seconds": round(tried.seconds, 3),
        "why": tried.why,
    }
    move(row, status, tries=[*row.tries, entry][-TRIES:], **values)


def _count_failure(webhook: Webhook, attempt: Try, *, is_last: bool) -> None:
    values: dict[str, Any] = {}
    if webhook.failing_since is None:
        values["failing_since"] = attempt.at
    if attempt.gone or (is_last and is_given_up(webhook.failing_since, attempt.at)):
        since = (webhook.failing_since or attempt.at).isoformat("T", "seconds")
        reason = "it wants no more" if attempt.gone else f"it has taken nothing since {since}"
        values |= {"status": INACTIVE, "status_reason": f"{reason}: {attempt.why}"[:300]}
    if values:
        Webhook.update(values).where(Webhook.id == webhook.id).execute()
    if "status" in values:
        call_off(webhook)


def _record(row: WebhookDelivery, what: str, why: str) -> None:
    """Write the try to the alarm's timeline. Only deliveries to an alarm's own URL need it."""
    if row.webhook_id is None and row.alarm_id is not None:
        record(row.alarm_id, what, why)
