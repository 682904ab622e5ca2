"""Dialing: from an alarm request to a call and its end."""
