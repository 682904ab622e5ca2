"""TeleAlarm rings people at the right moment, asks, and keeps the answer."""

__version__ = "0.2.0"
