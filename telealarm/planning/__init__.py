"""Planning: from due alarms to alarm requests, and the end of expired requests."""
