"""What would be called, deferred or skipped. This folder only reads."""
