"""What speaks with Asterisk; it knows nothing of alarms."""
