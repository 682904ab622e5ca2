"""Logging: a line for each event, with ids that let a reader follow an alarm."""

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

IDS = ("alarm", "request", "call", "channel")


class ByIds(logging.LoggerAdapter[logging.Logger]):
    """A logger that puts its ids (alarm, request, call, channel) on every line."""

    def process(
        self, msg: str, kwargs: MutableMapping[str, Any]
    ) -> tuple[str, MutableMapping[str, Any]]:
        """Add the ids to the record."""
        kwargs["extra"] = {**(self.extra or {}), **kwargs.get("extra", {})}
        return msg, kwargs


def by_ids(logger: logging.Logger, **ids: object) -> ByIds:
    """`by_ids(log, alarm=3, request=7).info("ringing")` logs `ringing alarm=3 request=7`."""
    return ByIds(logger, ids)


class TextFormatter(logging.Formatter):
    """`2026-01-02T03:04:05.678Z INFO telealarm.dialing ringing alarm=3 request=7`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with its ids."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        ids = "".join(f" {name}={getattr(record, name)}" for name in IDS if hasattr(record, name))
        line = f"{at[:-6]}Z {record.levelname} {record.name} {record.getMessage()}{ids}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """The same as a JSON object for each line, for log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the JSON object of a record."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: getattr(record, name) for name in IDS if hasattr(record, name)})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str, form: str) -> None:
    """Log to standard error at `level`, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # A line for each request belongs into the access log of a reverse proxy.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # At DEBUG peewee logs statements with their values: hashes, phone numbers, messages.
    logging.getLogger("peewee").setLevel(logging.INFO)
