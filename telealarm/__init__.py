"""TeleAlarm calls people at the right moment, asks a question, and stores the answer."""

__version__ = "0.2.0"
