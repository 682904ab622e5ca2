"""The connections with Asterisk. This room knows nothing of alarms."""
