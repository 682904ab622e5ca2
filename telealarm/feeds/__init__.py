"""The loop of calendar feeds: calendars that live elsewhere."""
