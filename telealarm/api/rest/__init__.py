"""Resources over HTTP: handlers, lists, filters, CSV, idempotency."""
