"""Messaging: messages of the outbox to the gateway or the mail server that takes them."""
