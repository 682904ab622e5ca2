"""What would be called, deferred or skipped. This room only reads."""
