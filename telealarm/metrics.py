"""What is counted, for /metrics (Prometheus). Counters of this process, since its start."""

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

REGISTRY = CollectorRegistry()

CALLS_PLACED = Counter(
    "telealarm_calls_placed", "Originates that were sent to Asterisk.", registry=REGISTRY
)
CALLS_ENDED = Counter(
    "telealarm_calls_ended",
    "Calls that ended, by disposition.",
    ["disposition"],
    registry=REGISTRY,
)
CALLS_UNKNOWN = Counter(
    "telealarm_calls_unknown",
    "Calls of which it cannot be told whether the phone rang; each may be redialled.",
    registry=REGISTRY,
)
CALLS_ADOPTED = Counter(
    "telealarm_calls_adopted", "Calls that an earlier run had placed.", registry=REGISTRY
)
ATTEMPTS_SETTLED = Counter(
    "telealarm_attempts_settled",
    "Attempts that came to success, retry or failure.",
    ["outcome"],
    registry=REGISTRY,
)
MESSAGES = Counter(
    "telealarm_messages",
    "SMS and mails that were sent, failed or given up.",
    ["outcome"],
    registry=REGISTRY,
)
MESSAGES_UNKNOWN = Counter(
    "telealarm_messages_unknown",
    "SMS and mails of which it cannot be told whether they were taken; each may be sent again.",
    registry=REGISTRY,
)
WEBHOOKS = Counter(
    "telealarm_webhooks",
    "Tries to tell a webhook, by how they ended.",
    ["outcome"],
    registry=REGISTRY,
)
FEED_POLLS = Counter(
    "telealarm_feed_polls",
    "Polls of calendar feeds, by how they ended.",
    ["outcome"],
    registry=REGISTRY,
)
FEEDS = Gauge(
    "telealarm_feeds",
    "Calendar feeds that are switched on, by state, as of this worker's last poll.",
    ["state"],
    registry=REGISTRY,
)
RETENTION = Counter(
    "telealarm_rows_deleted",
    "Rows that were deleted because they had reached their age, by kind.",
    ["what"],
    registry=REGISTRY,
)
TRUNKS = Gauge(
    "telealarm_trunk_up",
    "1 while calls can go out by a trunk, 0 while it is down; absent where it is not known.",
    ["trunk"],
    registry=REGISTRY,
)
STORAGE_FAILURES = Counter(
    "telealarm_storage_failures",
    "Writes that the database did not keep, by cause: disk_full, disk_failed, locked (by another"
    " process), or storage (anything else).",
    ["cause"],
    registry=REGISTRY,
)
DISK_FREE = Gauge(
    "telealarm_disk_free_bytes",
    "The room on the disk of this folder: database (if it is a file), prompts or recordings.",
    ["folder"],
    registry=REGISTRY,
)


def text() -> str:
    """All of them in Prometheus' text format."""
    return generate_latest(REGISTRY).decode()
