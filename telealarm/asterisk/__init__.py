"""The connections with Asterisk. This folder knows nothing of alarms."""
