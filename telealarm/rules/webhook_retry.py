"""When a delivery to a webhook that failed is tried again."""

from datetime import datetime, timedelta

# The pause after each try (seconds): a day in all, as Standard Webhooks advises.
PAUSES = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)
# An endpoint that accepts nothing for this long is switched off.
PATIENCE = timedelta(days=3)


def again(tries: int, now: datetime) -> datetime | None:
    """Return when to deliver again after `tries` failed tries; None to give up."""
    return now + timedelta(seconds=PAUSES[tries - 1]) if tries <= len(PAUSES) else None


def is_given_up(failing_since: datetime | None, now: datetime) -> bool:
    """Return whether to switch off an endpoint that has failed since `failing_since`."""
    return failing_since is not None and now - failing_since >= PATIENCE
