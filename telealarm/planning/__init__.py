"""Planning: from alarms that are due to alarm requests, and what nobody wants any more."""
