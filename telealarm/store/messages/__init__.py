"""Texts of SMS and mails, and the outbox."""
