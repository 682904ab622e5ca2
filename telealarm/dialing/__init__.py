"""Dialing: from an alarm request to a call, and what becomes of the call."""
