"""Webhooks: from a row to the endpoint that takes it."""
