"""The secrets in the addresses that SMS gateways send reports and replies to."""

import hmac
from datetime import datetime, timedelta

from telealarm.models import SmsGateway
from telealarm.models.gateway import new_secret
from telealarm.store.engine import crud

# How long the old addresses go on working: the new ones must be entered at the provider.
BOTH_WORK = timedelta(days=1)


def is_secret(gateway: SmsGateway, secret: str, now: datetime) -> bool:
    """Return whether this is the gateway's secret, or the one before during a day."""
    known = [gateway.secret]
    if gateway.old_secret and gateway.old_until and now < gateway.old_until:
        known.append(gateway.old_secret)
    return any(hmac.compare_digest(one.encode(), secret.encode()) for one in known if one)


def rotate(gateway: SmsGateway, now: datetime) -> None:
    """Create a new secret, and so new addresses. The old ones work for a day."""
    old = {"old_secret": gateway.secret, "old_until": now + BOTH_WORK}
    crud.change(gateway, {**old, "secret": new_secret()})
