"""Waits for an order that a loop carries out: what needs the network is not done by a handler."""

import asyncio

from telealarm.api.core.errors import RETRY_AFTER, ApiError
from telealarm.clock import monotonic
from telealarm.errors import Conflict
from telealarm.models import CalendarFeedOrder
from telealarm.store.engine.database import Database
from telealarm.store.feeds import orders
from telealarm.words import FeedOrderStatus

# How long a client waits, and how often it is looked whether the order has ended (seconds).
WAIT_SECONDS, LOOK_SECONDS = 10.0, 0.1


async def outcome(db: Database, order_id: int) -> CalendarFeedOrder:
    """Return an order that was carried out.

    Raises Conflict if the source refused it, and ApiError with 503 if there was no answer.
    """
    until = monotonic() + WAIT_SECONDS
    try:
        while (order := await db.read(orders.outcome, order_id)) is None:
            if monotonic() > until:
                raise _unanswered("the source did not answer in time")
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await db.write(orders.forget, order_id)
    if order.status == FeedOrderStatus.REFUSED:
        raise Conflict(order.said)
    if order.status == FeedOrderStatus.FAILED:
        raise _unanswered(order.said)
    return order


def _unanswered(why: str) -> ApiError:
    return ApiError(503, f"Nothing was changed here: {why}.", RETRY_AFTER)
