"""Calendars, events and their series."""
