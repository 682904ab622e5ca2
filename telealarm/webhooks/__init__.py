"""Webhooks: from a delivery's row to its endpoint."""
