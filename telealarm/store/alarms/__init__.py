"""Alarms and their attempts."""
