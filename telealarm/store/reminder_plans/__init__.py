"""Reminder plans: the alarms that they make, and what their changes do to those."""
