"""Logging: a line for each event, with ids that let a reader follow an alarm."""

import copy
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


class Trouble:
    """Logs a trouble that is checked again and again: when it comes, changes, and is over."""

    def __init__(self, logger: logging.Logger, what: str, level: int = logging.ERROR) -> None:
        self._log = logger
        self._what = what
        self._level = level
        self._known: str | None = None

    def note(self, trouble: str | None) -> None:
        """Note what a check said; None: all is well."""
        if trouble == self._known:
            return
        self._known = trouble
        if trouble is None:
            self._log.info("%s: all is well again", self._what)
        else:
            self._log.log(self._level, "%s: %s", self._what, trouble)


class Repetitions(logging.Filter):
    """Drops a warning or an error that repeats too often, and says how often.

    Twenty lines of the same text (without its values) are kept in ten seconds. The rest is one
    line with their number, once the ten seconds are over and anything is logged.
    """

    MOST, SECONDS, TEXTS = 20, 10.0, 1000

    def __init__(self) -> None:
        super().__init__()
        # By logger and text: when its seconds began, how often it came, the last that was dropped.
        self._seen: dict[tuple[str, str], tuple[float, int, logging.LogRecord | None]] = {}
        self._handler: logging.Handler | None = None

    def watch(self, handler: logging.Handler) -> None:
        """Filter what this handler writes, and let it write the numbers."""
        self._handler = handler
        handler.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be written."""
        self._tell(record.created)
        if record.levelno < logging.WARNING:
            return True
        key = record.name, str(record.msg)
        if key not in self._seen and len(self._seen) >= self.TEXTS:
            return True
        begun, count, last = self._seen.get(key, (record.created, 0, None))
        keep = count < self.MOST
        self._seen[key] = begun, count + 1, last if keep else record
        return keep

    def _tell(self, now: float) -> None:
        over = [key for key, (begun, _, _) in self._seen.items() if now - begun > self.SECONDS]
        for key in over:
            _, count, last = self._seen.pop(key)
            if last is not None and self._handler is not None:
                summary = copy.copy(last)
                text = last.getMessage()
                summary.msg, summary.args = "%d more like this: %s", (count - self.MOST, text)
                summary.exc_info = summary.exc_text = None
                self._handler.emit(summary)


def configure(level: str, form: str) -> None:
    """Log to standard error at `level`, as `text` or `json`."""
    # What no line shows need not be found out for each.
    logging.logThreads = logging.logProcesses = False
    logging.logMultiprocessing = False
    logging._srcfile = None  # as the logging module documents under "Optimization"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    Repetitions().watch(handler)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # A line for each request belongs into the access log of a reverse proxy.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # At DEBUG peewee logs statements with their values: hashes, phone numbers, messages.
    logging.getLogger("peewee").setLevel(logging.INFO)
