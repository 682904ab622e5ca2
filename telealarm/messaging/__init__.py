"""Messaging: sends the messages of the outbox to their gateway or mail server."""
